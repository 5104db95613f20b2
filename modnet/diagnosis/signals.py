"""What a network does to data: one pass forward and backward, and what each link puts out and learns from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modnet.base import Activation, Array, Loss
from modnet.network import Network, Pass
from modnet.network.link import Link
from modnet.training import Data

_ELEMENTS = 2**22
"""Numbers that a pass may hold: 32 MiB in float64."""

_FEWEST = 256

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


@dataclass(frozen=True)
class Signal:
    """One link, seen while data passed through it.

    Attributes
    ----------
    link : Link
    nested : bool
        Whether it runs inside another link.
    finite : bool
        Whether its output was.
    spread : float
        How much rows differ behind it: the standard deviation over rows, as the root mean square over units.
    units, dead, lost, saturated : int
        Of an activation: units; those that are 0 for all rows; those among them whose input is far from making them
        anything else; and, if it is bounded, those that are near a bound in more than 95 % of the rows. Otherwise 0.
    weighs : bool
        Whether it multiplies its input with weights.
    gradient : float or None
        ‖∂J/∂θ‖ of its own parameters; None if it has none.
    entering : Columns or None
        What came in, where it is the first layer with weights on its way from the input.
    """

    link: Link
    nested: bool
    finite: bool
    spread: float
    units: int
    dead: int
    lost: int
    saturated: int
    weighs: bool
    gradient: float | None
    entering: Columns | None


@dataclass(frozen=True)
class Look:
    """A look at a network at work.

    Attributes
    ----------
    rows : int
        Rows that went through.
    loss : float
        J for them, decay left out.
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


def look_at(network: Network, theta: Array, state: Array, loss: Loss, data: Data) -> Look:
    """Send rows through a network as training does, and note what every link does.

    Parameters
    ----------
    network : Network
    theta, state : ndarray
        Not changed.
    loss : Loss
    data : Data
        Of many rows some are chosen, always the same ones.

    Returns
    -------
    Look
        Without gradients if the loss is not finite.
    """
    data = _dense(sample(data, _rows_for(network)))
    rows, gradient = len(data), np.zeros_like(theta)
    observer = _Observer(network)
    # Whether something overflows is what is looked for.
    with np.errstate(all="ignore"):
        running = Pass(network, theta, state.copy(), gradient=gradient, rows=rows, training=True, hook=observer)
        raw = running.forward(data.x)
        value, draw = loss.value_and_gradient(data.t, raw, weight=data.weight)
        backward = bool(np.isfinite(value))
        if backward:
            running.backward(draw)
        signals = tuple(
            observer.signal(link, gradient if backward else None) for link in network.walk() if link in observer
        )
    return Look(rows, float(value), raw, data.t, signals)


def sample(data: Data, rows: int) -> Data:
    """Return so many rows at most, always the same ones, in their order."""
    if len(data) <= rows:
        return data
    return data.take(np.sort(np.random.default_rng(0).choice(len(data), rows, replace=False)))


def _rows_for(network: Network) -> int:
    """Return the rows for which a pass fits into memory."""
    per_row = sum(int(np.prod(link.input_shape) + np.prod(link.output_shape)) for link in network.walk())
    return max(_FEWEST, _ELEMENTS // max(1, per_row))


def _dense(data: Data) -> Data:
    return data if isinstance(data.x, np.ndarray) else Data(data.x.toarray(), data.t, data.weight)


class _Observer:
    """Runs links and takes notes."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._notes = {id(link): _Notes(link) for link in network.walk()}
        for link in self._entries(network.links)[0]:
            self._notes[id(link)].enters = True

    def __contains__(self, link: Link) -> bool:
        """Return whether the link has been run."""
        return self._notes[id(link)].spread is not None

    def __call__(self, link: Link, name: str, array: Array) -> None:
        """Take notes of what comes in at a link and goes out."""
        if name == "x":
            self._notes[id(link)].x = array
        elif name == "y":
            self._notes[id(link)].take(array)

    def signal(self, link: Link, gradient: Array | None) -> Signal:
        """Return what was seen of a link."""
        notes = self._notes[id(link)]
        assert notes.spread is not None
        own = [] if gradient is None else [place.view(gradient).ravel() for place in link.places.values()]
        return Signal(
            link,
            nested=not any(link is each for each in self._network.links),
            finite=notes.finite,
            spread=notes.spread,
            units=notes.units,
            dead=notes.dead,
            lost=notes.lost,
            saturated=notes.saturated,
            weighs=self._weighs(link),
            gradient=float(np.linalg.norm(np.concatenate(own).astype(np.float64))) if own else None,
            entering=notes.entering,
        )

    def _weighs(self, link: Link) -> bool:
        """Return whether a link has a parameter with a row per feature of its input that is no gain."""
        n = link.input_shape[-1]
        return any(
            len(place.shape) > 1 and place.shape[-2] == n and (n > 1 or place.stop <= self._network.layout.regularized)
            for place in link.places.values()
        )

    def _entries(self, links: Sequence[Link]) -> tuple[list[Link], bool]:
        """Return the first links with weights on each way from the input, and whether every way leads through one."""
        found: list[Link] = []
        for link in links:
            inside = [self._entries(chain) for chain in link.chains]
            found += [each for entries, _ in inside for each in entries]
            ends = self._weighs(link) or link.module.takes_codes
            if self._weighs(link) and not link.module.takes_codes:
                found.append(link)
            if ends or (inside and all(through for _, through in inside)):
                return found, True
        return found, False


class _Notes:
    """What is noted of one link.

    Attributes
    ----------
    enters : bool
        Whether the columns that come in are to be noted.
    """

    def __init__(self, link: Link) -> None:
        self._module = link.module
        self.x: Array
        self.enters = False
        self.entering: Columns | None = None
        self.finite = True
        self.spread: float | None = None
        self.units = self.dead = self.lost = self.saturated = 0

    def take(self, y: Array) -> None:
        """Look at what x has become."""
        x = self.x
        if self.enters:
            self.entering = _columns(x)
        self.finite, self.spread = bool(np.isfinite(y).all()), _spread(y)
        if isinstance(self._module, Activation) and self.finite:
            self._count_units(self._module, x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1]))

    def _count_units(self, activation: Activation, z: Array, a: Array) -> None:
        dead = (a == 0).all(axis=0)
        lost = dead & (z.max(axis=0) < -_REACH * _spread(z))
        self.units, self.dead, self.lost = a.shape[-1], int(dead.sum()), int(lost.sum())
        if bounds := _bounds(activation):
            near = _NEAR * (bounds[1] - bounds[0])
            at_bound = ((a < bounds[0] + near) | (a > bounds[1] - near)).mean(axis=0) > _ROWS
            self.saturated = int((at_bound & ~dead).sum())


def _columns(x: Array) -> Columns:
    x = x.reshape(-1, x.shape[-1]).astype(np.float64)
    flags = ((x == 0) | (x == 1)).all(axis=0)
    return Columns(x.mean(axis=0), x.std(axis=0), x.min(axis=0), x.max(axis=0), flags)


def _spread(y: Array) -> float:
    """Return the standard deviation over rows, as the root mean square over units."""
    return float(np.sqrt(np.var(y.astype(np.float64), axis=0).mean()))


def _bounds(activation: Activation) -> tuple[float, float] | None:
    """Return what an activation's output lies between, if it has two bounds and reaches them: −1 and 1 for tanh."""
    ends = activation.f(np.array([[-1e6], [-1e5], [1e5], [1e6]]))[:, 0]
    steps = np.abs(np.diff(ends))
    reaches = steps[0] < _NEAR and steps[2] < _NEAR and steps[1] > _NEAR
    return (float(ends.min()), float(ends.max())) if reaches else None
