"""Periodic: sines and cosines of every feature, with frequencies that are learnt."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Context, Count, Graph, Module, Parameter, Shape, Value
from modnet.initializers import Normal
from modnet_tabular.arrays import features


class Periodic(Module):
    """Periodic embeddings of features: yⱼ = [sin 2πcⱼxⱼ, cos 2πcⱼxⱼ] with learnt frequencies cⱼ.

    A plain network learns what is smooth first and what swings fast late or never; its weights only have to choose
    among swings here. With v = 2πcx the derivatives are dv = dy_sin ∘ cos v − dy_cos ∘ sin v, ∂J/∂c = 2π Σ rows x dv
    and ∂J/∂x = 2π Σ frequencies c dv.

    Parameters
    ----------
    frequencies : int
        Number k of frequencies per feature, ≥ 1; the output has 2k columns per feature, sines first.
    sigma : float
        Standard deviation of the first frequencies, > 0, in periods per unit of the feature. It matters more than
        anything else here: the larger, the faster the swings that are learnt, and the noise that is fitted. Search
        for it, in powers of ten; the default is slow.

    Raises
    ------
    ShapeError
        If the input has more than one axis per row.

    References
    ----------
    Gorishniy, Rubachev & Babenko (2022), On embeddings for numerical features in tabular deep learning, NeurIPS 35,
    sec. 3.3; defaults as in the authors' package rtdl_num_embeddings.

    Examples
    --------
    >>> from modnet_tabular import Periodic
    >>> Periodic(16, sigma=0.1).output_shape((3,))
    (96,)
    """

    frequencies: Count = 48
    sigma: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return slow swings and fast ones."""
        return (cls(4), cls(3, sigma=0.3))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return small numbers: where x is large, a tiny step in c takes the sine out of what differences can tell."""
        return rng.normal(scale=0.1, size=(n, 5))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (d · 2k,) for d features."""
        return (features(input_shape) * 2 * self.frequencies,)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return c, shape (d, k), not regularized: a penalty would slow the swings down."""
        return {"c": Parameter((features(input_shape), self.frequencies), Normal(stddev=self.sigma), regularized=False)}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return [sin v, cos v] with v = 2πcx."""
        v = np.multiply(x[..., np.newaxis], 2 * math.pi * ctx.p.c, out=self._v(ctx, x))
        y = np.empty((len(x), x.shape[-1] * 2 * self.frequencies), x.dtype) if ctx.out is None else ctx.out
        sine, cosine = self._halves(y)
        np.sin(v, out=sine)
        np.cos(v, out=cosine)
        return y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        d = graph.input_shape[0]
        v = x.reshape(0, d, 1) * (2 * math.pi * graph.p.c)
        return graph.concat([graph.op("Sin", v), graph.op("Cos", v)]).reshape(0, d * 2 * self.frequencies)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂c = 2π Σ rows x dv, with dv = dy_sin ∘ cos v − dy_cos ∘ sin v."""
        (sine, cosine), (dsine, dcosine) = self._halves(ctx.y), self._halves(dy)
        dv = np.multiply(dsine, cosine, out=self._v(ctx, ctx.x))
        dv -= np.multiply(dcosine, sine, out=ctx.scratch("product", dv.shape, dv.dtype))
        dc = ctx.g.c[:, np.newaxis]
        np.matmul(ctx.x.T[:, np.newaxis], dv.swapaxes(0, 1), out=dc)
        np.multiply(dc, 2 * math.pi, out=dc)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = Σ frequencies 2πc dv."""
        dv = self._v(ctx, ctx.x)
        dx = np.empty(dv.shape[:-1], dv.dtype) if ctx.dx is None else ctx.dx
        np.matmul(dv.swapaxes(0, 1), (2 * math.pi * ctx.p.c)[..., np.newaxis], out=dx.T[..., np.newaxis])
        return dx

    def _v(self, ctx: Context, x: Array) -> Array:
        """Return memory for v, and then dv, shape (n, d, k)."""
        return ctx.scratch("v", (*x.shape, self.frequencies), x.dtype)

    def _halves(self, y: Array) -> tuple[Array, Array]:
        """Return the sines and the cosines in y as views, shape (n, d, k)."""
        k = self.frequencies
        halves = y.reshape(len(y), y.shape[-1] // (2 * k), 2 * k)
        return halves[..., :k], halves[..., k:]
