"""Gaussian negative log-likelihood: predicts the mean of a target and its standard deviation."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array, DensityLoss
from modnet_standard.losses.averages import AveragedLoss
from modnet_standard.losses.classes import softplus_and_sigmoid


class GaussianNLL(AveragedLoss, DensityLoss):
    """The negative log-likelihood of a normal target: J = ½ (log v + (t − μ)²/v), variance v = log(1 + e^s) + ε.

    Summed over outputs, averaged over rows; the constant ½ log 2π is left out. For k targets the raw output has 2k
    columns, μ of all of them, then s of all of them. The derivatives are ∂J/∂μ = (μ − t)/v and
    ∂J/∂s = ½ (1 − (t − μ)²/v) σ(s)/v.

    Parameters
    ----------
    epsilon : float
        ε, the least variance, > 0: it keeps J bounded where a target is met exactly. In units of the target, squared.

    References
    ----------
    Nix & Weigend (1994), Estimating the mean and variance of the target probability distribution, ICNN.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import GaussianNLL
    >>> loss, raw = GaussianNLL(), np.array([[2.0, -1.0, 0.5413, 3.9815]])  # two targets
    >>> loss.predict(raw), np.round(loss.predict_std(raw), 3)
    (array([[ 2., -1.]]), array([[1., 2.]]))
    >>> round(loss.value(np.array([[2.0, 1.0]]), raw), 3)  # (log 1 + 0 + log 4 + 2² / 4) / 2
    1.193
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-6

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return one with a small ε and one with a large one."""
        return (cls(), cls(0.1))

    def width(self, targets: int) -> int:
        """Return two columns per target: μ and s."""
        return 2 * targets

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return ½ (log v + e²/v), and (e/v, ½ (1 − e²/v) σ(s)/v), e = μ − t."""
        k = raw.shape[-1] // 2
        e = raw[..., :k] - t
        v, slope = softplus_and_sigmoid(raw[..., k:])
        v += self.epsilon
        surprise = e * e / v
        draw = np.concatenate([e / v, 0.5 * (1 - surprise) * (slope / v)], axis=-1)
        return 0.5 * (np.log(v) + surprise), draw

    def predict(self, raw: Array) -> Array:
        """Return μ."""
        return raw[..., : raw.shape[-1] // 2]

    def predict_std(self, raw: Array) -> Array:
        """Return √v."""
        v = softplus_and_sigmoid(raw[..., raw.shape[-1] // 2 :])[0]
        v += self.epsilon
        return np.sqrt(v, out=v)
