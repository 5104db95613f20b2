"""What y says by itself, before it is an array: the order of its classes, and where it has gaps.

Validation by scikit-learn makes an array of it, which has neither.
"""

from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from modnet.base import Array


def declared_order(y: Any) -> Array | None:
    """Return all classes in the order that y declares: an ordered categorical of pandas, or an Enum of polars."""
    if isinstance(y, np.ndarray | list):
        return None
    wrapped = nw.from_native(y, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(wrapped, nw.DataFrame) and len(wrapped.columns) == 1:
        wrapped = wrapped[wrapped.columns[0]]
    native: Any = wrapped.to_native() if isinstance(wrapped, nw.Series) else y
    dtype: Any = getattr(native, "dtype", None)
    if getattr(dtype, "ordered", False):
        return np.asarray(dtype.categories)  # as they are, where narwhals has text
    if isinstance(wrapped, nw.Series) and isinstance(wrapped.dtype, nw.Enum):
        return np.array(wrapped.dtype.categories, object)
    return None


def check_no_gaps(y: Any) -> None:
    """Check that several columns of a target have a value in each row; one column is scikit-learn's to check.

    Raises
    ------
    ValueError
        If not; names the column and the first row.
    """
    if getattr(y, "ndim", 2) != 2 or sparse.issparse(y):
        return
    try:
        values = np.asarray(y)
    except ValueError:
        return  # validation says what is wrong
    if values.ndim != 2 or values.dtype.kind not in "fO":
        return
    gone = np.isnan(values) if values.dtype.kind == "f" else np.frompyfunc(_is_gap, 1, 1)(values).astype(bool)
    if gone.any():
        row, column = np.argwhere(gone)[0].tolist()
        name = repr(y.columns[column]) if hasattr(y, "columns") else column
        raise ValueError(
            f"Input y contains NaN: column {name} has no value in row {row}, and {gone.any(axis=1).sum()} of {len(y)} "
            "rows lack one. Several targets are learnt together from rows that have them all: leave the others out, "
            "or fit an estimator for each column, on the rows that have it"
        )


def _is_gap(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)
