"""Layers that work on each element alone: noise in training, such as dropout, and bounds.

In prediction, noise layers let everything through. The random numbers of a forward pass are kept for its backward pass.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self, final

import numpy as np
from pydantic import Field, model_validator

from modnet import Array, Context, Graph, Value
from modnet_standard.layers.inputs import Elementwise

__all__ = ["AlphaDropout", "Clip", "Dropout", "GaussianDropout", "GaussianNoise", "SmoothClip"]


class MaskedNoise(Elementwise):
    """Noise that multiplies: what comes back is multiplied by the factors of the forward pass, ∂J/∂x = dy ∘ m.

    Parameters
    ----------
    rate : float
        How strong the noise is, in [0, 1); with 0 there is none.
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    rate: Annotated[float, Field(ge=0, lt=1)] = 0.5

    @abstractmethod
    def noisy(self, ctx: Context, x: Array) -> Array:
        """Return what training makes of x, with the factors m in scratch memory called "mask".

        Parameters
        ----------
        ctx : Context
            Of a training pass.
        x : ndarray, shape (n, …)
            Not to be changed.

        Returns
        -------
        ndarray, shape of x
            With noise.
        """

    @final
    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x with noise in training, else x."""
        return self.noisy(ctx, x) if ctx.training and self.rate else x

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x

    @final
    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ m in training, else dy."""
        if not (ctx.training and self.rate):
            return dy
        return np.multiply(dy, ctx.scratch("mask", dy.shape, dy.dtype), out=ctx.dx)


class Dropout(MaskedNoise):
    """Inverted dropout: y = x ∘ m / (1 − rate) in training, where m is 1 with probability 1 − rate; y = x otherwise.

    The expectation of y is x, so prediction needs no scaling. The derivative has the same mask:
    ∂J/∂x = dy ∘ m / (1 − rate).

    Parameters
    ----------
    rate : float
        Probability that an element is dropped, in [0, 1).

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov (2014), Dropout: a simple way to prevent neural networks
    from overfitting, JMLR 15, sec. 4 and 10 (inverted scaling).

    Examples
    --------
    >>> from modnet.layers import Dropout
    >>> Dropout(0.2)
    Dropout(rate=0.2)
    >>> Dropout(1.0)
    Traceback (most recent call last):
    ...
    modnet.errors.InvalidSpecError: Dropout: rate: should be less than 1, got 1.0
    """

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it dropping half of its input, some and nothing."""
        return (cls(), cls(0.2), cls(0.0))

    def noisy(self, ctx: Context, x: Array) -> Array:
        """Return x ∘ m / (1 − rate)."""
        return np.multiply(x, drawn_mask(ctx, x, self.rate, 1 / (1 - self.rate)), out=ctx.out)


_ALPHA = 1.7580993408473766
"""λα of SELU: −λα is the value it saturates at, and what a dropped element is set to."""


class AlphaDropout(MaskedNoise):
    """Dropout for SELU: y = a (x ∘ m − λα (1 − m)) + b in training, where m is 1 with probability 1 − rate; else y = x.

    a = 1 / √((1 − rate) (1 + rate (λα)²)) and b = a λα rate keep mean 0 and variance 1 as they are. The derivative has
    the same mask: ∂J/∂x = a dy ∘ m.

    Parameters
    ----------
    rate : float
        Probability that an element is dropped, in [0, 1).

    References
    ----------
    Klambauer, Unterthiner, Mayr & Hochreiter (2017), Self-normalizing neural networks, NeurIPS 30.

    Examples
    --------
    >>> from modnet.layers import AlphaDropout, Dense
    >>> [Dense(64, activation="tanh"), AlphaDropout(0.1)][1]
    AlphaDropout(rate=0.1)
    """

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it dropping half of its input, some and nothing."""
        return (cls(), cls(0.1), cls(0.0))

    def noisy(self, ctx: Context, x: Array) -> Array:
        """Return (x + λα) ∘ a m + b − a λα."""
        a = 1 / math.sqrt((1 - self.rate) * (1 + self.rate * _ALPHA**2))
        y: Array = np.add(x, _ALPHA, out=ctx.out)
        np.multiply(y, drawn_mask(ctx, x, self.rate, a), out=y)
        return np.add(y, a * _ALPHA * (self.rate - 1), out=y)


class GaussianDropout(MaskedNoise):
    """Multiplicative noise: y = x ∘ m with m ~ N(1, rate / (1 − rate)) in training; y = x otherwise.

    Mean and variance of m are those of dropout's mask at the same rate, and no element is lost altogether. The
    derivative has the same noise: ∂J/∂x = dy ∘ m.

    Parameters
    ----------
    rate : float
        Rate of the dropout that it stands for, in [0, 1).

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov (2014), Dropout: a simple way to prevent neural networks
    from overfitting, JMLR 15, sec. 10.

    Examples
    --------
    >>> from modnet.layers import GaussianDropout
    >>> GaussianDropout(0.2)
    GaussianDropout(rate=0.2)
    """

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with noise and without."""
        return (cls(), cls(0.0))

    def noisy(self, ctx: Context, x: Array) -> Array:
        """Return x ∘ m."""
        mask = ctx.scratch("mask", x.shape, x.dtype)
        ctx.rng.standard_normal(dtype=x.dtype.type, out=mask)
        np.multiply(mask, math.sqrt(self.rate / (1 - self.rate)), out=mask)
        np.add(mask, 1, out=mask)
        return np.multiply(x, mask, out=ctx.out)


class GaussianNoise(Elementwise):
    """Additive noise: y = x + ε with ε ~ N(0, stddev²) for each element in training; y = x otherwise.

    The noise does not depend on x: ∂J/∂x = dy. On inputs it acts like a penalty on the slope of the network.

    Parameters
    ----------
    stddev : float
        Standard deviation of the noise, ≥ 0, in units of x.

    References
    ----------
    Bishop (1995), Training with noise is equivalent to Tikhonov regularization, Neural Computation 7.

    Examples
    --------
    >>> from modnet.layers import GaussianNoise
    >>> GaussianNoise(0.05)
    GaussianNoise(stddev=0.05)
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    stddev: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.1

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with noise and without."""
        return (cls(), cls(0.0))

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x + ε in training, else x."""
        if not ctx.training or self.stddev == 0:
            return x
        noise = ctx.scratch("noise", x.shape, x.dtype)
        ctx.rng.standard_normal(dtype=x.dtype.type, out=noise)
        np.multiply(noise, self.stddev, out=noise)
        return np.add(x, noise, out=ctx.out)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy."""
        return dy


def drawn_mask(ctx: Context, x: Array, rate: float, kept: float) -> Array:
    """Return the mask of x, drawn anew: 0 with probability `rate`, `kept` otherwise."""
    uniform = ctx.scratch("uniform", x.shape, x.dtype)
    ctx.rng.random(dtype=x.dtype.type, out=uniform)
    mask = ctx.scratch("mask", x.shape, x.dtype)
    np.greater_equal(uniform, rate, out=mask)
    return np.multiply(mask, kept, out=mask)


Bound = Annotated[float, Field(allow_inf_nan=False)]


class Clip(Elementwise):
    """Values held between two bounds: y = min(max(x, low), high), ∂J/∂x = dy where low ≤ x ≤ high, else 0.

    Parameters
    ----------
    low, high : float, optional
        The bounds, low ≤ high; None: there is none on that side. One of them is needed.

    Raises
    ------
    InvalidSpecError
        If there is no bound, or low is above high.

    Examples
    --------
    >>> from modnet.layers import Clip
    >>> Clip(-3.0, 3.0)
    Clip(low=-3.0, high=3.0)
    >>> Clip(high=10.0)
    Clip(high=10.0)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x", "y"})
    fixed: ClassVar[bool] = True

    low: Bound | None = None
    high: Bound | None = None

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with both bounds and with one of them."""
        return (cls(-1.0, 0.5), cls(low=-0.5), cls(high=0.5))

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("low, high or both should be given")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low should be at most high, got low={self.low}, high={self.high}")
        return self

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return min(max(x, low), high)."""
        return np.clip(x, self.low, self.high, out=ctx.out)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x.clip(self.low, self.high)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy where y = x, else 0."""
        return np.multiply(dy, np.equal(ctx.x, ctx.y), out=ctx.dx)


class SmoothClip(Elementwise):
    """Values squeezed smoothly into (−limit, limit): y = x / √(1 + (x/limit)²), ∂J/∂x = dy / (1 + (x/limit)²)^(3/2).

    Behind a layer that standardizes or scales, it keeps outliers from ruling the network.

    Parameters
    ----------
    limit : float
        The bound that |y| stays below, > 0.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data, NeurIPS 37 (with limit 3).

    Examples
    --------
    >>> from modnet.layers import SmoothClip
    >>> SmoothClip(), SmoothClip(2.0)
    (SmoothClip(), SmoothClip(limit=2.0))
    """

    reads: ClassVar[frozenset[str]] = frozenset()
    fixed: ClassVar[bool] = True

    limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3.0

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x r with r = 1 / √(1 + (x/limit)²)."""
        r = ctx.scratch("r", x.shape, x.dtype)
        np.divide(x, self.limit, out=r)
        np.square(r, out=r)
        np.add(r, 1, out=r)
        np.sqrt(r, out=r)
        np.reciprocal(r, out=r)
        return np.multiply(x, r, out=ctx.out)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        z = x / self.limit
        return x / (1 + z * z).sqrt()

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy r³."""
        r = ctx.scratch("r", dy.shape, dy.dtype)
        dx: Array = np.multiply(r, r, out=ctx.dx)
        np.multiply(dx, r, out=dx)
        return np.multiply(dx, dy, out=dx)
