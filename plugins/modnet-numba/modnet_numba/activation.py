"""An activation that stands alone, such as one behind a normalization: one pass forward, one backward."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from modnet import Activation, Array, Context, Module, Shape, Slot
from modnet.activations import GELU, Tanh
from modnet_numba.compiling import Kernel, readable
from modnet_numba.formulas import formulas_of
from modnet_numba.fusing import fused


def f(z: Any) -> Any:
    """Stand in loops for σ(z)."""


def df(z: Any, a: Any) -> Any:
    """Stand in loops for σ'(z), given z and a."""


def _activate(z: Array, a: Array) -> None:
    """Write a = σ(z)."""
    z, a = z.ravel(), a.reshape(a.size)
    for i in range(z.size):
        a[i] = f(z[i]) if z[i] == z[i] else z[i]


def _derive(z: Array, a: Array, da: Array, dz: Array) -> None:
    """Write dz = da ∘ σ'(z)."""
    z, a, da, dz = z.ravel(), a.ravel(), da.ravel(), dz.reshape(dz.size)
    for i in range(z.size):
        dz[i] = da[i] * df(z[i], a[i])


class _Kernels(NamedTuple):
    """The two loops, made for one activation."""

    activate: Kernel
    derive: Kernel


class _KernelsOf(dict[Activation, _Kernels]):
    """Kernels by activation, made when they are asked for."""

    def __missing__(self, activation: Activation) -> _Kernels:
        formulas = formulas_of(activation)
        if formulas is None:
            raise TypeError(f"{activation!r} has no formulas")
        self[activation] = _Kernels(fused(_activate, f=formulas.f), fused(_derive, df=formulas.df))
        return self[activation]


_KERNELS = _KernelsOf()


class FusedActivation(Module):
    """An activation that has formulas, fused: a = σ(z), dz = da ∘ σ'(z), in one pass each.

    Parameters
    ----------
    activation : Activation
        The original.
    """

    activation: Slot[Activation]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with an activation whose derivative looks at a, and with one that looks at z."""
        return cls(Tanh()), cls(GELU())

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return a = σ(z)."""
        a = np.empty(x.shape, x.dtype) if ctx.out is None else ctx.out
        _KERNELS[self.activation].activate(readable(x), a)
        return a

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dz = da ∘ σ'(z)."""
        dz = np.empty(dy.shape, dy.dtype) if ctx.dx is None else ctx.dx
        _KERNELS[self.activation].derive(readable(ctx.x), ctx.y, dy, dz)
        return dz
