"""What distributions offer: entries, read from their entry points, and the words that name them.

Reading imports nothing. A name that is not snake_case is read as well, so that somebody can say why it is not offered.
"""

import importlib.metadata
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

OWN = "modnet-layers"
"""The distribution of modnet itself, and of the standard components."""

DISABLE = "MODNET_DISABLE_PLUGINS"
"""Set to 1 in the environment, no other distribution is looked at."""

NAME = re.compile(r"(?!auto$)[a-z][a-z0-9_]*")
"""What a component may be called: snake_case, and not "auto", a word that parameters take for something else."""

NAMES = "a name is snake_case ([a-z][a-z0-9_]*) and not 'auto'"
"""The same in words."""


def documentation(module: str = "modnet") -> str:
    """Return a template of links to a module's reference, as scikit-learn has them; "" if our metadata name no site.

    Parameters
    ----------
    module : str
        ``"modnet"``, or that of a plugin.

    Returns
    -------
    str
        With ``{estimator_name}`` where the name of a class belongs.
    """
    urls = importlib.metadata.metadata(OWN).get_all("Project-URL") or ()
    sites = [url.partition(", ")[2].rstrip("/") for url in urls if url.startswith("Documentation, ")]
    return f"{sites[0]}/api/generated/{module}.{{estimator_name}}.html" if sites else ""


@dataclass(frozen=True)
class Entry:
    """One name on offer: who offers it, and where the class is.

    Parameters
    ----------
    kind, name, value : str
        ``"activation"``, ``"relu"``, ``"package.module:Class"``.
    distribution, version : str
        Who offers it; both are empty for a class that the process itself has registered.

    Examples
    --------
    >>> print(Entry("activation", "wobble", "acme:Wobble", "acme-layers", "1.2"))
    activation 'wobble' from acme-layers 1.2 (acme:Wobble)
    """

    kind: str
    name: str
    value: str
    distribution: str = ""
    version: str = ""

    def __str__(self) -> str:
        """Name the entry the way error messages do."""
        source = f"{self.distribution} {self.version}" if self.distribution else "modnet.register"
        return f"{self.kind} {self.name!r} from {source} ({self.value})"

    @property
    def standard(self) -> bool:
        """Whether modnet-layers offers it: then the bare name means it, whoever else offers that name."""
        return normalized(self.distribution) == OWN


def group_of(kind: str) -> str:
    """Return the entry-point group of a kind.

    Parameters
    ----------
    kind : str
        Such as ``"layer"``.

    Returns
    -------
    str
        As pyproject.toml says it.

    Examples
    --------
    >>> group_of("layer"), group_of("loss"), group_of("inputs")
    ('modnet.layers', 'modnet.losses', 'modnet.inputs')
    """
    return f"modnet.{kind}" if kind == "inputs" else f"modnet.{kind}es" if kind.endswith("s") else f"modnet.{kind}s"


def article(kind: str) -> str:
    """Return a kind with its indefinite article: "an optimizer"; inputs are several.

    Parameters
    ----------
    kind : str
        Such as ``"layer"``.

    Returns
    -------
    str
        To be put into a sentence.

    Examples
    --------
    >>> article("layer"), article("optimizer"), article("inputs")
    ('a layer', 'an optimizer', 'inputs')
    """
    return kind if kind == "inputs" else f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def snake_case(name: str) -> str:
    """Return a class name, or another that is not snake_case, as a registered name.

    Parameters
    ----------
    name : str
        Of words that capitals or hyphens set apart.

    Returns
    -------
    str
        Small letters, and underscores between words.

    Examples
    --------
    >>> snake_case("LeakyReLU"), snake_case("SGD"), snake_case("soft-step")
    ('leaky_relu', 'sgd', 'soft_step')
    """
    return re.sub(r"(?<=[A-Za-z0-9])(?=[A-Z][a-z])", "_", name).replace("-", "_").lower()


def normalized(distribution: str) -> str:
    """Return a distribution's name as PEP 503 compares it.

    Parameters
    ----------
    distribution : str
        As somebody writes it.

    Returns
    -------
    str
        Small letters, and single hyphens between words.

    Examples
    --------
    >>> normalized("Acme_Layers")
    'acme-layers'
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


def scan(kinds: Iterable[str]) -> Iterator[Entry]:
    """Yield what is on offer for some kinds, as it is written down.

    Parameters
    ----------
    kinds : iterable of str
        Whose groups are read.

    Yields
    ------
    Entry
        In no order, and under names that may not be snake_case.
    """
    points = importlib.metadata.entry_points()  # reads every installed distribution: once for all kinds
    alone = plugins_off()
    for kind in kinds:
        for point in points.select(group=group_of(kind)):
            dist = point.dist
            if alone and not (dist and normalized(dist.name) == OWN):
                continue
            yield Entry(kind, point.name, point.value, dist.name if dist else "", dist.version if dist else "")


def plugins_off() -> bool:
    """Return whether plugins are switched off.

    Returns
    -------
    bool
        Whether `DISABLE` is set in the environment.
    """
    return os.environ.get(DISABLE, "0") not in ("", "0")
