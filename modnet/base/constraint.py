"""A constraint is a set that a parameter's values have to stay in: after each step they are put back there."""

from abc import abstractmethod

from modnet.base.types import Array
from modnet.component import Component


class Constraint(Component, kind="constraint"):
    """A set of allowed values, as the projection onto it."""

    @abstractmethod
    def project(self, W: Array) -> None:
        """Move W, in place, to the nearest values that are allowed; values that are allowed stay as they are.

        Parameters
        ----------
        W : ndarray, shape (…, n_in, n_out)
            A view of θ: columns on axis −1 are the weights of one unit.
        """
