"""Write a plugin: a distribution with one component, tests, and a README, ready to install.

The files are written from templates, with the names filled in. The tests pass as they are; then put your own equation
in place of the one that is there.
"""

import argparse
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from modnet.cli.output import emit
from modnet.errors import ModNetError
from modnet.registry import article, group_of, registry

_USES = {
    "layer": 'ModNetClassifier(layers=(32, "{}"))',
    "activation": 'ModNetClassifier(layers=(32,), activation="{}")',
    "loss": 'ModNetRegressor(layers=(32,), loss="{}")',
    "optimizer": 'ModNetClassifier(layers=(32,), optimizer="{}")',
}
"""How a component of each kind is used, in the README of its plugin."""

KINDS = tuple(_USES)
"""What there are templates for."""


class PluginExistsError(ModNetError, ValueError):
    """There is something already where the plugin should go, or under its name."""


@dataclass(frozen=True)
class Plugin:
    """The names of a plugin.

    Parameters
    ----------
    name : str
        What it is called: lower-case words with hyphens, ``soft-step``.
    kind : str
        One of `KINDS`.

    Examples
    --------
    >>> plugin = Plugin("soft-step", "activation")
    >>> plugin.distribution, plugin.package, plugin.component, plugin.cls
    ('modnet-soft-step', 'modnet_soft_step', 'soft_step', 'SoftStep')
    """

    name: str
    kind: str

    @property
    def distribution(self) -> str:
        """What pip calls it."""
        return f"modnet-{self.name}"

    @property
    def package(self) -> str:
        """What Python imports."""
        return self.distribution.replace("-", "_")

    @property
    def component(self) -> str:
        """What users write in specs."""
        return self.name.replace("-", "_")

    @property
    def cls(self) -> str:
        """The class."""
        return "".join(word.capitalize() for word in self.name.split("-"))

    def files(self) -> dict[Path, str]:
        """Return what is to be written: paths inside the distribution, and texts."""
        words = ("distribution", "package", "component", "cls", "kind")
        use = _USES[self.kind].format(self.component)
        names = {word: getattr(self, word) for word in words}
        names |= {"a_kind": article(self.kind), "group": group_of(self.kind), "use": use}

        def filled(template: str) -> str:
            text = files("modnet.cli").joinpath("templates", template).read_text(encoding="utf-8")
            return Template(text).substitute(names)

        return {
            Path("pyproject.toml"): filled("pyproject.toml.txt"),
            Path("README.md"): filled("README.md.txt"),
            Path(self.package, "__init__.py"): filled("__init__.py.txt"),
            Path(self.package, f"{self.component}.py"): filled(f"{self.kind}.py.txt"),
            Path(self.package, "py.typed"): "",
            Path("tests", f"test_{self.component}.py"): filled(f"test_{self.kind}.py.txt"),
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("name", type=_name, metavar="NAME", help="lower-case words with hyphens, such as soft-step")
    parser.add_argument("--kind", choices=KINDS, default="layer", help="what the component is (default: layer)")
    parser.add_argument("--directory", type=Path, default=Path(), metavar="DIR", help="where to put it (default: here)")


def run(args: argparse.Namespace) -> int:
    """Write the plugin; return the exit status."""
    plugin = Plugin(args.name, args.kind)
    root = write(plugin, args.directory)
    component = root / plugin.package / f"{plugin.component}.py"
    text = (
        f"{root}: {article(plugin.kind)} called {plugin.component!r}. Next:\n\n"
        f'    python -m pip install -e "{root}[test]"\n'
        f"    python -m pytest {root}\n\n"
        f"then put your own equation into {component}, and run the tests again."
    )
    data = {"directory": str(root), "distribution": plugin.distribution, "name": plugin.component, "kind": plugin.kind}
    emit(args, data, text)
    return 0


def write(plugin: Plugin, directory: Path) -> Path:
    """Write a plugin's files into a new folder.

    Parameters
    ----------
    plugin : Plugin
    directory : Path
        Where the folder, called like the distribution, is made.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    PluginExistsError
        If there is such a folder, or an installed distribution offers a component of that name; nothing is written.
    """
    root = directory / plugin.distribution
    if root.exists():
        raise PluginExistsError(f"{root} is there already: choose another name, or move it away")
    if plugin.component in registry.names(plugin.kind):
        taken = next(entry for entry in registry.entries(plugin.kind) if entry.name == plugin.component)
        raise PluginExistsError(f"{taken} has that name already: choose another one")
    for path, text in plugin.files().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def _name(text: str) -> str:
    name = text.removeprefix("modnet-")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*", name):
        raise argparse.ArgumentTypeError(f"should be lower-case words with hyphens, such as soft-step, got {text!r}")
    return name
