"""LSTM: a recurrent layer that decides step by step what to keep, what to forget and what to show."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from modnet import Array, Context, Count, Graph, Initializer, Module, Parameter, Shape, Slot, Value, default
from modnet.initializers import GlorotUniform, Orthogonal, Values
from modnet_sequence.arrays import steps


class LSTM(Module):
    """Long short-term memory: c_t = f ∘ c_{t−1} + i ∘ g and h_t = o ∘ tanh c_t, for rows of shape (steps, features).

    The gates i, f, o = σ(z) and the candidate g = tanh(z) are parts of [z_i z_f z_g z_o] = x_t W + h_{t−1} U + b, with
    h₀ = c₀ = 0. Backwards through time, dh_t being what arrives plus dz_{t+1} Uᵀ, and dc_t = dh_t ∘ o ∘ (1 − tanh² c_t)
    + dc_{t+1} ∘ f_{t+1}: dz_i = dc ∘ g ∘ i(1 − i), dz_f = dc ∘ c_{t−1} ∘ f(1 − f), dz_g = dc ∘ i ∘ (1 − g²) and
    dz_o = dh ∘ tanh c ∘ o(1 − o). Then ∂J/∂W = Σ xᵀ dz, ∂J/∂U = Σ h_{t−1}ᵀ dz, ∂J/∂b = Σ dz and ∂J/∂x = dz Wᵀ.

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
        inputs, gates, c, tanh_c = self._memory(ctx, n, x.dtype)
        inputs[:T, :d] = x.transpose(1, 2, 0)
        inputs[0, d:-1], inputs[:, -1], c[0] = 0, 1, 0
        # σ(z) = ½ tanh(z/2) + ½: one tanh for all gates, where what leads to a σ is halved.
        half = np.repeat(np.array([0.5, 0.5, 1, 0.5], x.dtype), u)
        V_T = np.ascontiguousarray((np.concatenate([ctx.p.W, ctx.p.U, ctx.p.b]) * half).T)
        new = np.empty((u, n), x.dtype)
        for t in range(T):
            a = np.matmul(V_T, inputs[t], out=gates[t])
            np.tanh(a, out=a)
            for sigmoids in (a[: 2 * u], a[3 * u :]):
                sigmoids *= 0.5
                sigmoids += 0.5
            i, f, g, o = a.reshape(4, u, n)
            np.multiply(f, c[t], out=c[t + 1])
            c[t + 1] += np.multiply(i, g, out=new)
            np.multiply(o, np.tanh(c[t + 1], out=tanh_c[t]), out=inputs[t + 1, d:-1])
        y: Array = np.empty((n, *self.output_shape(ctx.input_shape)), x.dtype) if ctx.out is None else ctx.out
        y[...] = inputs[1:, d:-1].transpose(2, 0, 1) if self.return_sequences else inputs[T, d:-1].T
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
        n, (T, d), u = len(dy), ctx.input_shape, self.units
        inputs, gates, c, tanh_c = self._memory(ctx, n, dy.dtype)
        every = ctx.scratch("dz", gates.shape, dy.dtype)
        # dh is zero in front of the last step but for what arrives there.
        arriving = np.zeros((T, u, n), dy.dtype)
        arriving[0 if self.return_sequences else T - 1 :] = dy.reshape(
            n, T if self.return_sequences else 1, u
        ).transpose(1, 2, 0)
        dh, dc, part = (np.zeros((u, n), dy.dtype) for _ in range(3))
        dV_T, share = (np.zeros((4 * u, d + u + 1), dy.dtype) for _ in range(2))
        for t in reversed(range(T)):
            i, f, g, o = gates[t].reshape(4, u, n)
            dz = np.subtract(1, gates[t], out=every[t])
            dz *= gates[t]
            dz_i, dz_f, dz_g, dz_o = dz.reshape(4, u, n)
            np.subtract(1, np.multiply(g, g, out=dz_g), out=dz_g)
            dh += arriving[t]
            np.subtract(1, np.multiply(tanh_c[t], tanh_c[t], out=part), out=part)
            part *= o
            dc += np.multiply(part, dh, out=part)
            for gate, factor, after in ((dz_i, g, dc), (dz_f, c[t], dc), (dz_g, i, dc), (dz_o, tanh_c[t], dh)):
                gate *= factor
                gate *= after
            dc *= f
            np.matmul(ctx.p.U, dz, out=dh)
            dV_T += np.matmul(dz, inputs[t].T, out=share)
        ctx.g.W[...], ctx.g.U[...], ctx.g.b[...] = dV_T.T[:d], dV_T.T[d:-1], dV_T.T[-1:]

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dz Wᵀ."""
        dx: Array = np.empty((len(dy), *ctx.input_shape), dy.dtype) if ctx.dx is None else ctx.dx
        dz = ctx.scratch("dz", (ctx.input_shape[0], 4 * self.units, len(dy)), dy.dtype)
        dx[...] = np.matmul(ctx.p.W, dz).transpose(2, 0, 1)
        return dx

    def _memory(self, ctx: Context, n: int, dtype: "np.dtype[Any]") -> tuple[Array, ...]:
        """Return what lives from forward to backward, step by step: [x_t, h_{t−1}, 1], the gates, c_t and tanh c_t.

        Rows come last, so that each gate lies in one piece, and [W, U, b] acts on all of a step in one product. c has
        c₀ in front, and the first has h of the last step behind.
        """
        (T, d), u = ctx.input_shape, self.units
        shapes = {"inputs": (T + 1, d + u + 1, n), "gates": (T, 4 * u, n), "c": (T + 1, u, n), "tanh c": (T, u, n)}
        return tuple(ctx.scratch(name, shape, dtype) for name, shape in shapes.items())
