"""The workspace of one link while data passes through it: views of its parameters, buffers, randomness.

A context belongs to the caller, one per pass and link, never to the module; so modules have no state and any number
of threads can run the same network.
"""

from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from modnet.base.types import Array, Shape
from modnet.errors import ContractError


class Chain(Protocol):
    """Links in a row, running: what a composite module finds in ``ctx.children``."""

    def forward(self, x: Array) -> Array:
        """Return the output of the last link."""

    def grad_params(self, dy: Array) -> None:
        """Write the gradients of all parameters in the chain, from the gradient of its output."""

    def grad_input(self) -> Array:
        """Return the gradient of the chain's input; `grad_params` has to be called before."""


class Context:
    """What one link owns during one pass.

    Parameters
    ----------
    p, g, s : SimpleNamespace of arrays
        Views of this link's parameters, of their gradients and of its non-trainable state: ``ctx.p.W``. A gradient is
        written into its view (``np.matmul(…, out=ctx.g.W)``); state may be changed in place while `training`.
    input_shape : tuple of int
        The shape per row of x; a `TableShape` where its columns are known.
    out, dx : ndarray or None
        Buffers of the shape of y and of x, for `forward` and `grad_input` to write into. To return a fresh array
        instead is correct too. None means that there is no buffer, which is what ``out=`` takes for it.
    training : bool
        Whether this is a training pass: dropout drops, batch statistics are taken.
    rng : numpy.random.Generator
        The source of randomness in training.
    children : tuple of Chain
        The chains that the module's `chains` announced, ready to run.

    Attributes
    ----------
    x, y : ndarray, shape (n, *input_shape) and (n, *output_shape)
        The link's input and output, from forward to backward, if its `reads` names them.
    """

    __slots__ = ("_scratch", "children", "dx", "g", "input_shape", "out", "p", "rng", "s", "training", "x", "y")

    def __init__(
        self,
        *,
        p: SimpleNamespace,
        g: SimpleNamespace,
        s: SimpleNamespace,
        input_shape: Shape = (),
        out: Array | None = None,
        dx: Array | None = None,
        training: bool = False,
        rng: np.random.Generator | None = None,
        children: tuple[Chain, ...] = (),
    ) -> None:
        self.p, self.g, self.s, self.input_shape = p, g, s, input_shape
        self.out, self.dx = out, dx
        self.training, self.children = training, children
        self.rng: np.random.Generator
        if rng is not None:
            self.rng = rng
        self._scratch: dict[str, Array] = {}
        self.x: Array
        self.y: Array

    def scratch(self, name: str, shape: Shape, dtype: Any) -> Array:
        """Return memory that lives from forward to backward, and is there again in the next pass.

        Parameters
        ----------
        name : str
            The module's own name for it.
        shape : tuple of int
            Full shape, the batch axis included.
        dtype : dtype
            Of its elements.

        Returns
        -------
        ndarray
            What was written under that name before, or uninitialised memory.
        """
        array = self._scratch.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            array = self._scratch[name] = np.empty(shape, dtype)
        return array

    def __getattr__(self, name: str) -> Any:
        """Make a generator where none was given, or explain the absence of an input or output that was not kept."""
        if name == "rng":  # only training draws; a generator would be a twentieth of what predicting one row takes
            self.rng = np.random.default_rng(0)
            return self.rng
        if name in ("x", "y"):
            raise ContractError(f"ctx.{name} was not kept: put {name!r} into the class's reads, or call forward first")
        raise AttributeError(f"a Context has no attribute {name!r}")
