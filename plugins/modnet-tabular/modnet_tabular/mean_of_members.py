"""MeanOfMembers: the end of an ensemble, where the output layer reads all members and predicts their mean."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np

from modnet import Array, Context, Module, Shape
from modnet_tabular.arrays import members


class MeanOfMembers(Module):
    """The mean of k members for an output layer: y = [s₁x₁, …, s_kx_k] or Σₘ sₘxₘ, s = 1/k; in training one s is 1.

    The output layer of a modnet model is dense, ŷ = y W + b. On [x₁, …, x_k] / k it is the mean of k heads,
    ŷ = Σₘ (xₘ Wₘ + b) / k, where Wₘ are the rows of W that meet member m: predictions are means over members.

    TabM trains on the mean of the members' losses, not on the loss of their mean: members that only have to be right
    together do not become good ones. A layer does not see the loss. So in training each row goes on with one member
    only, drawn at random: its s is 1, the others are 0, and J is that member's loss: on average, over the draws, the
    mean of the members' losses. Members are dealt out evenly, to each the same number of rows of a batch, as in
    BatchEnsemble. ∂J/∂xₘ = dyₘ sₘ, or dy sₘ.

    What differs from TabM: a row trains one member per step there are k of, so gradients are noisier; all heads share
    b; and with classes it is logits that are averaged, not probabilities. `mean_of_members_loss` has none of that.

    Parameters
    ----------
    heads : {"own", "shared"}
        Whether every member has rows of W of its own, y having k · n_in columns, or all share them, y having n_in.
    loss_of : {"members", "mean"}
        What is trained on: the members' losses, one member per row and step, or the loss of the mean.

    Raises
    ------
    ShapeError
        If the rows do not have an axis of members and one of features.

    References
    ----------
    Gorishniy, Kotelnikov & Babenko (2024), TabM: advancing tabular deep learning with parameter-efficient ensembling,
    arXiv:2410.24210 (heads, mean of losses); Wen, Tran & Ba (2020), BatchEnsemble: an alternative approach to efficient
    ensemble and lifelong learning, ICLR (a batch dealt out to members).

    Examples
    --------
    >>> from modnet_tabular import MeanOfMembers
    >>> MeanOfMembers().output_shape((32, 64)), MeanOfMembers(heads="shared").output_shape((32, 64))
    ((2048,), (64,))
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    heads: Literal["own", "shared"] = "own"
    loss_of: Literal["members", "mean"] = "members"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return all four."""
        return (cls(), cls("shared"), cls("own", "mean"), cls("shared", "mean"))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return rows of three members and five features."""
        return rng.normal(size=(n, 3, 5))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (k · n_in,) or (n_in,)."""
        k, n = members(input_shape)
        return (k * n,) if self.heads == "own" else (n,)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return [s₁ x₁, …, s_k x_k] or Σₘ sₘ xₘ."""
        s = self._drawn(ctx, x)
        y = np.empty((len(x), *self.output_shape(x.shape[1:])), x.dtype) if ctx.out is None else ctx.out
        if self.heads == "own":
            np.multiply(x, s, out=y.reshape(x.shape))
        else:
            np.matmul(s.mT, x, out=y[..., np.newaxis, :])
        return y

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dyₘ ∘ sₘ, or dy ∘ sₘ."""
        dy = dy.reshape(ctx.x.shape) if self.heads == "own" else dy[..., np.newaxis, :]
        return np.multiply(dy, self._s(ctx, ctx.x), out=ctx.dx)

    def _s(self, ctx: Context, x: Array) -> Array:
        """Return memory for s, shape (n, k, 1)."""
        return ctx.scratch("s", (*x.shape[:-1], 1), x.dtype)

    def _drawn(self, ctx: Context, x: Array) -> Array:
        """Return s: 1/k for all members, or 1 for one of them in each row, dealt out in turn from one that is drawn."""
        s = self._s(ctx, x)
        n, k, _ = s.shape
        if not ctx.training or self.loss_of == "mean":
            s.fill(1 / k)
        else:
            first = ctx.rng.integers(k)
            turn = (first + np.arange(n)) % k
            np.equal(turn[..., np.newaxis], np.arange(k), out=s[..., 0])
        return s
