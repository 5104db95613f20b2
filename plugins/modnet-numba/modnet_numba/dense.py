"""A dense layer and the activation behind it: matrix products by BLAS, and one pass for all that is between them."""

import itertools
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, Self

import numpy as np

from modnet import Activation, Array, Context, Module, Parameter, Shape, Slot
from modnet.activations import GELU, Tanh
from modnet.layers import Dense
from modnet_numba.activation import df, f
from modnet_numba.compiling import Kernel, kernel, readable, sum_of
from modnet_numba.formulas import formulas_of
from modnet_numba.fusing import fused, reads
from modnet_numba.products import by_rows, product, transposed_product


@kernel
def _add(z: Array, b: Array) -> None:
    """Set z ← z + b."""
    if z.shape[1] == 1:  # in one go: an inner loop of one element costs as much as one of sixteen
        column = z.reshape(z.size)
        column += b[0, 0]
        return
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            z[i, j] += b[0, j]


@kernel
def _sum(dz: Array, db: Array) -> None:
    """Write db = Σ rows dz."""
    if dz.shape[1] == 1:
        db[0, 0] = sum_of(dz[:, 0])
        return
    db[:] = 0
    for i in range(dz.shape[0]):
        for j in range(dz.shape[1]):
            db[0, j] += dz[i, j]


def _activate(z: Array, b: Array | None) -> None:
    """Set z ← σ(z + b)."""
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            s = z[i, j] if b is None else z[i, j] + b[0, j]
            z[i, j] = f(s) if s == s else s


def _activate_beside(z: Array, b: Array | None, a: Array) -> None:
    """Set z ← z + b, a = σ(z)."""
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            s = z[i, j] if b is None else z[i, j] + b[0, j]
            z[i, j] = s
            a[i, j] = f(s) if s == s else s


def _derive(z: Array, a: Array, da: Array, dz: Array, db: Array | None) -> None:
    """Write dz = da ∘ σ'(z), db = Σ rows dz."""
    if db is not None:
        db[:] = 0
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            d = da[i, j] * df(z[i, j], a[i, j])
            dz[i, j] = d
            if db is not None:
                db[0, j] += d


class _Kernels(NamedTuple):
    """The loops, made for one activation."""

    activate: Kernel
    derive: Kernel
    keeps_z: bool
    """Whether σ' looks at z; else a is written over it."""


class _KernelsOf(dict[Activation, _Kernels]):
    """Kernels by activation, made when they are asked for."""

    def __missing__(self, activation: Activation) -> _Kernels:
        formulas = formulas_of(activation)
        if formulas is None:
            raise TypeError(f"{activation!r} has no formulas")
        keeps_z = reads(formulas.df, 0)
        activate = fused(_activate_beside if keeps_z else _activate, f=formulas.f)
        self[activation] = _Kernels(activate, fused(_derive, df=formulas.df), keeps_z)
        return self[activation]


_KERNELS = _KernelsOf()


class FusedDense(Module):
    """A dense layer, fused: z = x W + b; ∂J/∂W = xᵀ dz, ∂J/∂b = Σ rows dz, ∂J/∂x = dz Wᵀ.

    Parameters
    ----------
    dense : Dense
        The original.
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    takes_sparse: ClassVar[bool] = True

    dense: Slot[Dense]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with and without a bias."""
        return cls(Dense(3)), cls(Dense(3, use_bias=False))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, units)."""
        return self.dense.output_shape(input_shape)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W and b."""
        return self.dense.parameters(input_shape)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return z = x W + b."""
        z = product(x, ctx.p.W, out=ctx.out)
        if self.dense.use_bias:
            _add(by_rows(z), readable(ctx.p.b))
        return z

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = xᵀ dz and ∂J/∂b = Σ rows dz."""
        if self.dense.use_bias:
            _sum(by_rows(dy), ctx.g.b)
        transposed_product(ctx.x, dy, out=ctx.g.W)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dz Wᵀ."""
        return product(dy, ctx.p.W.T, out=ctx.dx)


class FusedDenseActivation(Module):
    """A dense layer and its activation, fused: a = σ(x W + b); dz = da ∘ σ'(z) and then the layer's derivatives.

    Parameters
    ----------
    dense : Dense
    activation : Activation
        The originals; the activation has formulas.
    """

    takes_sparse: ClassVar[bool] = True

    dense: Slot[Dense]
    activation: Slot[Activation]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with and without a bias, with an activation that looks at a, and with one that looks at z."""
        pairs = itertools.product((Dense(3), Dense(3, use_bias=False)), (Tanh(), GELU("tanh")))
        return tuple(cls(dense, activation) for dense, activation in pairs)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, units)."""
        return self.dense.output_shape(input_shape)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W and b."""
        return self.dense.parameters(input_shape)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return a = σ(x W + b)."""
        kernels = _KERNELS[self.activation]
        b = readable(ctx.p.b) if self.dense.use_bias else None
        if not kernels.keeps_z:
            a = product(x, ctx.p.W, out=ctx.out)
            kernels.activate(by_rows(a), b)
            return a
        z = product(x, ctx.p.W, out=ctx.scratch("z", (*x.shape[:-1], self.dense.units), x.dtype))
        a = np.empty_like(z) if ctx.out is None else ctx.out
        kernels.activate(by_rows(z), b, by_rows(a))
        return a

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = xᵀ dz and ∂J/∂b = Σ rows dz, with dz = da ∘ σ'(z)."""
        dz = ctx.scratch("dz", dy.shape, dy.dtype)
        kernels = _KERNELS[self.activation]
        z = ctx.scratch("z", dy.shape, dy.dtype) if kernels.keeps_z else ctx.y
        arrays = (by_rows(each) for each in (z, ctx.y, dy, dz))
        kernels.derive(*arrays, ctx.g.b if self.dense.use_bias else None)
        transposed_product(ctx.x, dz, out=ctx.g.W)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dz Wᵀ."""
        return product(ctx.scratch("dz", dy.shape, dy.dtype), ctx.p.W.T, out=ctx.dx)
