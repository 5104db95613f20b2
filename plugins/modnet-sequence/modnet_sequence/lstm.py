"""LSTM: a recurrent layer that decides step by step what to keep, what to forget and what to show."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from modnet import Array, Context, Count, Graph, Initializer, Module, Parameter, Shape, Slot, Value, default
from modnet.initializers import GlorotUniform, Orthogonal, Values
from modnet_sequence.arrays import as_rows, grad_affine, product, steps


class LSTM(Module):
    """Long short-term memory: c_t = f ∘ c_{t−1} + i ∘ g and h_t = o ∘ tanh c_t, for rows of shape (steps, features).

    The gates i, f, o = σ(z) and the candidate g = tanh(z) are parts of [z_i z_f z_g z_o] = x_t W + h_{t−1} U + b, with
    h₀ = c₀ = 0. Backwards through time, dh_t being what arrives plus dz_{t+1} Uᵀ, and dc_t = dh_t ∘ o ∘ (1 − tanh² c_t)
    + dc_{t+1} ∘ f_{t+1}: dz_i = dc ∘ g ∘ i(1 − i), dz_f = dc ∘ c_{t−1} ∘ f(1 − f), dz_g = dc ∘ i ∘ (1 − g²) and
    dz_o = dh ∘ tanh c ∘ o(1 − o). Then ∂J/∂W = Σ xᵀ dz, ∂J/∂U = Σ h_{t−1}ᵀ dz, ∂J/∂b = Σ dz and ∂J/∂x = dz Wᵀ, each one
    product for all steps.

    Parameters
    ----------
    units : int
        Number of features of h, ≥ 1.
    return_sequences : bool
        Whether y is h at every step, shape (steps, units), as another layer along the series wants it; False: h at the
        last, shape (units,).
    kernel_initializer, recurrent_initializer : Initializer
        Draw the first W, shape (features, 4 units), and U, shape (units, 4 units). The first b is 1 for the gates f, so
        that memory lasts, and 0 elsewhere.

    Raises
    ------
    ShapeError
        If rows have other axes.

    References
    ----------
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9; Gers, Schmidhuber & Cummins (2000),
    Learning to forget: continual prediction with LSTM, Neural Computation 12 (the gates f); Jozefowicz, Zaremba &
    Sutskever (2015), An empirical exploration of recurrent network architectures, ICML (their first bias).

    Examples
    --------
    >>> from modnet_sequence import LSTM
    >>> LSTM(32).output_shape((24, 3)), LSTM(32, return_sequences=True).output_shape((24, 3))
    ((32,), (24, 32))
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    units: Count
    return_sequences: bool = False
    kernel_initializer: Slot[Initializer] = default(GlorotUniform())
    recurrent_initializer: Slot[Initializer] = default(Orthogonal())

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the last h, and with all."""
        return (cls(3), cls(2, return_sequences=True))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return series of four steps with two features."""
        return rng.normal(size=(n, 4, 2))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (units,) or (steps, units)."""
        T, _ = steps(input_shape)
        return (T, self.units) if self.return_sequences else (self.units,)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W, shape (features, 4 units), U, shape (units, 4 units), and b, shape (1, 4 units)."""
        u = self.units
        return {
            "W": Parameter((input_shape[-1], 4 * u), self.kernel_initializer),
            "U": Parameter((u, 4 * u), self.recurrent_initializer),
            "b": Parameter((1, 4 * u), Values((0.0,) * u + (1.0,) * u + (0.0,) * 2 * u), regularized=False),
        }

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return h_t = o ∘ tanh c_t with c_t = f ∘ c_{t−1} + i ∘ g."""
        (n, T, d), u = x.shape, self.units
        # Steps first, so that those of all rows lie side by side in memory.
        x_T, gates, c, tanh_c, h = self._memory(ctx, n, T, d, x.dtype)
        x_T[...] = x.swapaxes(0, 1)
        c[0], h[0] = 0, 0
        # σ(z) = ½ tanh(z/2) + ½: one tanh for all gates, with W, U and b halved where a σ follows.
        half = np.repeat(np.array([0.5, 0.5, 1, 0.5], x.dtype), u)
        shift = np.repeat(np.array([0.5, 0.5, 0, 0.5], x.dtype), u)
        product(x_T, ctx.p.W * half, out=gates)
        gates += ctx.p.b * half
        U, z, ig = ctx.p.U * half, np.empty((n, 4 * u), x.dtype), np.empty((n, u), x.dtype)
        for t in range(T):
            a = gates[t]
            a += np.matmul(h[t], U, out=z)
            np.tanh(a, out=a)
            a *= half
            a += shift
            i, f, g, o = (a[:, k * u : (k + 1) * u] for k in range(4))
            np.multiply(f, c[t], out=c[t + 1])
            c[t + 1] += np.multiply(i, g, out=ig)
            np.multiply(o, np.tanh(c[t + 1], out=tanh_c[t]), out=h[t + 1])
        y: Array = np.empty((n, *self.output_shape(ctx.input_shape)), x.dtype) if ctx.out is None else ctx.out
        y[...] = h[1:].swapaxes(0, 1) if self.return_sequences else h[T]
        return y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y, step by step: the operator LSTM knows no float64 in onnxruntime."""
        T, u = graph.input_shape[0], self.units
        z_x = x @ graph.p.W + graph.p.b
        every: list[Value] = []
        c: Value | None = None
        for t in range(T):
            z = graph.op("Slice", z_x, [t], [t + 1], [1])
            z = z + every[-1] @ graph.p.U if every else z
            i, f, o = (graph.op("Sigmoid", z.part(k * u, (k + 1) * u)) for k in (0, 1, 3))
            new = i * z.part(2 * u, 3 * u).tanh()
            c = new if c is None else f * c + new
            every.append(o * c.tanh())
        return graph.concat(every, axis=1) if self.return_sequences else every[-1].reshape(0, u)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = Σ xᵀ dz, ∂J/∂U = Σ h_{t−1}ᵀ dz and ∂J/∂b = Σ dz."""
        (n, T), d, u = (len(dy), ctx.input_shape[0]), ctx.input_shape[1], self.units
        x_T, gates, c, tanh_c, h = self._memory(ctx, n, T, d, dy.dtype)
        dz = ctx.scratch("dz", gates.shape, dy.dtype)
        # All factors beside dc and dh are there already, for all steps at once.
        i, f, g, o = (gates[..., k * u : (k + 1) * u] for k in range(4))
        for k, (factor, derivative) in enumerate(
            ((g, i * (1 - i)), (c[:-1], f * (1 - f)), (i, 1 - g * g), (tanh_c, o * (1 - o)))
        ):
            np.multiply(factor, derivative, out=dz[..., k * u : (k + 1) * u])
        through = o * (1 - tanh_c * tanh_c)
        dh, dc, part = np.zeros((n, u), dy.dtype), np.zeros((n, u), dy.dtype), np.empty((n, u), dy.dtype)
        for t in reversed(range(T)):
            if self.return_sequences or t == T - 1:
                dh += dy[:, t] if self.return_sequences else dy
            dc += np.multiply(dh, through[t], out=part)
            of_c = dz[t, :, : 3 * u].reshape(n, 3, u)
            of_c *= dc[:, np.newaxis]
            dz[t, :, 3 * u :] *= dh
            dc *= f[t]
            np.matmul(dz[t], ctx.p.U.T, out=dh)
        grad_affine(x_T, dz, dW=ctx.g.W, db=ctx.g.b)
        np.matmul(as_rows(h[:-1]).T, as_rows(dz), out=ctx.g.U)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dz Wᵀ."""
        n, (T, d) = len(dy), ctx.input_shape
        dx: Array = np.empty((n, T, d), dy.dtype) if ctx.dx is None else ctx.dx
        dx[...] = product(ctx.scratch("dz", (T, n, 4 * self.units), dy.dtype), ctx.p.W.T).swapaxes(0, 1)
        return dx

    def _memory(self, ctx: Context, n: int, T: int, d: int, dtype: "np.dtype[Any]") -> tuple[Array, ...]:
        """Return what lives from forward to backward: x and the gates by step; c, tanh c and h, c and h from step 0."""
        shapes = {"x": (T, n, d), "gates": (T, n, 4 * self.units), "c": (T + 1, n, self.units)}
        shapes |= {"tanh c": (T, n, self.units), "h": (T + 1, n, self.units)}
        return tuple(ctx.scratch(name, shape, dtype) for name, shape in shapes.items())
