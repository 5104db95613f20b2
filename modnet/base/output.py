"""An output ends a network: it makes as many columns as the loss looks at out of what the last hidden layer gives.

The usual one is affine; an ensemble has a head per member.
"""

from abc import abstractmethod
from collections.abc import Sequence

from modnet.base.module import Links
from modnet.base.types import Shape
from modnet.component import Component


class Output(Component, kind="output"):
    """A plan for the end of a network whose width only the data tells."""

    def example_shapes(self) -> Sequence[tuple[Shape, int]]:
        """Return shapes and widths that it can take, for `modnet.testing`; default: five features, three and one.

        Returns
        -------
        sequence of (tuple of int, int)
            Shapes per row in front of it, and how many columns to make of them.
        """
        return (((5,), 3), ((5,), 1))

    @abstractmethod
    def links(self, shape: Shape, width: int) -> Links:
        """Return the links behind the last layer, each with its path below ``output``.

        Parameters
        ----------
        shape : tuple of int
            Per row of what the last layer gives.
        width : int
            Columns of the raw output that the loss asks for, ≥ 1: the links end in rows of shape ``(width,)``.

        Returns
        -------
        sequence of (str, Module)
            From what the last layer gives to the raw output.

        Raises
        ------
        ShapeError
            If it cannot make that of such rows.
        """
