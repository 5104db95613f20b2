"""A sample: X, y and weights as scikit-learn hands them over, checked and written for training."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.model_selection import train_test_split

from modnet.base import Array
from modnet.estimators.target import Target
from modnet.training import Data


@dataclass(frozen=True)
class Sample:
    """Rows of data, twice: as the loss takes them and with the labels that the user gave.

    Attributes
    ----------
    data : Data
        What training and the loss look at.
    target : Target
    y : ndarray, shape (n,) or (n, k)
        What scorers look at.
    given_weight : ndarray, shape (n,), optional
        The weights that the user gave, without those of classes: what scorers weigh by.
    """

    data: Data
    target: Target
    y: Array
    given_weight: Array | None = None

    def rows(self, index: Array) -> "Sample":
        """Return some of the rows, copied."""
        data = self.data.take(index)
        given = None if self.given_weight is None else self.given_weight[index]
        return Sample(data, replace(self.target, t=data.t), self.y[index], given)

    def split(self, fraction: float, random_state: Any, stratify: Array | None) -> tuple["Sample", "Sample"]:
        """Return the rows to train on and the rows to watch.

        Parameters
        ----------
        fraction : float
            Share of the rows to watch, in (0, 1).
        random_state : int or RandomState
        stratify : ndarray, shape (n,), optional
            What both parts should have in the same proportions.
        """
        train, held_out = train_test_split(
            np.arange(len(self.data)), test_size=fraction, stratify=stratify, random_state=random_state
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return self.rows(train), self.rows(held_out)


def present(X: Any, y: Array, weight: Array | None) -> tuple[Any, Array, Array | None]:
    """Return the rows that have a weight.

    A row of weight zero counts as absent: batches, classes and splits are then those of the other rows alone.
    """
    if weight is None or (weight > 0).all():
        return X, y, weight
    kept = np.flatnonzero(weight > 0)
    return X[kept], y[kept], weight[kept]


def by_rows(X: Any) -> Any:
    """Return X so that rows can be sliced: CSC and its like become CSR."""
    return X.tocsr() if sparse.issparse(X) else X


def warn_of_clipping(batch_size: int | None, n: int) -> None:
    """Warn, in scikit-learn's words, of batches larger than the data; training makes them as large as the data."""
    if batch_size is not None and batch_size > n:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=2
        )
