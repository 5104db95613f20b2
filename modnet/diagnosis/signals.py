"""What a network does to data in one pass forward and backward, and what is wrong with what each link does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modnet.base import Activation, Array, Loss
from modnet.diagnosis import Finding, Severity
from modnet.network import Network, Pass
from modnet.network.link import Link
from modnet.text import counted
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

_ENOUGH_ROWS = 20
"""How many rows it takes to tell whether a unit is dead or saturated."""

_DEAD = 0.4, 0.8
"""The share of a layer's units from which on dead ones are a note, and a problem. Of networks that learnt two columns
well, up to 0.3 of the units were dead."""

_SATURATED = 0.2, 0.5
"""The share from which on saturated units are a note, and a problem. Networks that learnt well had none."""

_VANISHES = 1e-3
"""Below which ratio of the gradient of the first layer to that of the last, or of the signal behind the last hidden
layer to that in front of the first, one vanishes."""

_GRADIENT_EXPLODES, _SIGNAL_EXPLODES = 1e3, 100.0
"""Above which ratio each of them explodes."""

_IF_DEAD = (
    "centre and scale the inputs, lower the learning rate, or use leaky_relu, elu or gelu; after training dead units "
    "stay dead: fit anew"
)
_IF_SATURATED = (
    "scale the inputs, start from smaller weights (glorot_uniform), raise alpha, or use relu or a normalization in "
    "front"
)
_IF_IT_VANISHES = (
    "put 'batch_norm' or 'layer_norm' between layers, use Residual blocks or fewer layers; relu, gelu or selu where "
    "there is sigmoid"
)
_IF_IT_EXPLODES = (
    "start from smaller weights (kernel_initializer='auto'), lower the learning rate, clip gradients (clip_norm), or "
    "put 'batch_norm' or 'layer_norm' between layers"
)


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
    entering : ndarray of float64, shape (n, n_features), or None
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
    entering: Array | None = None
    first: bool = field(default=False, repr=False)
    seen: bool = field(default=False, repr=False)

    def see(self, name: str, array: Array) -> None:
        """Note what went in, "x", and what came out, "y"."""
        if name == "x":
            self._x = array
        elif name == "y":
            x, y = self._x, array
            self.entering = x.reshape(-1, x.shape[-1]).astype(np.float64) if self.first else None
            self.seen, self.finite, self.spread = True, bool(np.isfinite(y).all()), _spread(y)
            if isinstance(self.link.module, Activation) and self.finite:
                self._count_units(self.link.module, x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1]))

    def _count_units(self, activation: Activation, z: Array, a: Array) -> None:
        dead = (a == 0).all(axis=0)
        lost = dead & (z.max(axis=0) < -_REACH * _spread(z))
        self.units, self.dead, self.lost = a.shape[-1], int(dead.sum()), int(lost.sum())
        # It has two bounds and reaches them if it hardly changes at both ends: −1 and 1 for tanh.
        ends = activation.f(np.array([[-1e6], [-1e5], [1e5], [1e6]]))[:, 0]
        steps, low, high = np.abs(np.diff(ends)), ends.min(), ends.max()
        if steps[0] < _NEAR and steps[2] < _NEAR and steps[1] > _NEAR:
            near = _NEAR * (high - low)
            at_bound = ((a < low + near) | (a > high - near)).mean(axis=0) > _ROWS
            self.saturated = int((at_bound & ~dead).sum())


@dataclass(frozen=True)
class Observation:
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


def observe(estimator: Any, data: Data) -> Observation:
    """Send rows through an estimator's network as training does, and note what every link does.

    Parameters
    ----------
    estimator : ModNetClassifier, ModNetRegressor, …
        With `network_`, `theta_`, `state_` and `spec_`; not changed.
    data : Data
        Of many rows some are chosen, always the same ones.

    Returns
    -------
    Observation
        Without gradients if the loss is not finite.
    """
    network: Network = estimator.network_
    loss: Loss = estimator.spec_.loss
    data, gradient = _some_rows(data, network), np.zeros_like(estimator.theta_)
    outer = {id(link) for link in network.links}
    weighing = {id(link) for link in network.walk() if _weighs(link, network)}
    entries = {id(link) for link in _first_weighing(network.links, weighing)[0]}
    signals = {
        id(link): Signal(link, nested=id(link) not in outer, weighs=id(link) in weighing, first=id(link) in entries)
        for link in network.walk()
    }

    def see(link: Link, name: str, array: Array) -> None:
        signals[id(link)].see(name, array)

    # Whether something overflows is what is looked for.
    with np.errstate(all="ignore"):
        state = estimator.state_.copy()
        running = Pass(network, estimator.theta_, state, gradient=gradient, rows=len(data), training=True, hook=see)
        raw = running.forward(data.x)
        value, draw = loss.value_and_gradient(data.t, raw, weight=data.weight)
        if np.isfinite(value):
            running.backward(draw)
            for signal in signals.values():
                own = [place.view(gradient).ravel() for place in signal.link.places.values()]
                signal.gradient = float(np.linalg.norm(np.concatenate(own).astype(np.float64))) if own else None
    return Observation(
        len(data), float(value), raw, data.t, tuple(signal for signal in signals.values() if signal.seen)
    )


def _some_rows(data: Data, network: Network) -> Data:
    """Return as many rows as a pass has memory for, dense, and always the same ones."""
    per_row = sum(int(np.prod(link.input_shape) + np.prod(link.output_shape)) for link in network.walk())
    rows = max(_MIN_ROWS, _ELEMENTS // max(1, per_row))
    if len(data) > rows:
        data = data.take(np.sort(np.random.default_rng(0).choice(len(data), rows, replace=False)))
    return data if isinstance(data.x, np.ndarray) else Data(data.x.toarray(), data.t, data.weight)


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


# Findings


def broken_numbers(look: Observation) -> Iterator[Finding]:
    """Yield a finding if the loss is inf or NaN, naming the first layer whose output is."""
    if np.isfinite(look.loss):
        return
    first = next((signal.link.title for signal in look.signals if not signal.finite), None)
    where = "this output is the first that is not finite" if first else "every layer's output is finite"
    remedy = "scale the inputs and targets, and lower the learning rate; start from new weights"
    yield Finding("loss-not-finite", "problem", first or "loss", f"the loss is {look.loss}; {where}", remedy)


def idle_units(look: Observation, *, learnt: bool = False) -> Iterator[Finding]:
    """Yield the layers with many units whose slope is 0: dead ones, and hidden ones at the ends of a sigmoid.

    No gradient reaches the weights in front of such a unit, so it learns no more. Of a network that has `learnt`, some
    may be at a bound: a third were in networks that L-BFGS had brought to a minimum.
    """
    hidden = _hidden(look.signals)
    for signal in look.signals:
        if look.rows < _ENOUGH_ROWS or not signal.units:
            continue
        dead, saturated = signal.dead / signal.units, signal.saturated / signal.units
        title, units = signal.link.title, counted(signal.units, "unit")
        if dead >= _DEAD[0] or signal.lost:
            found = f"{signal.dead:,} of {units} ({dead:.0%}) are 0 on all {look.rows:,} rows"
            if 0 < signal.lost < signal.units:
                found += f", {signal.lost:,} of them with inputs far below"
            if signal.dead == signal.units:
                found += "; nothing gets through"
            yield Finding("dead-units", "problem" if dead >= _DEAD[1] else "note", title, found, _IF_DEAD)
        if saturated >= _SATURATED[learnt] and signal in hidden:
            found = f"{signal.saturated:,} of {units} ({saturated:.0%}) are at a bound in more than 95 % of the rows"
            severity: Severity = "problem" if saturated >= _SATURATED[1] else "note"
            yield Finding("saturated-units", severity, title, found, _IF_SATURATED)


def gradients(look: Observation, *, compared: bool) -> Iterator[Finding]:
    """Yield a finding if gradients or signals vanish or explode on their way through the layers.

    Parameters
    ----------
    look : Observation
    compared : bool
        Whether one layer's gradient tells anything beside another's: not where the inputs are known not to be scaled,
        nor at a minimum, where all of them are noise.
    """
    hidden = _hidden(look.signals)
    if any(signal.units and signal.dead == signal.units for signal in hidden):
        return  # a layer that is dead as a whole is the reason, and is named
    weighing = [(signal.gradient, signal) for signal in look.signals if signal.weighs and signal.gradient is not None]
    if len(weighing) < 2:
        return
    (near, first), (far, last) = weighing[0], weighing[-1]
    behind = [signal.spread for signal in hidden if not signal.nested]
    start = max((_spread(each.entering) for each in look.signals if each.entering is not None), default=first.spread)
    growth = behind[-1] / start if behind and start > 0 else 1.0
    ratio = near / far if far > 0 else 1.0
    compares = ratio if compared else 1.0
    told = (
        f"‖∂J/∂θ‖ is {near:.2g} in {first.link.path} and {far:.2g} in {last.link.path} (ratio {ratio:.1g}); rows "
        f"differ {growth:.1g} times as much behind the last hidden layer as in front of the first"
    )
    if compares < _VANISHES or growth < _VANISHES:
        check, remedy = "vanishing-gradient", _IF_IT_VANISHES
    elif growth > _SIGNAL_EXPLODES or compares > _GRADIENT_EXPLODES:
        check, remedy = "exploding-gradient", _IF_IT_EXPLODES
    else:
        return
    yield Finding(check, "problem", f"{first.link.path} to {last.link.path}", told, remedy)


def _hidden(signals: Sequence[Signal]) -> Sequence[Signal]:
    """Return the signals in front of the last layer with weights."""
    last = max((index for index, signal in enumerate(signals) if signal.weighs), default=0)
    return signals[:last]
