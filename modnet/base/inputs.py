"""Inputs stand in front of the layers: they turn the columns that a user has into the numbers that layers take.

They are a plan, made before any row is seen; what has to be learnt of the columns is state of the links they make.
"""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from modnet.base.module import Links
from modnet.base.types import Array, Shape
from modnet.component import Component


class Inputs(Component, kind="inputs"):
    """A plan for columns that nobody has met yet: which links stand in front of the layers.

    Attributes
    ----------
    takes_sparse, takes_codes, takes_missing : bool
        Whether the links take sparse rows, codes of categories, missing values; see `Module`.
    """

    takes_sparse: ClassVar[bool] = False
    takes_codes: ClassVar[bool] = False
    takes_missing: ClassVar[bool] = False

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return rows that it can take, for `modnet.testing`; default: five normal numbers each.

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

    def choose(self, shape: Shape, x: Any, weight: Array | None) -> Self | None:
        """Return it with what it leaves open chosen, before the network is built; default: itself.

        Parameters
        ----------
        shape : tuple of int
            As for `links`.
        x : ndarray or scipy.sparse CSR matrix, shape (n, *shape)
            The rows to train on; of `partial_fit` the first.
        weight : ndarray, shape (n,), optional
            Positive weights of the rows.

        Returns
        -------
        Inputs or None
            None: such rows pass as they are.
        """
        return self

    @abstractmethod
    def links(self, shape: Shape) -> Links:
        """Return the links for rows of this shape, each with its path below ``inputs``; none for an empty sequence.

        Parameters
        ----------
        shape : tuple of int
            Per row of X; a `TableShape` where the columns are known.

        Returns
        -------
        sequence of (str, Module)
            From X to what the first layer takes.

        Raises
        ------
        ShapeError
            If it cannot take such rows.
        """
