"""An activation is an elementwise link without parameters: a = σ(z), and ∂J/∂z = ∂J/∂a ∘ σ'(z).

It is a module, so it stands in a list of layers like any other, or is named in a layer that ends with one. What ends
a layer may have parameters, too: any layer that keeps the shape does.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, final

from modnet.base.context import Context
from modnet.base.graph import Graph
from modnet.base.module import Module
from modnet.base.types import Array, Shape
from modnet.base.value import Value

Formulas = tuple[Callable[[float], float], Callable[[float, float], float]]
"""σ(z), and σ'(z) given z and a = σ(z), of one number."""


class Activation(Module, kind="activation"):
    """A function of each element (softmax: of each row), with its derivative beside it.

    Attributes
    ----------
    reads : frozenset of {"x", "y"}
        Whether `df` looks at z (``"x"``) or a (``"y"``); it gets None for what it does not read.
    """

    fixed: ClassVar[bool] = True

    @abstractmethod
    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return a = σ(z).

        Parameters
        ----------
        z : ndarray, any shape
            The input.
        out : ndarray, optional
            Where to write, as in NumPy. It may be z itself if the class does not read ``"x"``.

        Returns
        -------
        ndarray, shape and dtype of z
            `out`, where it is given.
        """

    @abstractmethod
    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return dz = da ∘ σ'(z): the derivative already applied to the gradient that arrives.

        Parameters
        ----------
        z, a : ndarray or None
            The input and output of `f`, if `reads` names them.
        da : ndarray, shape of a
            ∂J/∂a; not to be changed.
        out : ndarray, optional
            Where to write; never one of the arguments.

        Returns
        -------
        ndarray, shape and dtype of z
            `out`, where it is given.
        """

    def formulas(self) -> Formulas | None:
        """Return the activation as formulas of one number, for accelerators that compile them; default: None.

        The first is a = σ(z), the second σ'(z), given z and a. Both use arithmetic, `min`, `max`, `abs`, conditional
        expressions, numbers, `math`, and functions that do the same.

        Returns
        -------
        (callable, callable) or None
            Of one float, and of two.
        """
        return None

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write a = σ(z) as nodes of ONNX; default: it cannot be exported.

        Parameters
        ----------
        graph : Graph
            What to write into.
        z : Value
            The input, of any shape.

        Returns
        -------
        Value
            Of the shape of z.

        Raises
        ------
        ExportError
            If the class does not define it.
        """
        return super().onnx(graph, z)

    @final
    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input: an activation keeps it."""
        return input_shape

    @final
    def forward(self, ctx: Context, x: Array) -> Array:
        """Return a = σ(z)."""
        return self.f(x, out=ctx.out)

    @final
    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dz = da ∘ σ'(z)."""
        z = ctx.x if "x" in self.reads else None
        a = ctx.y if "y" in self.reads else None
        return self.df(z, a, dy, out=ctx.dx)
