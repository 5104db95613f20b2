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
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from modnet.acceleration import predicted, predicted_blocks
from modnet.base import Accelerator, Array, Inputs, Module, Shape, TableShape
from modnet.errors import ShapeError
from modnet.estimators.given import check_no_gaps, declared_order
from modnet.estimators.holders import checked
from modnet.estimators.parameters import chosen_accelerator, loss_of
from modnet.estimators.scaling import scale_admitted
from modnet.estimators.table import Table, unread
from modnet.estimators.target import Numbers, Target, codes_of, weights_of
from modnet.network import Network
from modnet.network.trial import adapt, check_missing
from modnet.registry import registry
from modnet.spec import ModelSpec
from modnet.training import Data

MANY_ROWS = 1000
"""From how many rows on "auto" calculates in float32: there it takes half the time of float64, below 300 rows 0.6 to
0.9 of it (two layers of 128, 5 to 20 columns, with and without modnet-numba)."""


@dataclass(frozen=True)
class Sample:
    """Rows of data, twice: as the loss takes them and with the labels that the user gave.

    Attributes
    ----------
    data : Data
        What training and the loss look at; numbers to predict in the units of y until they are `scaled`.
    target : Target
    y : ndarray, shape (n,) or (n, k)
        What scorers look at.
    dtype : dtype
        Of θ.
    given_weight : ndarray, shape (n,), optional
        The weights that the user gave, without those of classes: what scorers weigh by.
    index : ndarray of int, shape (n,), optional
        Where the rows are in the user's X; None: all of them are here.
    """

    data: Data
    target: Target
    y: Array
    dtype: "np.dtype[np.floating]"
    given_weight: Array | None = None
    index: Array | None = None

    def rows(self, index: Array | slice) -> "Sample":
        """Return some of the rows: those of a slice as views, others copied."""
        data = self.data.rows(index) if isinstance(index, slice) else self.data.take(index)
        given = None if self.given_weight is None else self.given_weight[index]
        own = (np.arange(len(self.data)) if self.index is None else self.index)[index]
        return Sample(data, replace(self.target, t=data.t), self.y[index], self.dtype, given, own)

    def split(
        self, fraction: float, random_state: Any, stratify: Array | None, alone: Array | None = None
    ) -> tuple["Sample", int]:
        """Return the rows in another order, those to train on first, those to watch last; and how many are the first.

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
        return self.rows(np.concatenate([train, held_out])), len(train)


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
    order = None
    if reset:
        estimator.table_ = Table.of(X, estimator.spec_, whole=estimator._reads_all)
    if y is None or estimator._reads_all:
        X = y = _validated(estimator, X, None if y is None else "no_validation", reset=reset)
    else:
        check_no_gaps(y)
        order = declared_order(y)
        X, y = _validated(estimator, X, y, reset=reset, multi_output=True, y_numeric=estimator._y_numeric)
    given = None
    if sample_weight is not None:
        given = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        _check_size(given)
    y, present = dense(y), None
    if given is not None and not (given > 0).all():
        present = np.flatnonzero(given > 0)
        X, y, given = X[present], y[present], given[present]
    dtype = _dtype(estimator, X) if reset else estimator.theta_.dtype
    X = X if encodes(estimator) else X.astype(dtype, copy=False)
    if estimator._ravel_y and y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if learning:
        estimator._learn_target(y, order)
    target = estimator._target.target(y, dtype)
    weight = _weight_by_class(estimator, y, given, learning=learning or reset)
    data = Data(X, target.t, None if weight is None else weight.astype(dtype))
    sample = Sample(data, target, y, dtype, given, present)
    if weight is None or (weight > 0).all():
        return sample
    kept = np.flatnonzero(weight > 0)
    if not len(kept):
        raise ValueError(f"class_weight={estimator.class_weight!r} leaves no row that weighs anything")
    return sample.rows(kept)


def learn_scale(estimator: Any, sample: Sample) -> None:
    """Learn, from the rows to train on, what numbers are changed by for the loss; one that was learnt before stays."""
    if isinstance(estimator._target, Numbers):
        kind = scale_admitted(estimator.spec_, loss_of(estimator))
        estimator._target = estimator._target.learnt(kind, sample.target.t, sample.data.weight)


def scaled(estimator: Any, sample: Sample) -> Sample:
    """Return a sample with the data that the loss sees: numbers in the scale that was learnt, in the dtype of θ."""
    if not isinstance(estimator._target, Numbers):
        return sample
    t = estimator._target.scaled(sample.target.t, estimator.theta_.dtype)
    return replace(sample, data=replace(sample.data, t=t))


def dense(y: Any) -> Any:
    """Return a target as it is, or as an array if it is sparse."""
    return y.toarray() if sparse.issparse(y) else y


def with_first_weights(estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Sample]:
    """Return a copy of an estimator as it is before the first step of `fit`, and the rows as its loss sees them.

    Parameters
    ----------
    estimator : ModNetClassifier, ModNetRegressor or ModNetTransformer
    X, y, sample_weight : array-like
        As for `fit`.
    """
    copied = clone(estimator)
    sample = copied._begin(copied.to_spec(), X, y, sample_weight, again=False, learning=True)
    learn_scale(copied, sample)
    adapt(copied.network_, copied.theta_, copied.state_, sample.data.x, sample.data.weight)
    return copied, scaled(copied, sample)


def rows_of(estimator: Any, X: Any) -> Any:
    """Return validated rows as the network of a fitted estimator takes them: an array, or a CSR matrix.

    Raises
    ------
    ValueError
        If X is not valid, as scikit-learn words it.
    InputError
        If values are missing that no layer takes.
    """
    if _is_ready(estimator, X):
        return X
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
    if not hasattr(estimator, "theta_"):
        check_is_fitted(estimator)  # which asks for tags, and says what to do
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
        if isinstance(shape, TableShape):  # which is equal to one without columns
            return spec.network(shape, width)
        # The same one for each fold of a search: it holds no weights.
        return registry.remembered((spec, shape, width), lambda: spec.network(shape, width))
    except ShapeError as error:
        if len(shape) == 1:
            raise
        # As scikit-learn begins it.
        text = f"Found array with dim {len(shape) + 1}, while dim <= 2 is required by {type(estimator).__name__}"
        raise ShapeError(f"{text}, whose layers do not take rows of shape {shape}: {error}") from error


def with_chosen_inputs(estimator: Any, spec: ModelSpec, sample: Sample) -> tuple[ModelSpec, Sample]:
    """Return a spec with what its plan for columns leaves to the rows to train on chosen, and the rows for it.

    Raises
    ------
    ValueError
        If rows that pass as they are hold NaN, as scikit-learn words it.
    """
    if not isinstance(spec.inputs, Inputs):
        return spec, sample
    x = sample.data.x
    spec = replace(spec, inputs=spec.inputs.choose(input_shape(estimator), x, sample.data.weight))
    if spec.inputs is None:  # they were taken as the plan would have them
        if not takes("missing", (each for _, each in spec.modules() if isinstance(each, Module))):
            assert_all_finite(x, estimator_name=type(estimator).__name__, input_name="X")
        sample = replace(sample, data=replace(sample.data, x=x.astype(sample.dtype, copy=False)))
    return spec, sample


def modules_of(estimator: Any, *, fitted: bool) -> list[Module | Inputs]:
    """Return all layers, those inside layers too: of the fitted network, or of the spec, inputs among them."""
    if fitted:
        return [link.module for link in estimator.network_.walk()]
    spec = estimator.spec_ if hasattr(estimator, "spec_") else estimator.to_spec()
    return [each for _, each in spec.modules() if isinstance(each, Module | Inputs)]


def takes(what: Literal["codes", "missing"], among: Iterable[Module | Inputs]) -> bool:
    """Return whether one of the layers takes codes of categories, or missing values."""
    return any(each.takes_codes if what == "codes" else each.takes_missing for each in among)


def encodes(estimator: Any) -> bool:
    """Return whether there is a plan for columns in front: it takes float64 rows, whatever the dtype of θ."""
    return isinstance(estimator.spec_.inputs, Inputs)


def _dtype(estimator: Any, X: Any) -> "np.dtype[np.floating]":
    """Return the dtype of θ for rows to train on."""
    wanted = estimator.spec_.training.dtype
    if wanted != "auto":
        return np.dtype(str(wanted))
    narrow = X.dtype == np.float32 or (estimator._tuned and X.shape[0] >= MANY_ROWS)
    return np.dtype("float32" if narrow else "float64")


def _row_dtypes(estimator: Any, *, reset: bool) -> "tuple[np.dtype[np.floating], ...]":
    """Return the dtypes in which rows are left; what has another becomes the first."""
    return (np.dtype("f8"), np.dtype("f4")) if reset or encodes(estimator) else (estimator.theta_.dtype,)


def _validated(estimator: Any, X: Any, y: Any = "no_validation", *, reset: bool, **checks: Any) -> Any:
    """Return X, and y if given, as scikit-learn has checked them; categories are codes if a layer takes codes."""
    table, shape = estimator.table_, () if reset else estimator.input_shape_
    gaps = not estimator._reads_all and takes("missing", modules_of(estimator, fitted=not reset))
    if len(shape) > 1 and np.shape(X)[1:] != shape:
        raise ValueError(f"X should have rows of shape {shape}, as in fit, got an X of shape {np.shape(X)}")
    check = partial(
        validate_data,
        estimator,
        y=y,
        reset=reset,
        dtype=_row_dtypes(estimator, reset=reset),
        ensure_all_finite="allow-nan" if gaps else True,
        accept_sparse=estimator._sparse_format,
        allow_nd=estimator._allow_nd if reset else len(shape) > 1,
        **checks,
    )
    if table is not None:
        found = checked(table.rows(X), check, lambda n: table.unread())
    else:
        found = checked(X, check, lambda n: [] if estimator._reads_all else unread(estimator.spec_, n))
    if reset:
        rows = found[0] if isinstance(found, tuple) else found
        estimator.input_shape_ = rows.shape[1:]
        if table is None and encodes(estimator) and isinstance(rows, np.ndarray) and rows.ndim == 2:
            truth_values = isinstance(X, np.ndarray) and X.dtype == bool
            estimator.table_ = Table.of_numbers(rows, truth_values=truth_values)
    return found


def _is_ready(estimator: Any, X: Any) -> bool:
    """Return whether scikit-learn's check, which takes longer than a small network, would return X as it is."""
    if type(X) is not np.ndarray or X.shape[1:] != estimator.input_shape_ or not len(X):
        return False
    table = estimator.table_
    if hasattr(estimator, "feature_names_in_") or (table is not None and table.types):
        return False
    if X.dtype not in _row_dtypes(estimator, reset=False):
        return False
    with np.errstate(all="ignore"):  # a sum that overflows is looked at as one of what is not finite
        return bool(np.isfinite(X.sum()))


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
        total *= by_class[codes_of(column, classes)]
    return total
