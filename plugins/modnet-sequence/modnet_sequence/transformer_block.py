"""TransformerBlock: attention and a feed-forward network, each normalized in front and added to what came in."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array, Context, Count, Graph, Module, Parameter, Shape, Slot, Value, default
from modnet.activations import GELU, Tanh
from modnet.base import Links
from modnet.initializers import GlorotUniform, Zeros
from modnet.layers import Dropout, LayerNorm, Residual
from modnet_sequence.arrays import affine, grad_affine
from modnet_sequence.multi_head_attention import MultiHeadAttention
from modnet_standard.arrays import product


class TransformerBlock(Module):
    """A pre-norm transformer block: u = x + attention(norm x), y = u + feed-forward(norm u).

    It is a chain of links, whose derivatives are all there is: residual blocks around layer normalization,
    `MultiHeadAttention` and two dense layers with an activation in between, each with dropout behind it. Rows have
    shape (steps, features) and keep it.

    Parameters
    ----------
    heads : int
        Number of attention heads, ≥ 1; it divides the number of features.
    expansion : int
        How many times as wide as a row the feed-forward network is inside, ≥ 1.
    activation : Module
        Inside the feed-forward network.
    dropout : float
        Rate in [0, 1) behind attention, inside and behind the feed-forward network; 0: none.

    Raises
    ------
    ShapeError
        If rows have other axes, or `heads` does not divide the number of features.

    References
    ----------
    Vaswani et al. (2017), Attention is all you need, NeurIPS 30, sec. 3.1 and 3.3; Xiong et al. (2020), On layer
    normalization in the transformer architecture, ICML (norms in front); Gorishniy, Rubachev, Khrulkov & Babenko
    (2021), Revisiting deep learning models for tabular data, NeurIPS 34, sec. 3.3 (behind `tokens` it is
    FT-Transformer).

    Examples
    --------
    >>> from modnet import Network
    >>> from modnet_sequence import TransformerBlock
    >>> network = Network([TransformerBlock(2, dropout=0)], (24, 8))
    >>> network.output_shape, [link.path for link in network.walk()][:3]
    ((24, 8), ['layers[0]', 'layers[0].attention', 'layers[0].attention.body[0]'])
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    heads: Count = 4
    expansion: Count = 2
    activation: Slot[Activation | Module] = default(GELU())
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with one head and no dropout, and with two heads and dropout."""
        return (cls(1, 3, Tanh(), dropout=0.0), cls(2))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return rows of three steps with four features."""
        return rng.normal(size=(n, 3, 4))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return MultiHeadAttention(self.heads).output_shape(input_shape)

    def chains(self) -> Sequence[Links]:
        """Return two residual blocks in a row."""
        dropout = (Dropout(self.dropout),) if self.dropout else ()
        wide, narrow = Projection(self.expansion), Projection(self.expansion, "narrow")
        attention = Residual((LayerNorm(), MultiHeadAttention(self.heads), *dropout))
        feed_forward = Residual((LayerNorm(), wide, self.activation, *dropout, narrow, *dropout))
        return ((("attention", attention), ("feed_forward", feed_forward)),)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return the output of the second."""
        return ctx.children[0].forward(x)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return graph.children[0](x)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write the gradients of both."""
        ctx.children[0].grad_params(dy)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return the gradient of the input of the first."""
        return ctx.children[0].grad_input()


class Projection(Module):
    """A dense layer as wide as its input times `factor`, or divided by it.

    Parameters
    ----------
    factor : int
        ≥ 1.
    to : {"wide", "narrow"}
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    factor: Count
    to: Literal["wide", "narrow"] = "wide"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, features · factor) or (…, features / factor)."""
        d = input_shape[-1]
        return (*input_shape[:-1], d * self.factor if self.to == "wide" else d // self.factor)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W and b."""
        units = self.output_shape(input_shape)[-1]
        W = Parameter((input_shape[-1], units), GlorotUniform())
        return {"W": W, "b": Parameter((1, units), Zeros(), regularized=False)}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return z = x W + b."""
        return affine(x, ctx.p.W, ctx.p.b, out=ctx.out)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write z."""
        return x @ graph.p.W + graph.p.b

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = xᵀ dz and ∂J/∂b = Σ rows dz."""
        grad_affine(ctx.x, dy, dW=ctx.g.W, db=ctx.g.b)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dz Wᵀ."""
        return product(dy, ctx.p.W.T, out=ctx.dx)
