"""Huber: squared error close by, absolute error far off."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array
from modnet_standard.losses.averages import AveragedLoss


class Huber(AveragedLoss):
    """Huber's loss of e = ŷ − y: J = ½e² where |e| ≤ δ, else δ(|e| − ½δ); ∂J/∂ŷ = e, cut off at ±δ.

    Summed over outputs, averaged over rows. The derivative has no jump, and no row pulls harder than δ.

    Parameters
    ----------
    delta : float
        δ, the error from which on J grows linearly, > 0; in units of the target.

    References
    ----------
    Huber (1964), Robust estimation of a location parameter, Annals of Mathematical Statistics 35.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import Huber
    >>> t, raw = np.array([[0.0], [0.0]]), np.array([[1.0], [-10.0]])
    >>> Huber(2.0).value(t, raw), Huber(2.0).gradient(t, raw).tolist()
    (9.25, [[0.5], [-1.0]])
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    delta: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return one with few errors beyond δ and one with many."""
        return (cls(), cls(0.1))

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return c (e − ½c) and c, which is e cut off at ±δ."""
        e = raw - t
        c = np.clip(e, -self.delta, self.delta)
        return c * (e - 0.5 * c), c

    def predict(self, raw: Array) -> Array:
        """Return the raw output: the link is the identity."""
        return raw
