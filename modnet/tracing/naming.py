"""The textbook's letters for a network's own links, and what each gradient is made of by the chain rule.

Layer i is an affine link zᵢ = aᵢ₋₁ Wᵢ + bᵢ and the first activation behind it, aᵢ = σ(zᵢ).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modnet.base import Activation, Array
from modnet.network import Link, Network
from modnet.text import listed, suggestions


class Named(dict[str, Any]):
    """What there is, by name; one that is not there is answered with those that are."""

    def __missing__(self, name: str) -> Any:
        same = [each for each in self if each.lower() == str(name).lower()]
        meant = " or ".join(map(repr, same or suggestions(str(name), self, 3)))
        hint = f"did you mean {meant}? " if meant else ""
        raise KeyError(f"there is no {name!r}; {hint}there are {listed(self, 60)}")


def is_activation(link: Link) -> bool:
    """Return whether a link is an activation, or what a layer has in the place of one."""
    return isinstance(link.module, Activation) or link.path.endswith("activation")


def letters_of(network: Network, factors: Mapping[str, Array]) -> Iterator[tuple[str, str]]:
    """Yield letters and the paths of what they stand for.

    Parameters
    ----------
    network : Network
        Its own links get letters; those inside composites have none.
    factors : mapping of str to ndarray
        Local factors by path; a link that has one for its W is affine.
    """
    i, open_ = 0, ""  # the layer, and its z as long as no activation has come
    yield from (("x", "x"), ("a0", "x"))
    for link in network.links:
        if f"{link.path}.W" in factors:
            if open_:
                yield f"a{i}", open_  # a layer without an activation has a = z
            i, open_ = i + 1, link.path
            yield from ((f"{name}{i}", f"{link.path}.{name}") for name in link.places)
            yield f"z{i}", link.path
        elif open_ and is_activation(link):
            yield f"a{i}", link.path
            open_ = ""
    if open_:
        yield f"a{i}", open_
    yield "raw", network.links[-1].path


def rules_of(network: Network, names: Mapping[str, str], factors: Mapping[str, Array]) -> dict[str, str]:
    """Return by path what each gradient is made of.

    Parameters
    ----------
    network : Network
    names : mapping of str to str
        The letter of each path that has one.
    factors : mapping of str to ndarray
        Local factors by path.
    """
    rules = {}
    for path, link in _takers(network.links, "x"):
        name, out = names.get(path, path), names.get(link.path) if link else None
        if link is None:
            rules[path] = "of the loss"
        elif out and (W := f"{link.path}.W") in factors:
            rules |= {path: f"∂J/∂{out} {names[W]}ᵀ", W: f"{name}ᵀ ∂J/∂{out}", f"{link.path}.b": f"Σ rows ∂J/∂{out}"}
        elif out and link.path in factors and factors[link.path].ndim == 1 + len(link.output_shape):
            rules[path] = f"∂J/∂{out} ∘ σ'({name})"
        else:
            rules[path] = f"through {type(link.module).__name__}"
    return rules


def _takers(links: Sequence[Link], before: str = "", around: Link | None = None) -> Iterator[tuple[str, Link | None]]:
    """Yield the path of each output and the link that takes it: the next, or the composite that they run in."""
    for link in links:
        if before:
            yield before, link
        before = link.path
        for chain in link.chains:
            yield from _takers(chain, around=link)
    yield before, around
