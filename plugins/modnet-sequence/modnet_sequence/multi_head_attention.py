"""MultiHeadAttention: every step of a row looks at all its steps, and takes from those that suit it."""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from modnet import Array, Context, Count, Graph, Initializer, Module, Parameter, Shape, Slot, Value, default
from modnet.activations import Softmax
from modnet.errors import ShapeError
from modnet.initializers import GlorotUniform, Zeros
from modnet_sequence.arrays import affine, blocks_of, grad_affine, steps
from modnet_standard.arrays import product


class MultiHeadAttention(Module):
    """Self-attention with h heads: y = [H₁ … H_h] W_o + b_o, H = A V, A = softmax(Q Kᵀ / √k), [Q K V] = x W + b.

    The d features of Q, K and V are dealt out to the heads, k = d / h each; rows have shape (steps, d), and A, shape
    (steps, steps) for each head, says how much a step takes from each other. With dH = dy W_oᵀ the derivatives are
    dV = Aᵀ dH, dA = dH Vᵀ, dS = A ∘ (dA − Σ dA ∘ A) / √k, dQ = dS K and dK = dSᵀ Q; from there on, and for W_o, they
    are those of a dense layer.

    Parameters
    ----------
    heads : int
        Number h of heads, ≥ 1; it divides the number of features.
    kernel_initializer : Initializer
        Draws the first W, shape (d, 3d), and W_o, shape (d, d); b and b_o start at zero.

    Raises
    ------
    ShapeError
        If rows have other axes, or `heads` does not divide the number of features.

    References
    ----------
    Vaswani et al. (2017), Attention is all you need, NeurIPS 30, eq. 1 and sec. 3.2.2.

    Examples
    --------
    >>> from modnet_sequence import MultiHeadAttention
    >>> MultiHeadAttention(2).output_shape((24, 8))
    (24, 8)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    heads: Count = 4
    kernel_initializer: Slot[Initializer] = default(GlorotUniform())

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with one head and with two."""
        return (cls(1), cls(2))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return rows of three steps with four features."""
        return rng.normal(size=(n, 3, 4))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        d = steps(input_shape)[1]
        if d % self.heads:
            fits = -(-d // self.heads) * self.heads
            raise ShapeError(
                f"heads={self.heads} does not divide the {d} features of rows of shape {input_shape}: "
                f"put a dense layer of {fits} units in front, or choose heads that divide {d}"
            )
        return input_shape

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W, shape (d, 3d), b, W_o, shape (d, d), and b_o."""
        d = input_shape[-1]
        return {
            "W": Parameter((d, 3 * d), self.kernel_initializer),
            "b": Parameter((1, 3 * d), Zeros(), regularized=False),
            "W_o": Parameter((d, d), self.kernel_initializer),
            "b_o": Parameter((1, d), Zeros(), regularized=False),
        }

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = H W_o + b_o with H = A V."""
        n, T, d = x.shape
        QKV = affine(x, ctx.p.W, ctx.p.b, out=ctx.scratch("QKV", (n, T, 3 * d), x.dtype))
        A, H = ctx.scratch("A", (n, self.heads, T, T), x.dtype), ctx.scratch("H", x.shape, x.dtype)
        Q, K, V = self._heads(QKV, 3)
        Q *= 1 / math.sqrt(d // self.heads)  # Q / √k from here on: Q is smaller than S
        for rows in blocks_of(n, self.heads * T * T):
            S = np.matmul(Q[rows], K[rows].mT, out=A[rows])
            np.matmul(Softmax().f(S, out=S), V[rows], out=self._heads(H[rows])[0])
        return affine(H, ctx.p.W_o, ctx.p.b_o, out=ctx.out)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        T, d = graph.input_shape
        QKV = (x @ graph.p.W + graph.p.b).reshape(0, T, 3 * self.heads, d // self.heads).transpose(0, 2, 1, 3)
        Q, K, V = (graph.op("Slice", QKV, [i * self.heads], [(i + 1) * self.heads], [1]) for i in range(3))
        S = Q @ K.transpose(0, 1, 3, 2) * (1 / math.sqrt(d // self.heads))
        H = (Softmax().onnx(graph, S) @ V).transpose(0, 2, 1, 3).reshape(0, T, d)
        return H @ graph.p.W_o + graph.p.b_o

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W_o = Hᵀ dy, ∂J/∂W = xᵀ d[Q K V], and ∂J/∂b_o and ∂J/∂b, their sums over rows."""
        n, T, d = dy.shape
        QKV, dQKV = (ctx.scratch(name, (n, T, 3 * d), dy.dtype) for name in ("QKV", "dQKV"))
        A, H = ctx.scratch("A", (n, self.heads, T, T), dy.dtype), ctx.scratch("H", dy.shape, dy.dtype)
        grad_affine(H, dy, dW=ctx.g.W_o, db=ctx.g.b_o)
        (Q, K, V), (dQ, dK, dV) = self._heads(QKV, 3), self._heads(dQKV, 3)
        (dH,) = self._heads(product(dy, ctx.p.W_o.T, out=H))
        for rows in blocks_of(n, self.heads * T * T):
            np.matmul(A[rows].mT, dH[rows], out=dV[rows])
            dS = Softmax().df(None, A[rows], dH[rows] @ V[rows].mT)
            np.matmul(dS, K[rows], out=dQ[rows])
            np.matmul(dS.mT, Q[rows], out=dK[rows])
        dQ *= 1 / math.sqrt(d // self.heads)
        grad_affine(ctx.x, dQKV, dW=ctx.g.W, db=ctx.g.b)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = d[Q K V] Wᵀ."""
        dQKV = ctx.scratch("dQKV", (*dy.shape[:2], 3 * dy.shape[2]), dy.dtype)
        return product(dQKV, ctx.p.W.T, out=ctx.dx)

    def _heads(self, a: Array, parts: int = 1) -> Array:
        """Return views of a, shape (n, steps, parts · d): parts of shape (n, heads, steps, k)."""
        n, T, width = a.shape
        return a.reshape(n, T, parts, self.heads, width // (parts * self.heads)).transpose(2, 0, 3, 1, 4)
