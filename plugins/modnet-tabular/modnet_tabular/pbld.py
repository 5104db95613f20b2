"""PBLD: periodic, bias, linear, dense: RealMLP's small embeddings of numbers, which keep the number itself."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array, Context, Count, Graph, Module, Parameter, Shape, Value
from modnet.initializers import Normal
from modnet_standard.arrays import column_sums, ones
from modnet_tabular.arrays import by_column, features
from modnet_tabular.first_values import Around, inverse_root


class PBLD(Module):
    """RealMLP's embeddings of features: yⱼ = [xⱼ, cos(2πwⱼxⱼ + bⱼ) Wⱼ + cⱼ] with learnt w, b, W and c.

    Cosines with a phase instead of sines and cosines, and the feature itself beside what is made of it, as in a
    DenseNet; so few columns do. With v = 2πwx + b and dh = dy Wᵀ for the cosines the derivatives are dv = −dh ∘ sin v,
    ∂J/∂w = 2π Σ rows x dv, ∂J/∂b = Σ rows dv, those of a dense layer for W and c, and
    ∂J/∂x = dy_x + 2π Σ frequencies w dv.

    Parameters
    ----------
    units : int
        Length of each yⱼ, the feature itself included, ≥ 2.
    frequencies : int
        Number of cosines per feature, ≥ 1.
    sigma : float
        Standard deviation of the first w, > 0, in periods per unit of the feature.

    Raises
    ------
    ShapeError
        If the input has more than one axis per row.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data, NeurIPS 37; defaults as for RealMLP-TD, whose learning rate is ten times smaller here than elsewhere.

    Examples
    --------
    >>> from modnet_tabular import PBLD
    >>> PBLD().output_shape((3,))
    (12,)
    >>> from modnet.optimizers import Adam
    >>> Adam(0.01, groups=[{"layers": "numbers", "factor": 0.1}]).groups  # with PBLD(name="numbers")
    (ParameterGroup(layers='numbers', factor=0.1),)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    units: Annotated[int, Field(ge=2)] = 4
    frequencies: Count = 16
    sigma: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.1

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return the defaults, and few fast cosines."""
        return (cls(), cls(2, 3, sigma=0.3))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (d · units,) for d features."""
        return (features(input_shape) * self.units,)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return w and b, shape (d, k, 1), W, shape (d, k, units − 1), and c, shape (d, 1, units − 1)."""
        d, k, u = features(input_shape), self.frequencies, self.units - 1
        first = Around(inverse_root(k))
        return {
            "w": Parameter((d, k, 1), Normal(stddev=self.sigma), regularized=False),
            "b": Parameter((d, k, 1), Around(math.pi), regularized=False),
            "W": Parameter((d, k, u), first),
            "c": Parameter((d, 1, u), first, regularized=False),
        }

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return [x, cos v W + c] with v = 2πwx + b."""
        # Rows come last in here, shape (d, k, n): they are many, so ufuncs run through long lines.
        v = np.multiply(x.T[:, np.newaxis], 2 * math.pi * ctx.p.w, out=self._hidden(ctx, x, "v"))
        v += ctx.p.b
        h = np.cos(v, out=self._hidden(ctx, x, "h"))
        d = len(v)
        y: Array = np.empty((len(x), d * self.units), x.dtype) if ctx.out is None else ctx.out
        parts = by_column(y, d)
        parts[..., 0] = x.T
        np.matmul(h.mT, ctx.p.W, out=parts[..., 1:])
        # [0, c] of all features as one row: a long line again.
        row = np.zeros((d, self.units), y.dtype)
        row[:, 1:] = ctx.p.c[:, 0]
        return np.add(y, row.ravel(), out=y)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        d, k = graph.input_shape[0], self.frequencies
        v = x.reshape(0, d, 1) * (2 * math.pi * graph.p.w).reshape(d, k) + graph.p.b.reshape(d, k)
        h = graph.op("Cos", v).transpose(1, 0, 2) @ graph.p.W + graph.p.c
        return graph.concat([x.reshape(0, d, 1), h.transpose(1, 0, 2)]).reshape(0, d * self.units)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = hᵀ dy, ∂J/∂c = Σ rows dy, ∂J/∂w = 2π Σ rows x dv and ∂J/∂b = Σ rows dv."""
        x = ctx.x
        v, h = self._hidden(ctx, x, "v"), self._hidden(ctx, x, "h")
        parts = by_column(dy, len(v))[..., 1:]
        np.matmul(h, parts, out=ctx.g.W)
        ctx.g.c[...] = column_sums(dy).reshape(len(v), 1, self.units)[..., 1:]
        dv = np.sin(v, out=v)
        dv *= np.matmul(-ctx.p.W, parts.mT, out=h)
        np.matmul(dv, 2 * math.pi * x.T[..., np.newaxis], out=ctx.g.w)
        np.matmul(dv, ones((len(x), 1), dv.dtype), out=ctx.g.b)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dy_x + Σ frequencies 2πw dv."""
        dv = self._hidden(ctx, ctx.x, "v")
        d = len(dv)
        dx: Array = np.empty((len(dy), d), dy.dtype) if ctx.dx is None else ctx.dx
        np.matmul(2 * math.pi * ctx.p.w.mT, dv, out=dx.T[:, np.newaxis])
        return np.add(dx, by_column(dy, d)[..., 0].T, out=dx)

    def _hidden(self, ctx: Context, x: Array, name: str) -> Array:
        """Return memory for what there is per cosine, shape (d, k, n)."""
        return ctx.scratch(name, (x.shape[-1], self.frequencies, len(x)), x.dtype)
