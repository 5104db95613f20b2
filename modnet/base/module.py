"""A module is a differentiable map with parameters: one link, or several, in the chain that a network is.

Its three numeric methods are the textbook's three lines: z = f(x; W), ∂J/∂W and ∂J/∂x.
"""

import dataclasses
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, Field

from modnet.base.constraint import Constraint
from modnet.base.context import Context
from modnet.base.graph import Graph, not_exported
from modnet.base.initializer import Initializer
from modnet.base.types import Array, Shape
from modnet.base.value import Value
from modnet.component import Component
from modnet.errors import ShapeError
from modnet.slot import Slot, parse
from modnet.strict import lengths

_INITIALIZER, _CONSTRAINT = Slot("initializer"), Slot("constraint")


@dataclasses.dataclass(frozen=True, init=False)
class Parameter:
    """One array that a module needs.

    Parameters
    ----------
    shape : tuple of int
        Its lengths, ≥ 0.
    initializer : Initializer
        Draws its first values: an instance, a registered name or a mapping.
    trainable : bool
        True: a slice of θ, seen as ``ctx.p.<name>`` with its gradient as ``ctx.g.<name>``. False: a slice of the
        state vector (running means and the like), seen as ``ctx.s.<name>``.
    regularized : bool
        Whether weight decay (`alpha`) applies: to weights, not to biases and gains.
    constraint : Constraint, optional
        What its values have to satisfy, in one of these forms; they are put back there after each step.

    Raises
    ------
    InvalidSpecError
        If what is given is no initializer, or no constraint.
    ShapeError
        If the shape is none.

    Examples
    --------
    >>> Parameter((3, 2), "zeros").initializer
    Zeros()
    """

    shape: Shape
    initializer: Initializer
    trainable: bool
    regularized: bool
    constraint: Constraint | None

    def __init__(
        self,
        shape: Shape,
        initializer: Initializer | str | Mapping[str, Any],
        trainable: bool = True,
        regularized: bool = True,
        constraint: Constraint | str | Mapping[str, Any] | None = None,
    ) -> None:
        try:
            shape = lengths(shape, 0)
        except ValueError as error:
            text = f"the shape of a Parameter should be a tuple of whole numbers ≥ 0, got {shape!r}"
            raise ShapeError(text) from error
        # No component, which would take 5 times as long to make: networks make dozens.
        if not isinstance(initializer, Initializer):
            initializer = parse(_INITIALIZER, initializer, subject="Parameter", path="initializer")
        if not (constraint is None or isinstance(constraint, Constraint)):
            constraint = parse(_CONSTRAINT, constraint, subject="Parameter", path="constraint")
        values = {"shape": shape, "initializer": initializer, "trainable": trainable}
        vars(self).update(values, regularized=regularized, constraint=constraint)


def _layer_name(name: str) -> str:
    if not name.isidentifier() or "__" in name or name.startswith("_") or name.endswith("_") or name == "all":
        raise ValueError(
            "should be an identifier without double underscores, and not 'all': it becomes a part of parameter names "
            "such as layers__trunk__units"
        )
    return name


LayerName = Annotated[str, AfterValidator(_layer_name)]
"""What a user may call a layer."""

Blocks = Iterable[tuple[Array, Array | None]]
"""Rows and their weights, block by block."""


class Module(Component, kind="layer"):
    """A differentiable map y = f(x; θ) with parameters: the base of layers.

    Rows are observations: x has shape (n, *input_shape), the batch axis first, the axis of features last. A layer on
    features acts on the last axis, alike at every position of the others: what it learns or measures of a feature is
    of shape (1, n_features), and its sums over rows go over all axes but the last. A module never writes into an array
    it was given, and never keeps one.

    Parameters
    ----------
    name : str, optional
        What users call this layer, in the names of parameters and in summaries.

    Attributes
    ----------
    reads : frozenset of {"x", "y"}
        Which of its input and output its gradients look at; the others are not kept for it.
    takes_sparse : bool
        Whether x may be a scipy.sparse CSR matrix, where it is the first link.
    takes_codes : bool
        Whether x holds codes of categories: whole numbers, along which there is no derivative; dx is zero then.
    takes_columns : bool
        Whether it goes by columns as the user has them: chooses some, or takes their codes. A plan for columns in front
        (`inputs`) stands aside then.
    takes_missing : bool
        Whether NaN in x stands for a missing value; y is finite all the same.
    adapts : bool
        Whether `adapt` looks at the data before training.
    fixed : bool
        Whether y depends on nothing but x and what `adapt` has noted, and is the same in training. Fixed layers in
        front of the first that is trained run once on the rows to train on.
    recommended_init : {"glorot", "he", "lecun"}
        Which first weights in front of it keep signals alive through it: Glorot's for what saturates or is linear,
        He's for rectifiers, LeCun's for what normalizes itself. A dense layer's ``kernel_initializer="auto"`` goes by
        that of its activation.
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x", "y"})
    takes_sparse: ClassVar[bool] = False
    takes_codes: ClassVar[bool] = False
    takes_columns: ClassVar[bool] = False
    takes_missing: ClassVar[bool] = False
    adapts: ClassVar[bool] = False
    fixed: ClassVar[bool] = False
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "glorot"
    name: LayerName | None = Field(default=None, kw_only=True)

    @abstractmethod
    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape per row of y, given that of x.

        Parameters
        ----------
        input_shape : tuple of int
            Per row of x; a `TableShape` where the columns are known.

        Returns
        -------
        tuple of int
            Per row; `input_shape` itself where columns stay what they are.

        Raises
        ------
        ShapeError
            If the module cannot take such an input; the network puts the module's path in front.
        """

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return the arrays it needs for inputs of this shape per row, by name; default: none.

        Parameters
        ----------
        input_shape : tuple of int
            Per row of x.

        Returns
        -------
        mapping of str to Parameter
            Every array by the name that ``ctx.p`` or ``ctx.s`` has it under.
        """
        return {}

    def links(self) -> "Links":
        """Return the links this module stands for, each with its path below it; default: itself, one link.

        A layer with a named activation stands for two links: itself without it, and the activation. They end in the
        module's `output_shape`. A module that runs others inside its own forward is one link and has `chains` instead.

        Returns
        -------
        sequence of (str, Module)
            From the input to the output.
        """
        return (("", self),)

    def chains(self) -> Sequence["Links"]:
        """Return the chains it runs inside its own forward, in the order of ``ctx.children``; default: none.

        It looks at x through them alone, unless its output keeps the columns of x, as that of a residual block does:
        a column that no chain reads is not read.

        Returns
        -------
        sequence of sequences of (str, Module)
            Each from its input to its output, with paths below the module's.
        """
        return ()

    def adapt(self, ctx: Context, blocks: Blocks) -> None:
        """Take note of data before training, in ``ctx.s``; called once, and only where `adapts` is set.

        Parameters
        ----------
        ctx : Context
            With the state as its initializers drew it.
        blocks : iterable of (x, weight)
            The rows to train on as they reach this link, block by block, to be gone through once: x, ndarray, shape (n,
            *input_shape), dtype of θ, and their weights, ndarray, shape (n,), positive, or None. The memory of a block
            is used for the next one: copy what you keep.
        """
        return

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return rows that the module can take, for `modnet.testing`; default: five normal numbers each.

        Parameters
        ----------
        rng : numpy.random.Generator
            What to draw them with.
        n : int
            How many, ≥ 1.

        Returns
        -------
        ndarray of float64, shape (n, …)
            The same numbers from the same generator.
        """
        return rng.normal(size=(n, 5))

    @abstractmethod
    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = f(x; θ).

        Parameters
        ----------
        ctx : Context
            The link's parameters, state and buffers; x and y stay in it if `reads` names them.
        x : ndarray, shape (n, *input_shape), dtype of θ
            Not to be changed.

        Returns
        -------
        ndarray, shape (n, *output_shape), dtype of θ
            ``ctx.out`` or a fresh array; where y = x, x itself or a view of it.
        """

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂θ into ``ctx.g.<name>``, given dy = ∂J/∂y; default: there is nothing to write.

        Called once per backward pass, before `grad_input`.

        Parameters
        ----------
        ctx : Context
            As `forward` left it.
        dy : ndarray, shape (n, *output_shape), dtype of θ
            Not to be changed.
        """
        return

    @abstractmethod
    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dx = ∂J/∂x, given dy = ∂J/∂y.

        Not called where nothing needs it: on the first link of a network.

        Parameters
        ----------
        ctx : Context
            As `forward` left it.
        dy : ndarray, shape (n, *output_shape), dtype of θ
            Not to be changed.

        Returns
        -------
        ndarray, shape (n, *input_shape), dtype of θ
            ``ctx.dx`` or a fresh array; where dx = dy, dy itself or a view of it.
        """

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y = f(x; θ) as nodes of ONNX, as it is in prediction, and return y; default: it cannot be exported.

        Parameters
        ----------
        graph : Graph
            What to write into, with the link's parameters and state: ``graph.p.W``.
        x : Value
            The input, shape (n, *input_shape).

        Returns
        -------
        Value
            The output, shape (n, *output_shape).

        Raises
        ------
        ExportError
            If there is no such method.
        """
        raise not_exported(self)


Links = Sequence[tuple[str, Module]]
"""Modules in a row, each with its path below the module they belong to."""


def located(field: str, modules: Sequence[Module]) -> Links:
    """Return the modules of a tuple field as links, with their paths.

    Parameters
    ----------
    field : str
        The name of the field.
    modules : sequence of Module
        What is in it.

    Returns
    -------
    tuple of (str, Module)
        The modules, with ``"body[0]"``, ``"body[1]"`` and so on.

    Examples
    --------
    >>> from modnet.activations import ReLU, Tanh
    >>> located("body", (ReLU(), Tanh()))
    (('body[0]', ReLU()), ('body[1]', Tanh()))
    """
    return tuple((f"{field}[{index}]", module) for index, module in enumerate(modules))


def under(path: str, links: Links) -> Links:
    """Return links with their paths below another one.

    Parameters
    ----------
    path : str
        What to put in front.
    links : sequence of (str, Module)
        Modules with their paths.

    Returns
    -------
    tuple of (str, Module)
        The same modules.

    Examples
    --------
    >>> from modnet.activations import ReLU, Tanh
    >>> under("output", [("", ReLU()), ("end", Tanh())])
    (('output', ReLU()), ('output.end', Tanh()))
    """
    return tuple((f"{path}.{below}" if below else path, module) for below, module in links)


def shape_through(links: Links, shape: Shape) -> Shape:
    """Return the shape per row behind links that run one after the other.

    Parameters
    ----------
    links : sequence of (str, Module)
        Modules with their paths.
    shape : tuple of int
        Per row, in front of the first.

    Returns
    -------
    tuple of int
        Per row, behind the last.

    Raises
    ------
    ShapeError
        If one does not fit what comes before it; the message names its path.
    """
    for path, module in links:
        try:
            shape = module.output_shape(shape)
        except ShapeError as error:
            raise ShapeError(f"{path} ({type(module).__name__}): {error}") from error
    return shape
