"""The summary of a network: its links with their shapes, parameters and multiply-adds, as numbers and as a table."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from modnet.base import Inputs, Layout, Module, Place, Shape
from modnet.component import field_names
from modnet.network.link import Link
from modnet.network.network import Network
from modnet.text import Shown, Table


@dataclass(frozen=True)
class FusedParts:
    """What an accelerator runs.

    Attributes
    ----------
    accelerator : str or None
        Its name; None: there is no accelerator.
    links : frozenset of str
        The paths of the links that fused modules stand for, one for several or one for each.
    loss, optimizer : str or None
        The name of the class; None: it is not known yet.
    loss_is_fused, optimizer_is_fused : bool
    """

    accelerator: str | None = None
    links: frozenset[str] = frozenset()
    loss: str | None = None
    loss_is_fused: bool = False
    optimizer: str | None = None
    optimizer_is_fused: bool = False


@dataclass(frozen=True)
class Row:
    """One link.

    Attributes
    ----------
    path : str
        Where it stands: ``"layers[2].body[0]"``.
    depth : int
        How many composites it lies in.
    title : str
        Its module; what has rows of its own is left out.
    output_shape : tuple of int
        Per row of data.
    parameters : int
        Trainable ones, without those of links inside it.
    state : int
        Numbers that are kept but not trained, such as running means.
    multiply_adds : int
        Per row of data, without those of links inside it.
    fused : bool
        Whether an accelerator runs it.
    """

    path: str
    depth: int
    title: str
    output_shape: Shape
    parameters: int
    state: int
    multiply_adds: int
    fused: bool = False


@dataclass(frozen=True, repr=False)
class Summary(Shown):
    """What a network consists of, shown as a table.

    Attributes
    ----------
    input_shape : tuple of int
        Per row of data.
    rows : tuple of Row
        Every link in the order in which it is run, those inside composites behind the composite.
    parts : FusedParts, optional
        What an accelerator runs.

    Notes
    -----
    Multiply-adds are an estimate, and count what dominates: one for each element of a weight array and each position
    of the output that it is used for. Weight arrays are the trainable parameters that have several rows or are
    regularized, and what is not trained and has the shape of such a matrix; additions of biases, activations and the
    like are not counted.
    """

    between: ClassVar[str] = "\n"

    input_shape: Shape
    rows: tuple[Row, ...]
    parts: FusedParts | None = None

    @property
    def parameters(self) -> int:
        """Trainable parameters of the network: the length of θ."""
        return sum(row.parameters for row in self.rows)

    @property
    def state(self) -> int:
        """Numbers that are kept but not trained."""
        return sum(row.state for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of a prediction, per row of data."""
        return sum(row.multiply_adds for row in self.rows)

    def paragraphs(self) -> list[str | Table]:
        """Return the paragraphs.

        Returns
        -------
        list of Table or str
            The links, and below them what is not trained and what accelerates.
        """
        head = ["path", "layer", "output", "parameters", "multiply-adds"]
        first = ["", "input", shown(self.input_shape), "", ""]
        body = [
            [path, row.title, shown(row.output_shape), f"{row.parameters:,}", f"{row.multiply_adds:,}"]
            for path, row in zip(self._indented_paths(), self.rows, strict=True)
        ]
        last = ["", "total", "", f"{self.parameters:,}", f"{self.multiply_adds:,}"]
        lines = [head, first, *body, *([*part, "", "", ""] for part in self._parts()), last]
        if marks := self._marks():
            lines = [[*cells, mark] for cells, mark in zip(lines, ["fused", "", *marks, ""], strict=True)]
        notes = [f"and {self.state:,} numbers that are not trained"] if self.state else []
        if self.parts is not None:
            notes.append(f"accelerator: {self.parts.accelerator or 'none'}")
        return [Table(lines[0], lines[1:-1], right=head[2:], foot=lines[-1], wrap=False), *notes]

    def _parts(self) -> list[tuple[str, str]]:
        """Return what is no link and an accelerator may run, with its name."""
        if self.parts is None or self.parts.accelerator is None:
            return []
        named = ("loss", self.parts.loss), ("optimizer", self.parts.optimizer)
        return [(part, name) for part, name in named if name is not None]

    def _marks(self) -> list[str]:
        """Return the name of the accelerator for each row and part that it runs; empty if there is no accelerator."""
        if self.parts is None or self.parts.accelerator is None:
            return []
        # A composite is never fused: what it is made of is.
        below = [*(row.depth for row in self.rows[1:]), 0]
        links = [(row.fused, depth > row.depth) for row, depth in zip(self.rows, below, strict=True)]
        of = {"loss": self.parts.loss_is_fused, "optimizer": self.parts.optimizer_is_fused}
        parts = [(of[part], False) for part, _ in self._parts()]
        return ["" if composite else self.parts.accelerator if fused else "–" for fused, composite in [*links, *parts]]

    def _indented_paths(self) -> Iterator[str]:
        """Return the paths, those inside composites without the composite's and set back instead."""
        around: list[str] = []
        for row in self.rows:
            del around[row.depth :]
            path = row.path.removeprefix(f"{around[-1]}.") if around else row.path
            around.append(row.path)
            yield "  " * row.depth + path


def summarize(network: Network, parts: FusedParts | None = None) -> Summary:
    """Return the summary of a network.

    Parameters
    ----------
    network : Network
    parts : FusedParts, optional
        What an accelerator runs of it.

    Examples
    --------
    >>> from modnet import Network
    >>> from modnet.layers import Dense, Residual
    >>> network = Network([Dense(32, activation="relu"), Residual([Dense(32, "tanh")]), Dense(1)], input_shape=(8,))
    >>> print(summarize(network))
    path                  layer             output  parameters  multiply-adds
    ─────────────────────────────────────────────────────────────────────────
                          input                  8
    layers[0]             Dense(units=32)       32         288            256
    layers[0].activation  ReLU()                32           0              0
    layers[1]             Residual(body=…)      32           0              0
      body[0]             Dense(units=32)       32       1,056          1,024
      body[0].activation  Tanh()                32           0              0
    layers[2]             Dense(units=1)         1          33             32
    ─────────────────────────────────────────────────────────────────────────
                          total                          1,377          1,312
    """
    rows = _rows(network.links, network.layout, 0)
    found = frozenset() if parts is None else parts.links
    return Summary(network.input_shape, tuple(replace(row, fused=row.path in found) for row in rows), parts)


_LONGEST = 60
"""Characters of a module in a table: a number for each of many columns would not be read."""


def title_of(module: Module | Inputs) -> str:
    """Return a module as it is written, without the modules that it runs as chains.

    Examples
    --------
    >>> from modnet.layers import Dense, Parallel
    >>> title_of(Parallel([Dense(1), Dense(2)], merge="concat", name="trunk"))
    "Parallel(branches=…, name='trunk')"
    """
    title = repr(module)
    for name in set(field_names(type(module))).difference(own_fields(module)):
        title = title.replace(f"{name}={getattr(module, name)!r}", f"{name}=…", 1)
    return title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1]}…"


def own_fields(module: Module | Inputs) -> tuple[str, ...]:
    """Return the names of a module's fields, except those that hold the modules that it runs as chains.

    Examples
    --------
    >>> from modnet.layers import Dense, Parallel
    >>> own_fields(Parallel([Dense(1), Dense(2)]))
    ('merge', 'name')
    """
    chains = module.chains() if isinstance(module, Module) else ()
    inside = {path.partition("[")[0].partition(".")[0] for chain in chains for path, _ in chain}
    return tuple(name for name in field_names(type(module)) if name not in inside)


def shown(shape: Shape) -> str:
    """Return a shape per row, a single axis as its length.

    Examples
    --------
    >>> shown((64,)), shown((28, 28))
    ('64', '28 × 28')
    """
    return " × ".join(map(str, shape))


def _rows(links: Sequence[Link], layout: Layout, depth: int) -> Iterator[Row]:
    for link in links:
        parameters = sum(place.stop - place.start for place in link.places.values())
        state = sum(place.stop - place.start for place in link.state_places.values())
        weights = [place for place in link.places.values() if _is_weight(place, layout)]
        # What is no parameter is a weight if it has the shape of one: a random projection, say, that stays as drawn.
        product = link.input_shape[-1:] + link.output_shape[-1:]
        weights += [place for place in link.state_places.values() if place.shape == product and product[0] > 1]
        positions = math.prod(link.output_shape[:-1])
        multiply_adds = positions * sum(place.stop - place.start for place in weights)
        yield Row(link.path, depth, title_of(link.module), link.output_shape, parameters, state, multiply_adds)
        for chain in link.chains:
            yield from _rows(chain, layout, depth + 1)


def _is_weight(place: Place, layout: Layout) -> bool:
    """Return whether x is multiplied with it: it has several rows, or it has one (one feature) and is no bias."""
    return len(place.shape) > 1 and (place.shape[-2] > 1 or place.stop <= layout.regularized)
