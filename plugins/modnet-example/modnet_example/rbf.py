"""RBF: a layer of radial basis functions, bumps around centres that are learnt together with their widths."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Context, Count, Graph, Initializer, Module, Parameter, Shape, Value
from modnet.errors import ShapeError


class RBF(Module):
    """Gaussian bumps: yⱼ = exp(−γⱼ Dⱼ) with Dⱼ = ‖x − cⱼ‖² and γⱼ = exp(gⱼ), which keeps it positive.

    With e = ∂J/∂D = −γ ∘ y ∘ dy the derivatives are ∂J/∂g = Σ rows e ∘ D, ∂J/∂C = 2 (C ∘ Σ rows e − xᵀ e) and
    ∂J/∂x = 2 (x ∘ Σⱼ eⱼ − e Cᵀ); the columns of C are the centres.

    Parameters
    ----------
    units : int
        Number of bumps, ≥ 1.
    width : float
        The first width of every bump, > 0, in units of √n_in, the typical distance of standardized rows from the
        origin: γ starts at 1 / (2 width² n_in).
    spread : float
        Standard deviation of the first centres in each feature, > 0; 1 is for standardized inputs.

    Raises
    ------
    ShapeError
        If rows have no axis of features.

    References
    ----------
    Moody & Darken (1989), Fast learning in networks of locally-tuned processing units, Neural Computation 1.
    Poggio & Girosi (1990), Networks for approximation and learning, Proceedings of the IEEE 78 (learnt centres).

    Examples
    --------
    >>> from modnet_example import RBF
    >>> RBF(32, width=0.5).output_shape((4,))
    (32,)
    >>> {name: each.shape for name, each in RBF(32).parameters((4,)).items()}
    {'C': (4, 32), 'g': (1, 32)}
    """

    units: Count
    width: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.5
    spread: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with several bumps, and with one that is wide."""
        return (cls(4), cls(1, width=2.0, spread=0.1))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, units)."""
        if not input_shape:
            raise ShapeError("expected rows with an axis of features, got rows of shape ()")
        return (*input_shape[:-1], self.units)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return the centres C, shape (n_in, units), and g = log γ, shape (1, units); a penalty would move both."""
        g = -math.log(2 * self.width**2 * input_shape[-1])
        return {
            "C": Parameter((input_shape[-1], self.units), _Normal(scale=self.spread), regularized=False),
            "g": Parameter((1, self.units), _Normal(mean=g), regularized=False),
        }

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = exp(−γ ∘ D)."""
        C = ctx.p.C
        D = ctx.scratch("D", (*x.shape[:-1], self.units), x.dtype)
        # D = ‖x‖² − 2 x C + ‖c‖²: one matrix product, and rounding that may fall below zero.
        np.matmul(x, C, out=D)
        D *= -2
        D += np.square(x).sum(axis=-1, keepdims=True)
        D += np.square(C).sum(axis=-2, keepdims=True)
        np.maximum(D, 0, out=D)
        y: Array = np.multiply(D, -np.exp(ctx.p.g), out=ctx.out)
        return np.exp(y, out=y)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        C = graph.p.C
        D = (x * x).sum() - 2 * (x @ C) + (C * C).sum(axis=0)
        return (-graph.p.g.exp() * D.clip(0.0)).exp()

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂g = Σ rows e ∘ D and ∂J/∂C = 2 (C ∘ Σ rows e − xᵀ e)."""
        e, D = self._e(ctx, dy), ctx.scratch("D", dy.shape, dy.dtype)
        # Rows may have several axes: all but the last, which is that of features, are summed over.
        e, D, x = (each.reshape(-1, each.shape[-1]) for each in (e, D, ctx.x))
        np.sum(e * D, axis=0, keepdims=True, out=ctx.g.g)
        np.multiply(ctx.p.C, e.sum(axis=0, keepdims=True), out=ctx.g.C)
        np.subtract(ctx.g.C, x.T @ e, out=ctx.g.C)
        np.multiply(ctx.g.C, 2, out=ctx.g.C)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = 2 (x ∘ Σⱼ eⱼ − e Cᵀ)."""
        e = self._e(ctx, dy)
        dx: Array = np.multiply(ctx.x, e.sum(axis=-1, keepdims=True), out=ctx.dx)
        np.subtract(dx, e @ ctx.p.C.mT, out=dx)
        return np.multiply(dx, 2, out=dx)

    @staticmethod
    def _e(ctx: Context, dy: Array) -> Array:
        """Return e = ∂J/∂D = −γ ∘ y ∘ dy."""
        e: Array = ctx.y * dy
        e *= -np.exp(ctx.p.g)
        return e


class _Normal(Initializer):
    """N(mean, scale²); a scale of zero gives the mean itself."""

    mean: float = 0.0
    scale: Annotated[float, Field(ge=0)] = 0.0

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return N(mean, scale²)."""
        return rng.normal(self.mean, self.scale, shape)
