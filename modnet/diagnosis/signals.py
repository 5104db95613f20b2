"""What a network does to data: one pass forward and backward, and what each link puts out and learns from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modnet.base import Activation, Array, Loss
from modnet.network import Network, Pass
from modnet.network.link import Link
from modnet.training import Data

_ELEMENTS = 2**22
"""Numbers that a pass may hold: 32 MiB in float64."""

_MIN_ROWS = 256

_NEAR = 0.01
"""How near to a bound, as a share of the way from one to the other, an output counts as saturated."""

_ROWS = 0.95
"""In which share of the rows a unit has to be saturated."""

_REACH = 5.0
"""How many standard deviations below 0 even a dead unit's largest input has to be for it to be lost. In networks that
had learnt, on scaled data and on raw, up to 2 were seen."""


@dataclass(frozen=True)
class Columns:
    """The columns that reach a layer with weights.

    Attributes
    ----------
    mean, std, low, high : ndarray, shape (n_features,)
    flags : ndarray of bool, shape (n_features,)
        Which columns hold nothing but 0 and 1.
    """

    mean: Array
    std: Array
    low: Array
    high: Array
    flags: Array

    @property
    def spread(self) -> float:
        """How much rows differ in them, as in `Signal`."""
        return float(np.sqrt(np.mean(self.std**2)))

    @classmethod
    def of(cls, x: Array) -> "Columns":
        """Return the columns of an array, shape (…, n_features)."""
        x = x.reshape(-1, x.shape[-1]).astype(np.float64)
        flags = ((x == 0) | (x == 1)).all(axis=0)
        return cls(x.mean(axis=0), x.std(axis=0), x.min(axis=0), x.max(axis=0), flags)


@dataclass(eq=False)
class Signal:
    """One link, seen while data passed through it.

    Attributes
    ----------
    link : Link
    nested : bool
        Whether it runs inside another link.
    weighs : bool
        Whether it multiplies its input with weights.
    finite : bool
        Whether its output was.
    spread : float
        How much rows differ behind it: the standard deviation over rows, as the root mean square over units.
    units, dead, lost, saturated : int
        Of an activation: units; those that are 0 for all rows; those among them whose input is far from making them
        anything else; and, if it is bounded, those that are near a bound in more than 95 % of the rows. Otherwise 0.
    gradient : float or None
        ‖∂J/∂θ‖ of its own parameters; None if it has none, or the loss is not finite.
    entering : Columns or None
        What came in, where it is the first layer with weights on its way from the input.
    """

    link: Link
    nested: bool
    weighs: bool
    finite: bool = True
    spread: float = float("nan")
    units: int = 0
    dead: int = 0
    lost: int = 0
    saturated: int = 0
    gradient: float | None = None
    entering: Columns | None = None
    first: bool = field(default=False, repr=False)
    seen: bool = field(default=False, repr=False)

    def see(self, name: str, array: Array) -> None:
        """Note what went in, "x", and what came out, "y"."""
        if name == "x":
            self._x = array
        elif name == "y":
            x, y = self._x, array
            self.entering = Columns.of(x) if self.first else None
            self.seen, self.finite, self.spread = True, bool(np.isfinite(y).all()), _spread(y)
            if isinstance(self.link.module, Activation) and self.finite:
                self._count_units(self.link.module, x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1]))

    def _count_units(self, activation: Activation, z: Array, a: Array) -> None:
        dead = (a == 0).all(axis=0)
        lost = dead & (z.max(axis=0) < -_REACH * _spread(z))
        self.units, self.dead, self.lost = a.shape[-1], int(dead.sum()), int(lost.sum())
        if bounds := _bounds(activation):
            near = _NEAR * (bounds[1] - bounds[0])
            at_bound = ((a < bounds[0] + near) | (a > bounds[1] - near)).mean(axis=0) > _ROWS
            self.saturated = int((at_bound & ~dead).sum())


@dataclass(frozen=True)
class Look:
    """What was seen of a network while rows passed through it.

    Attributes
    ----------
    rows : int
        Rows that went through.
    loss : float
        J for them, without the penalty.
    raw, truth : ndarray
        Output and truth for them.
    signals : tuple of Signal
        Of every link, in the order in which they are run; those inside a composite behind it.
    """

    rows: int
    loss: float
    raw: Array
    truth: Array
    signals: tuple[Signal, ...]


def look_at(estimator: Any, data: Data) -> Look:
    """Send rows through an estimator's network as training does, and note what every link does.

    Parameters
    ----------
    estimator : ModNetClassifier, ModNetRegressor, …
        With `network_`, `theta_`, `state_` and `spec_`; not changed.
    data : Data
        Of many rows some are chosen, always the same ones.

    Returns
    -------
    Look
        Without gradients if the loss is not finite.
    """
    network: Network = estimator.network_
    loss: Loss = estimator.spec_.loss
    data, gradient = _some_rows(data, network), np.zeros_like(estimator.theta_)
    signals = {id(signal.link): signal for signal in _signals(network)}
    # Whether something overflows is what is looked for.
    with np.errstate(all="ignore"):
        running = Pass(
            network,
            estimator.theta_,
            estimator.state_.copy(),
            gradient=gradient,
            rows=len(data),
            training=True,
            hook=lambda link, name, array: signals[id(link)].see(name, array),
        )
        raw = running.forward(data.x)
        value, draw = loss.value_and_gradient(data.t, raw, weight=data.weight)
        if np.isfinite(value):
            running.backward(draw)
            for signal in signals.values():
                own = [place.view(gradient).ravel() for place in signal.link.places.values()]
                signal.gradient = float(np.linalg.norm(np.concatenate(own).astype(np.float64))) if own else None
    return Look(len(data), float(value), raw, data.t, tuple(signal for signal in signals.values() if signal.seen))


def _some_rows(data: Data, network: Network) -> Data:
    """Return as many rows as a pass has memory for, dense, and always the same ones."""
    per_row = sum(int(np.prod(link.input_shape) + np.prod(link.output_shape)) for link in network.walk())
    rows = max(_MIN_ROWS, _ELEMENTS // max(1, per_row))
    if len(data) > rows:
        data = data.take(np.sort(np.random.default_rng(0).choice(len(data), rows, replace=False)))
    return data if isinstance(data.x, np.ndarray) else Data(data.x.toarray(), data.t, data.weight)


def _signals(network: Network) -> list[Signal]:
    """Return a signal for each link, which has seen nothing yet."""
    outer = {id(link) for link in network.links}
    weighing = {id(link) for link in network.walk() if _weighs(link, network)}
    first = {id(link) for link in _first_weighing(network.links, weighing)[0]}
    return [
        Signal(link, nested=id(link) not in outer, weighs=id(link) in weighing, first=id(link) in first)
        for link in network.walk()
    ]


def _weighs(link: Link, network: Network) -> bool:
    """Return whether a link has a parameter with a row per feature of its input that is no gain."""
    n = link.input_shape[-1]
    return any(
        len(place.shape) > 1 and place.shape[-2] == n and (n > 1 or place.stop <= network.layout.regularized)
        for place in link.places.values()
    )


def _first_weighing(links: Sequence[Link], weighing: set[int]) -> tuple[list[Link], bool]:
    """Return the first links with weights on each way from the input, and whether every way leads through one."""
    found: list[Link] = []
    for link in links:
        inside = [_first_weighing(chain, weighing) for chain in link.chains]
        found += [each for entries, _ in inside for each in entries]
        if id(link) in weighing and not link.module.takes_codes:
            found.append(link)
        if id(link) in weighing or link.module.takes_codes or (inside and all(through for _, through in inside)):
            return found, True
    return found, False


def _spread(y: Array) -> float:
    """Return the standard deviation over rows, as the root mean square over units."""
    return float(np.sqrt(np.var(y.astype(np.float64), axis=0).mean()))


def _bounds(activation: Activation) -> tuple[float, float] | None:
    """Return what an activation's output lies between, if it has two bounds and reaches them: −1 and 1 for tanh."""
    ends = activation.f(np.array([[-1e6], [-1e5], [1e5], [1e6]]))[:, 0]
    steps = np.abs(np.diff(ends))
    reaches = steps[0] < _NEAR and steps[2] < _NEAR and steps[1] > _NEAR
    return (float(ends.min()), float(ends.max())) if reaches else None
