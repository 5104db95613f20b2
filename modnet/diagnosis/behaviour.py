"""What is wrong with a network at work, read off the signals that were seen: dead and saturated units, gradients."""

from collections.abc import Iterator, Sequence

import numpy as np

from modnet.diagnosis.finding import Finding
from modnet.diagnosis.signals import Look, Signal
from modnet.text import counted

_MIN_ROWS = 20
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

_IF_IT_VANISHES = (
    "put 'batch_norm' or 'layer_norm' between layers, use Residual blocks or fewer layers; relu, gelu or selu where "
    "there is sigmoid"
)
_IF_IT_EXPLODES = (
    "start from smaller weights (kernel_initializer='auto'), clip gradients (clip_norm), or put 'batch_norm' or "
    "'layer_norm' between layers"
)


def broken_numbers(look: Look) -> Iterator[Finding]:
    """Yield a finding if the loss is inf or NaN, naming the first layer whose output is."""
    if np.isfinite(look.loss):
        return
    first = next((signal.link.title for signal in look.signals if not signal.finite), None)
    where = "this output is the first that is not finite" if first else "every layer's output is finite"
    yield Finding(
        "loss-not-finite",
        "problem",
        first or "loss",
        f"the loss is {look.loss}; {where}",
        "scale the inputs and targets, and lower the learning rate; start from new weights",
    )


def idle_units(look: Look) -> Iterator[Finding]:
    """Yield the layers with many units whose slope is 0: dead ones, and hidden ones at the ends of a sigmoid.

    No gradient reaches the weights in front of such a unit, so it learns no more.
    """
    hidden = _hidden(look.signals)
    for signal in look.signals:
        if look.rows < _MIN_ROWS or not signal.units:
            continue
        dead, saturated = signal.dead / signal.units, signal.saturated / signal.units
        units = counted(signal.units, "unit")
        if dead >= _DEAD[0] or signal.lost:
            nothing = "; nothing gets through" if signal.dead == signal.units else ""
            lost = f", {signal.lost:,} of them with inputs far below" if 0 < signal.lost < signal.units else ""
            yield Finding(
                "dead-units",
                "problem" if dead >= _DEAD[1] else "note",
                signal.link.title,
                f"{signal.dead:,} of {units} ({dead:.0%}) are 0 on all {look.rows:,} rows{lost}{nothing}",
                "centre and scale the inputs, lower the learning rate, or use leaky_relu, elu or gelu; after training "
                "dead units stay dead: fit anew",
            )
        if saturated >= _SATURATED[0] and signal in hidden:
            yield Finding(
                "saturated-units",
                "problem" if saturated >= _SATURATED[1] else "note",
                signal.link.title,
                f"{signal.saturated:,} of {units} ({saturated:.0%}) are at a bound in more than 95 % of the rows",
                "scale the inputs, start from smaller weights (glorot_uniform), raise alpha, or use relu or a "
                "normalization in front",
            )


def gradients(look: Look, *, unscaled: bool) -> Iterator[Finding]:
    """Yield a finding if gradients or signals vanish or explode on their way through the layers.

    Parameters
    ----------
    look : Look
    unscaled : bool
        Whether the inputs are known not to be scaled: that alone makes one layer's gradient larger than another's.
    """
    hidden = _hidden(look.signals)
    if any(signal.units and signal.dead == signal.units for signal in hidden):
        return  # a layer that is dead as a whole is the reason, and is named
    weighing = [signal for signal in look.signals if signal.weighs and signal.gradient is not None]
    if len(weighing) < 2:
        return
    first, last = weighing[0], weighing[-1]
    assert first.gradient is not None
    assert last.gradient is not None
    behind = [signal.spread for signal in hidden if not signal.nested]
    start = max((signal.entering.spread for signal in look.signals if signal.entering), default=first.spread)
    growth = behind[-1] / start if behind and start > 0 else 1.0
    ratio = first.gradient / last.gradient if last.gradient > 0 else 1.0
    compares = ratio if not unscaled else 1.0
    told = (
        f"‖∂J/∂θ‖ is {first.gradient:.2g} in {first.link.path} and {last.gradient:.2g} in {last.link.path} (ratio "
        f"{ratio:.1g}); rows differ {growth:.1g} times as much behind the last hidden layer as in front of the first"
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
