"""Preparing data: X, y and weights as the user has them become rows that the network and the loss take.

All data comes in through here: what is learnt from, what early stopping watches, and what is predicted for. Where a
layer takes codes, columns of categories are written as codes on the way in; see `modnet.estimators.table`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils import column_or_1d
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from modnet.acceleration import predicted, predicted_blocks
from modnet.base import Accelerator, Array, Inputs, Module, Shape, TableShape
from modnet.errors import ShapeError
from modnet.estimators.parameters import chosen_accelerator
from modnet.estimators.table import Table, checked, unread
from modnet.estimators.target import Target, weights_of
from modnet.network import Network
from modnet.network.trial import adapt, check_missing
from modnet.spec import ModelSpec
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
    index : ndarray of int, shape (n,), optional
        Where the rows are in the user's X; None: all of them are here.
    """

    data: Data
    target: Target
    y: Array
    given_weight: Array | None = None
    index: Array | None = None

    def rows(self, index: Array) -> "Sample":
        """Return some of the rows, copied."""
        data = self.data.take(index)
        given = None if self.given_weight is None else self.given_weight[index]
        own = index if self.index is None else self.index[index]
        return Sample(data, replace(self.target, t=data.t), self.y[index], given, own)

    def split(
        self, fraction: float, random_state: Any, stratify: Array | None, alone: Array | None = None
    ) -> tuple["Sample", "Sample"]:
        """Return the rows to train on and the rows to watch.

        Parameters
        ----------
        fraction : float
            Share of the rows to watch, in (0, 1).
        random_state : int or RandomState
        stratify : ndarray, shape (n,), optional
            What both parts should have in the same proportions.
        alone : ndarray, shape (n,), bool, optional
            Which rows to train on in any case; `fraction` and `stratify` are of the others.
        """
        rows = np.arange(len(self.data))
        others = rows if alone is None else rows[~alone]
        train, held_out = train_test_split(others, test_size=fraction, stratify=stratify, random_state=random_state)
        if alone is not None:
            train = np.concatenate([train, rows[alone]])
        if len(held_out) < 2:
            remedy = "Increase 'validation_fraction' or the size of your dataset."
            raise ValueError(f"The validation set is too small. {remedy}")
        return self.rows(train), self.rows(held_out)


def prepared(
    estimator: Any, X: Any, y: Any = None, sample_weight: Any = None, *, reset: bool = False, learning: bool = False
) -> Sample:
    """Return the validated rows that have a weight, with their target.

    Parameters
    ----------
    estimator : ModNetClassifier, ModNetRegressor, …
        A fitted one, except with `reset`.
    X : array-like or sparse matrix, shape (n, n_features) or (n, *input_shape)
    y : array-like, shape (n,) or (n, k), optional
        None or X itself: rows that are their own target, as for an autoencoder.
    sample_weight : array-like, shape (n,), optional
        A row of weight zero counts as absent: batches, classes and splits are then those of the other rows alone.
    reset : bool
        Whether to remember the columns of X, as the first `fit` does, instead of checking that they are as before.
    learning : bool
        Whether to learn from y what there is to predict: its classes, or how many numbers per row.

    Raises
    ------
    ValueError
        If the data is not valid, as scikit-learn words it.
    """
    if reset:
        estimator.table_ = Table.of(X, estimator.spec_, whole=estimator._reads_all)
    if y is None or estimator._reads_all:
        X = y = _validated(estimator, X, None if y is None else "no_validation", reset=reset)
    else:
        X, y = _validated(estimator, X, y, reset=reset, multi_output=True, y_numeric=estimator._y_numeric)
    given = None
    if sample_weight is not None:
        given = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        _check_size(given)
    y, present = y.toarray() if sparse.issparse(y) else y, None
    if given is not None and not (given > 0).all():
        present = np.flatnonzero(given > 0)
        X, y, given = X[present], y[present], given[present]
    if estimator._ravel_y and y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if learning:
        estimator._learn_target(y)
    target = estimator._target.target(y, X.dtype)
    weight = _weight_by_class(estimator, y, given, learning=learning or reset)
    sample = Sample(Data(X, target.t, None if weight is None else weight.astype(X.dtype)), target, y, given, present)
    if weight is None or (weight > 0).all():
        return sample
    kept = np.flatnonzero(weight > 0)
    if not len(kept):
        raise ValueError(f"class_weight={estimator.class_weight!r} leaves no row that weighs anything")
    return sample.rows(kept)


def with_first_weights(estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Sample]:
    """Return a copy of an estimator as it is before the first step of `fit`, and the rows as it takes them.

    Parameters
    ----------
    estimator : ModNetClassifier, ModNetRegressor or ModNetTransformer
    X, y, sample_weight : array-like
        As for `fit`.
    """
    copied = clone(estimator)
    sample = copied._begin(copied.to_spec(), X, y, sample_weight, again=False, learning=True)
    adapt(copied.network_, copied.theta_, copied.state_, sample.data.x, sample.data.weight)
    return copied, sample


def rows_of(estimator: Any, X: Any) -> Any:
    """Return validated rows as the network of a fitted estimator takes them: an array, or a CSR matrix.

    Raises
    ------
    ValueError
        If X is not valid, as scikit-learn words it.
    InputError
        If values are missing that no layer takes.
    """
    rows = _validated(estimator, X, reset=False)
    if takes("missing", modules_of(estimator, fitted=True)):
        check_missing(estimator.network_, estimator.theta_, estimator.state_, rows)
    return rows


def raw_output(estimator: Any, X: Any) -> Array:
    """Return the raw output of a fitted estimator's network for X: shape (n, width of the output), dtype of θ."""
    return predicted(*_run(estimator, X))


def raw_blocks(estimator: Any, X: Any) -> Iterator[Array]:
    """Yield the raw output for X, a block of rows at a time; a block is valid until the next."""
    return predicted_blocks(*_run(estimator, X))


def _run(estimator: Any, X: Any) -> tuple[Network, Accelerator | None, Array, Array, Any]:
    """Return what predicts, and the rows."""
    check_is_fitted(estimator)
    rows = rows_of(estimator, X)
    return estimator.network_, chosen_accelerator(estimator), estimator.theta_, estimator.state_, rows


def input_shape(estimator: Any) -> Shape:
    """Return the shape per row of X, as an estimator has met it: with its columns, if it was a data frame."""
    shape: Shape = estimator.input_shape_
    return shape if estimator.table_ is None else TableShape(estimator.table_.columns)


def network_for(estimator: Any, spec: ModelSpec, width: int) -> Network:
    """Return the network of a spec for rows as an estimator has met them.

    Raises
    ------
    ShapeError
        If a layer does not fit or there is nothing in a row.
    """
    shape = input_shape(estimator)
    if 0 in shape:
        raise ShapeError(f"rows of shape {shape} have no elements: a network takes at least one number per row")
    try:
        return spec.network(shape, width)
    except ShapeError as error:
        if len(shape) == 1:
            raise
        # As scikit-learn begins it.
        text = f"Found array with dim {len(shape) + 1}, while dim <= 2 is required by {type(estimator).__name__}"
        raise ShapeError(f"{text}, whose layers do not take rows of shape {shape}: {error}") from error


def modules_of(estimator: Any, *, fitted: bool) -> list[Module | Inputs]:
    """Return all layers, those inside layers too: of the fitted network, or of the spec, inputs among them."""
    if fitted:
        return [link.module for link in estimator.network_.walk()]
    spec = estimator.spec_ if hasattr(estimator, "spec_") else estimator.to_spec()
    return [each for _, each in spec.modules() if isinstance(each, Module | Inputs)]


def takes(what: Literal["codes", "missing"], among: Iterable[Module | Inputs]) -> bool:
    """Return whether one of the layers takes codes of categories, or missing values."""
    return any(each.takes_codes if what == "codes" else each.takes_missing for each in among)


def _validated(estimator: Any, X: Any, y: Any = "no_validation", *, reset: bool, **checks: Any) -> Any:
    """Return X, and y if given, as scikit-learn has checked them; categories are codes if a layer takes codes."""
    table, shape = estimator.table_, () if reset else estimator.input_shape_
    if len(shape) > 1 and np.shape(X)[1:] != shape:
        raise ValueError(f"X should have rows of shape {shape}, as in fit, got an X of shape {np.shape(X)}")
    check = partial(
        validate_data,
        estimator,
        y=y,
        reset=reset,
        dtype=(np.float64, np.float32) if reset else estimator.theta_.dtype,  # what is neither becomes the first
        ensure_all_finite="allow-nan" if takes("missing", modules_of(estimator, fitted=not reset)) else True,
        accept_sparse=estimator._sparse_format,
        allow_nd=estimator._allow_nd if reset else len(shape) > 1,
        **checks,
    )
    if table is not None:
        found = checked(table.rows(X), check, lambda n: table.unread())
    else:
        found = checked(X, check, lambda n: [] if estimator._reads_all else unread(estimator.spec_, n))
    if reset:
        estimator.input_shape_ = (found[0] if isinstance(found, tuple) else found).shape[1:]
    return found


def _check_size(weight: Array) -> None:
    """Check that weights, finite and not negative, can be summed and divided by."""
    with np.errstate(over="ignore"):
        whole = np.isfinite(weight.sum())
    found = weight.max() if not whole else weight[weight > 0].min(initial=np.inf)
    if not whole or found < np.finfo(weight.dtype).tiny:
        raise ValueError(
            f"sample_weight holds {found:g}, with which {weight.dtype} does not calculate: only the ratios of weights "
            "count, so divide them by their mean"
        )


def _weight_by_class(estimator: Any, y: Array, weight: Array | None, *, learning: bool) -> Array | None:
    """Return the weights of rows times those of their classes; without weights of classes, the weights of rows."""
    class_weight = getattr(estimator, "class_weight", None)
    if class_weight is None:
        return weight
    columns, known = list(y.T) if y.ndim == 2 else [y], estimator._target
    if learning or class_weight != "balanced":
        # Balanced by the rows to learn from: validation rows weigh as much as training rows of their class.
        estimator._class_weights = weights_of(class_weight, known, columns, weight)
    total = np.ones(len(y)) if weight is None else weight.astype(np.float64)
    for column, classes, by_class in zip(columns, known.labels_of_columns, estimator._class_weights, strict=True):
        total *= by_class[np.searchsorted(classes, column)]
    return total
