"""What is wrong with the course of a training, read off its loss curves, and with the scale of the numbers to learn."""

from collections.abc import Iterator, Sequence

import numpy as np

from modnet.base import Loss
from modnet.diagnosis.finding import Finding
from modnet.diagnosis.signals import Look

_MIN_EPOCHS = 5
"""How many epochs it takes to tell how a loss develops."""

_RISE = 0.1
"""A loss may rise again by this share of what it has fallen."""

_VISIBLE = 0.05
"""A rise counts if it is at least this share of the loss."""

_APART = 1.2
"""How much higher than its lowest value a validation loss may end."""

_LEVEL = 30.0
"""How large a target may be, in mean or standard deviation."""

_TINY = 0.03
"""How small its standard deviation may be: below, `tol` ends training before anything is learnt."""

_EXPLAINED = 0.3
"""The share of a target's variance that a fitted network has to explain for its scale to do no harm."""


def rising_loss(curve: Sequence[float], learning_rate: float | None) -> Iterator[Finding]:
    """Yield a finding if a training loss rises again, or jumps up and down.

    Examples
    --------
    >>> [finding.check for finding in rising_loss([1.0, 0.9, 1.4, 2.0, 3.5], 0.5)]
    ['learning-rate']
    >>> list(rising_loss([1.0, 0.5, 0.3, 0.2, 0.21], 0.001))
    []
    """
    lower = "lower it" if learning_rate is None else f"{learning_rate:.3g}, try {learning_rate / 10:.2g}"
    rate = f"learning rate: {lower}; or a schedule, or clip_norm=1"
    if not np.isfinite(curve).all():
        yield Finding("learning-rate", "problem", "loss_curve_", "the training loss became inf or NaN", rate)
        return
    if len(curve) < _MIN_EPOCHS or learning_rate is None:
        return
    best = int(np.argmin(curve))
    fallen, risen = curve[0] - curve[best], curve[-1] - curve[best]
    ups = float(np.maximum(np.diff(curve), 0).sum())
    visible = _VISIBLE * max(map(abs, curve))
    if risen > max(_RISE * fallen, visible):
        told = f"the training loss was lowest in epoch {best + 1} ({curve[best]:.3g}) and rose to {curve[-1]:.3g} since"
        yield Finding("learning-rate", "problem", "loss_curve_", told, rate)
    elif ups > max(fallen, visible):
        told = f"the training loss jumps: it rose by {ups:.3g} in all to fall by {fallen:.3g}"
        yield Finding("learning-rate", "note", "loss_curve_", told, rate)


def overfitting(training: Sequence[float], validation: Sequence[float], *, kept_best: bool) -> Iterator[Finding]:
    """Yield a finding if the validation loss rises while the training loss falls.

    Parameters
    ----------
    training, validation : sequence of float
        Losses per epoch.
    kept_best : bool
        Whether the weights of the best epoch were put back, so that it did no harm.

    Examples
    --------
    >>> [finding.found for finding in overfitting([1, 0.5, 0.1, 0.05, 0.01], [1, 0.6, 0.8, 1, 1.5], kept_best=False)]
    ['the validation loss was lowest in epoch 2 (0.6) and is 1.5 now, while the training loss fell from 0.5 to 0.01']
    """
    if (
        len(validation) < _MIN_EPOCHS
        or kept_best
        or not (np.isfinite(training).all() and np.isfinite(validation).all())
    ):
        return
    best = int(np.argmin(validation))
    risen = validation[-1] - validation[best]
    if risen > (_APART - 1) * abs(validation[best]) and risen > _VISIBLE * max(map(abs, validation)):
        fell = f"the training loss fell from {training[best]:.3g} to {training[-1]:.3g}"
        yield Finding(
            "overfitting",
            "note",
            "validation_loss_curve_",
            f"the validation loss was lowest in epoch {best + 1} ({validation[best]:.3g}) and is {validation[-1]:.3g} "
            f"now, while {fell}",
            "early_stopping=True keeps the weights of the best epoch; or raise alpha, add dropout, use fewer units",
        )


def target_scale(look: Look, loss: Loss, *, fitted: bool) -> Iterator[Finding]:
    """Yield a finding if the numbers to learn are so large or small that it keeps the network from learning them."""
    t = look.truth.astype(np.float64)
    if not look.rows or not np.isfinite(look.raw).all() or not _is_linear(loss, look.raw.shape[-1]):
        return
    mean, std = t.mean(axis=0), t.std(axis=0)
    level = float(np.maximum(np.abs(mean), std).max())
    tiny = float(std.max())
    if not (level > _LEVEL or 0 < tiny < _TINY):
        return
    found = f"mean {mean[np.abs(mean).argmax()]:.3g}, standard deviation {tiny:.2g}"
    if fitted:
        varies = std > 0
        errors = ((loss.predict(look.raw) - t) ** 2).mean(axis=0)
        explained = float((1 - errors[varies] / std[varies] ** 2).mean()) if varies.any() else 1.0
        if explained > _EXPLAINED:
            return
        found += f", and the network explains {max(explained, 0):.0%} of the variance"
    yield Finding(
        "target-scale",
        "problem",
        "y",
        f"{found}: " + ("steps are too small to get there" if level > _LEVEL else "tol is larger than what is to gain"),
        "scale it: TransformedTargetRegressor(model, transformer=StandardScaler())",
    )


def _is_linear(loss: Loss, width: int) -> bool:
    """Return whether a loss predicts on the scale of the raw output, and not its exponential or the like."""
    return bool(np.isclose(loss.predict(np.full((1, width), -2.0)), -2.0).any())
