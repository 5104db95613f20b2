"""Layers made of others: lists of layers, branches side by side, an activation, and an affine map times a gate.

The layers inside run in ``ctx.children``, a chain each.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Annotated, ClassVar, Literal, Self, final

import numpy as np
from annotated_types import MinLen

from modnet import AnyActivation, AnyInitializer, AnyModule, Array, Context, Count, Module, Parameter, Shape
from modnet.base import Links, located, shape_through
from modnet.errors import ShapeError
from modnet_standard.activations.functions import Identity
from modnet_standard.activations.sigmoids import Sigmoid, Tanh
from modnet_standard.activations.silu import SiLU
from modnet_standard.arrays import column_sums, product, transposed_product
from modnet_standard.initializers.distributions import Zeros
from modnet_standard.initializers.fans import GlorotUniform
from modnet_standard.layers.dense import Dense
from modnet_standard.layers.inputs import Elementwise, features

__all__ = ["ActivationLayer", "GatedLinear", "Parallel", "Residual", "Sequential"]


class Stack(Module):
    """Layers that run one after the other, inside of one layer.

    Parameters
    ----------
    body : tuple of Module
        The layers, at least one.
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    body: Annotated[tuple[AnyModule, ...], MinLen(1)]

    @property
    def fixed(self) -> bool:  # type: ignore[override]  # what a class says of itself elsewhere
        """Whether all layers are."""
        return all(layer.fixed for layer in self.body)

    @final
    def chains(self) -> tuple[Links, ...]:
        """Return the layers, as one chain."""
        return (located("body", self.body),)

    @final
    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write the gradients of all layers."""
        ctx.children[0].grad_params(dy)


class Sequential(Stack):
    """Layers that run one after the other: y = fₖ(… f₂(f₁(x))).

    Use it where one layer is wanted, as for a branch of `Parallel`.

    Parameters
    ----------
    body : tuple of Module
        The layers, at least one.

    Examples
    --------
    >>> from modnet.layers import Sequential
    >>> Sequential([{"type": "dense", "units": 8}, "tanh"]).output_shape((3,))
    (8,)
    """

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return three layers in a row."""
        return (cls((Dense(4), Sigmoid(), Dense(2))),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape behind the last layer."""
        return shape_through(located("body", self.body), input_shape)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return the output of the last layer."""
        return ctx.children[0].forward(x)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return the gradient of the first layer's input."""
        return ctx.children[0].grad_input()


class Residual(Stack):
    """A residual block: y = x + f(x), where f is the layers of `body`, one after the other.

    The gradient takes both ways, ∂J/∂x = dy + ∂J/∂x through f; so it reaches the first layers of a deep network
    undiminished.

    Parameters
    ----------
    body : tuple of Module
        The layers of f, at least one. Their output has the shape of their input.

    Raises
    ------
    ShapeError
        If f changes the shape.

    References
    ----------
    He, Zhang, Ren & Sun (2016), Deep residual learning for image recognition, CVPR, eq. 1.

    Examples
    --------
    >>> from modnet.layers import Dense, Residual
    >>> block = Residual([Dense(8, activation="relu"), Dense(3)])
    >>> block.output_shape((3,))
    (3,)
    >>> block.output_shape((4,))
    Traceback (most recent call last):
    ...
    modnet.errors.ShapeError: body should keep the shape of its input, (4,), got (3,): end it with Dense(4)
    """

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return a block for rows of five features."""
        return (cls((Dense(4, Tanh()), Dense(5))),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        found = shape_through(located("body", self.body), input_shape)
        if found != input_shape:
            remedy = f"end it with Dense({input_shape[-1]})"
            raise ShapeError(f"body should keep the shape of its input, {input_shape}, got {found}: {remedy}")
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = x + f(x)."""
        return np.add(x, ctx.children[0].forward(x), out=ctx.out)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dy + ∂J/∂x through f."""
        return np.add(dy, ctx.children[0].grad_input(), out=ctx.dx)


class Parallel(Module):
    """Branches beside each other: y = [f₁(x), f₂(x), …], y = Σ fᵢ(x) or y = Σ fᵢ(x) / k.

    The gradient of the input is the sum of what comes back through the branches: ∂J/∂x = Σᵢ ∂J/∂x through fᵢ.

    Parameters
    ----------
    branches : tuple of Module
        The fᵢ, at least one; `Sequential` makes one branch of several layers.
    merge : {"concat", "add", "mean"}
        How the outputs are joined; "add" and "mean" want them of one shape.

    Raises
    ------
    ShapeError
        If the outputs cannot be joined.

    References
    ----------
    Szegedy et al. (2015), Going deeper with convolutions, CVPR, fig. 2 (concatenated branches).

    Examples
    --------
    >>> from modnet.layers import Dense, Parallel
    >>> Parallel([Dense(8), Dense(2)]).output_shape((3,))
    (10,)
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    branches: Annotated[tuple[AnyModule, ...], MinLen(1)]
    merge: Literal["concat", "add", "mean"] = "concat"

    @property
    def fixed(self) -> bool:  # type: ignore[override]  # what a class says of itself elsewhere
        """Whether all branches are."""
        return all(branch.fixed for branch in self.branches)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return two branches, three whose outputs are added or averaged, and one; for rows of five features."""
        three = (Dense(5), Tanh(), Identity())
        return (cls((Dense(2), Sigmoid())), cls(three, "add"), cls(three, "mean"), cls((Dense(2),), "mean"))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the joined outputs."""
        shapes = [branch.output_shape(input_shape) for branch in self.branches]
        if self.merge == "concat":
            if len({shape[:-1] for shape in shapes}) > 1:
                raise ShapeError(f"branches should agree in all axes but the last to be concatenated, got {shapes}")
            return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))
        if len(set(shapes)) > 1:
            raise ShapeError(f"branches should have one output shape for merge={self.merge!r}, got {shapes}")
        return shapes[0]

    def chains(self) -> tuple[Links, ...]:
        """Return the branches, a chain each."""
        return tuple(((f"branches[{index}]", branch),) for index, branch in enumerate(self.branches))

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return the joined outputs."""
        outputs = [child.forward(x) for child in ctx.children]
        if self.merge == "concat":
            widths = ctx.scratch("widths", (len(outputs),), np.intp)
            widths[...] = [output.shape[-1] for output in outputs]
            return np.concatenate(outputs, axis=-1, out=ctx.out)
        y = _sum(outputs, ctx.out)
        return np.divide(y, len(outputs), out=y) if self.merge == "mean" else y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write the gradients of all branches."""
        for child, part in zip(ctx.children, self._parts(ctx, dy), strict=True):
            child.grad_params(part)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = Σᵢ ∂J/∂x through fᵢ."""
        return _sum([child.grad_input() for child in ctx.children], ctx.dx)

    def _parts(self, ctx: Context, dy: Array) -> Iterator[Array]:
        """Return each branch's share of dy."""
        if self.merge == "concat":
            widths = ctx.scratch("widths", (len(self.branches),), np.intp)
            for start, stop in pairwise(accumulate(widths.tolist(), initial=0)):
                yield dy[..., start:stop]
            return
        share = dy if self.merge == "add" else dy / len(self.branches)
        yield from (share for _ in self.branches)


def _sum(arrays: list[Array], out: Array | None) -> Array:
    total = np.add(arrays[0], arrays[1], out=out) if len(arrays) > 1 else arrays[0].copy()
    for array in arrays[2:]:
        np.add(total, array, out=total)
    return total


class ActivationLayer(Elementwise):
    """A layer that stands for its activation: y = σ(x), ∂J/∂x = dy ∘ σ'(x).

    An activation is a layer already, so this one only gives it a place that can be searched over, as in
    ``layers__1__activation``.

    Parameters
    ----------
    activation : Activation
        The σ.

    Examples
    --------
    >>> from modnet import Network
    >>> from modnet.layers import ActivationLayer, Dense
    >>> network = Network([Dense(3), ActivationLayer("tanh")], input_shape=(2,))
    >>> [link.title for link in network.links]
    ['layers[0] (Dense)', 'layers[1].activation (Tanh)']
    """

    activation: AnyActivation

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with an activation."""
        return (cls(Tanh()),)

    def links(self) -> Links:
        """Return the activation."""
        return (("activation", self.activation),)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return σ(x)."""
        return self.activation.forward(ctx, x)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ σ'(x)."""
        return self.activation.grad_input(ctx, dy)


class GatedLinear(Module):
    """A gated linear unit: y = (x W + b) ∘ σ(x V + c): GLU with the sigmoid as σ, SwiGLU with SiLU, GEGLU with GELU.

    With u = x W + b, z = x V + c and h = σ(z) the derivatives of the two factors are du = dy ∘ h and
    dz = (dy ∘ u) ∘ σ'(z); from there on both are dense layers: ∂J/∂W = xᵀ du, ∂J/∂V = xᵀ dz and
    ∂J/∂x = du Wᵀ + dz Vᵀ.

    Parameters
    ----------
    units : int
        Number of outputs, ≥ 1.
    gate : Activation
        The σ.
    use_bias : bool
        Whether there are b and c.
    kernel_initializer, bias_initializer : Initializer
        Draw the first W and V, shape (n_in, units), and b and c, shape (1, units).

    Raises
    ------
    ShapeError
        If rows have no axis of features.

    References
    ----------
    Dauphin, Fan, Auli & Grangier (2017), Language modeling with gated convolutional networks, ICML.
    Shazeer (2020), GLU variants improve transformer, arXiv:2002.05202.

    Examples
    --------
    >>> from modnet.layers import GatedLinear
    >>> GatedLinear(64, gate="tanh")
    GatedLinear(units=64, gate=Tanh())
    >>> {name: each.shape for name, each in GatedLinear(4).parameters((3,)).items()}
    {'W': (3, 4), 'V': (3, 4), 'b': (1, 4), 'c': (1, 4)}
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    takes_sparse: ClassVar[bool] = True

    units: Count
    gate: AnyActivation = Sigmoid()
    use_bias: bool = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    bias_initializer: AnyInitializer = Zeros()

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with gates that read their output, both and nothing, with and without biases."""
        return (cls(3), cls(3, Tanh(), use_bias=False), cls(3, SiLU()), cls(3, Identity()))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, units)."""
        features(input_shape)
        return (*input_shape[:-1], self.units)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W and V, shape (n_in, units), and b and c, shape (1, units)."""
        kernel = Parameter((features(input_shape), self.units), self.kernel_initializer)
        bias = Parameter((1, self.units), self.bias_initializer, regularized=False)
        return {"W": kernel, "V": kernel, **({"b": bias, "c": bias} if self.use_bias else {})}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return u ∘ h with u = x W + b and h = σ(x V + c)."""
        p = ctx.p
        shape = (*x.shape[:-1], self.units)
        u, z, h = (ctx.scratch(name, shape, x.dtype) for name in ("u", "z", "h"))
        _affine(x, p.W, p.b if self.use_bias else None, out=u)
        _affine(x, p.V, p.c if self.use_bias else None, out=z)
        return np.multiply(u, self.gate.f(z, out=h), out=ctx.out)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = xᵀ du, ∂J/∂V = xᵀ dz, ∂J/∂b = Σ rows du and ∂J/∂c = Σ rows dz."""
        u, z, h, du, dz = (ctx.scratch(name, dy.shape, dy.dtype) for name in ("u", "z", "h", "du", "dz"))
        np.multiply(dy, h, out=du)
        reads = self.gate.reads
        self.gate.df(z if "x" in reads else None, h if "y" in reads else None, dy * u, out=dz)
        transposed_product(ctx.x, du, out=ctx.g.W)
        transposed_product(ctx.x, dz, out=ctx.g.V)
        if self.use_bias:
            column_sums(du, out=ctx.g.b)
            column_sums(dz, out=ctx.g.c)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = du Wᵀ + dz Vᵀ."""
        du, dz = (ctx.scratch(name, dy.shape, dy.dtype) for name in ("du", "dz"))
        dx = product(du, ctx.p.W.T, out=ctx.dx)
        np.add(dx, product(dz, ctx.p.V.T), out=dx)
        return dx


def _affine(x: Array, W: Array, b: Array | None, *, out: Array) -> None:
    """Write x W + b."""
    z = product(x, W, out=out)
    if b is not None:
        np.add(z, b, out=out)
    elif z is not out:
        out[...] = z
