"""What is wrong with the data: missing values, constant columns, scales of columns and targets, rare classes."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from modnet.base import Array, Loss, TableShape
from modnet.diagnosis import Finding
from modnet.diagnosis.signals import Observation, Signal
from modnet.text import counted, listed

_RATIO = 100.0
"""How much wider one column may be than another."""

_OFFSET = 10.0
"""How far a column's mean may be from zero, in standard deviations."""

_SIZES = 0.01, 100.0
"""Between which numbers the widest column's standard deviation should be."""

_RARE = 10.0
"""How much more often one class may come than another."""

_SERIOUS = 10.0
"""Where one of these bounds is exceeded by this factor, it is a problem and not a note."""

_LEVEL = 30.0
"""How large a target may be, in mean or standard deviation."""

_TINY = 0.03
"""How small its standard deviation may be: below, `tol` ends training before anything is learnt."""

_EXPLAINED = 0.3
"""The share of a target's variance that a fitted network has to explain for its scale to do no harm."""

_SCALER = "put StandardScaler in front, as in make_pipeline(StandardScaler(), model), or 'standardize' as first layer"


def names_of(X: Any, given: Sequence[str] | None = None) -> list[str]:
    """Return the names of the columns of X; without any, what to call them.

    Rows of several axes have a column for each of their elements, in the order in which `Flatten` puts them.

    Examples
    --------
    >>> names_of(np.zeros((5, 2)))
    ['column 0', 'column 1']
    """
    if given is not None and len(given) == X.shape[1]:
        return [str(name) for name in given]
    columns = getattr(X, "columns", None)
    return (
        [f"column {i}" for i in range(math.prod(X.shape[1:]))] if columns is None else [str(name) for name in columns]
    )


def complete(X: Any) -> tuple[Array, Array]:
    """Return which rows of X are complete, and how many values are missing per column: NaN, null, and infinities."""
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if sparse.issparse(X):
        entries = X.tocoo()
        bad = ~np.isfinite(entries.data)
        whole = np.ones(X.shape[0], bool)
        whole[entries.row[bad]] = False
        return whole, np.bincount(entries.col[bad], minlength=X.shape[1])
    gaps: Array
    if isinstance(frame, nw.DataFrame):
        gaps = np.column_stack([_gaps(series) for series in frame.iter_columns()])
    else:
        array = np.asarray(X)
        # NaN alone differs from itself.
        array = array.reshape(len(array), math.prod(array.shape[1:]))
        gaps = ~np.isfinite(array) if array.dtype.kind == "f" else (array != array) | (array == None)  # noqa: E711
    return np.asarray(~gaps.any(axis=1)), gaps.sum(axis=0)


def missing_values(gaps: Array, names: Sequence[str], rows: int) -> Iterator[Finding]:
    """Yield a finding if values are missing; gaps are counted by column, rows are those that have any."""
    total = int(gaps.sum())
    if total:
        worst = [f"{names[i]} ({gaps[i]:,})" for i in np.argsort(-gaps, kind="stable").tolist() if gaps[i]]
        found = f"{counted(total, 'value')} missing or infinite in {counted(rows, 'row')}: {listed(worst)}"
        remedy = (
            "impute them (SimpleImputer, with add_indicator=True to keep the fact), or use a layer that takes them; "
            "what follows looks at the other rows"
        )
        yield Finding("missing-values", "problem", "X", found, remedy)


def missing_targets(rows: int) -> Iterator[Finding]:
    """Yield a finding if the target is missing in some rows."""
    if rows:
        found = f"the target is missing in {counted(rows, 'row')}"
        yield Finding(
            "missing-targets", "problem", "y", found, "leave these rows out; what follows looks at the others"
        )


def constant_columns(x: Any, names: Sequence[str], *, named: Array) -> Iterator[Finding]:
    """Yield a finding if columns have the same value in all rows.

    A column of zeros costs nothing, and images are full of them: one that is not `named` is no finding.
    """
    if not x.shape[0] or not x.shape[1]:
        return
    if sparse.issparse(x):
        low, high = x.min(axis=0).toarray()[0], x.max(axis=0).toarray()[0]
    else:
        low, high = x.min(axis=0).ravel(), x.max(axis=0).ravel()
    silent = np.flatnonzero((low == high) & (named | (low != 0))).tolist()
    found = [f"{names[i]} ({low[i]:.3g})" for i in silent]
    if found:
        text = f"{counted(len(found), 'column')} with one value in all rows: {listed(found)}"
        yield Finding("constant-columns", "note", "X", text, "leave them out; VarianceThreshold does")


def scales(signal: Signal, names: Sequence[str]) -> Iterator[Finding]:
    """Yield findings about the scales of the columns that reach a layer with weights."""
    x, shape = signal.entering, signal.link.input_shape
    if x is None:
        return
    if isinstance(shape, TableShape):
        names = [column.name for column in shape.columns]
    elif len(names) != shape[-1]:
        names = [f"column {i} of the input of {signal.link.path}" for i in range(shape[-1])]
    with np.errstate(all="ignore"):
        mean, std, low, high = x.mean(axis=0), x.std(axis=0), x.min(axis=0), x.max(axis=0)
    if not np.isfinite(std).all():
        return
    width, flags = high - low, ((x == 0) | (x == 1)).all(axis=0)
    # A column varies if it does so by more than rounding; flags of 0 and 1 are as they should be.
    varies = std > 1e-7 * np.maximum(np.abs(low), np.abs(high))
    numbers = np.flatnonzero(varies & ~flags)
    if not len(numbers):
        return
    ordered = numbers[np.argsort(std[numbers])].tolist()
    largest, smallest = ordered[-1], ordered[0]
    # A pixel that is seldom on has a small deviation but the range of the others: it is scaled like them.
    narrow = [i for i in ordered if std[largest] > _RATIO * std[i] and width[largest] > _RATIO * width[i]]
    if narrow:
        wide = [i for i in ordered[::-1] if std[i] > _RATIO * std[smallest]]
        ratio = std[largest] / std[narrow[0]]
        ends = f"largest in {_valued(wide, names, std)}; smallest in {_valued(narrow, names, std)}"
        text = f"standard deviations differ by a factor of {ratio:.2g}: {ends}"
        yield Finding("scale-spread", "problem" if ratio > _SERIOUS * _RATIO else "note", "X", text, _SCALER)
    offsets = np.abs(mean) / np.where(std > 0, std, 1)
    far = sorted((i for i in ordered if offsets[i] > _OFFSET), key=lambda i: -offsets[i])
    if far:
        shown = f"|mean| / standard deviation: {_valued(far, names, offsets)}"
        text = f"{counted(len(far), 'column')} far from zero, {shown}"
        yield Finding("scale-offset", "problem" if offsets[far[0]] > _SERIOUS * _OFFSET else "note", "X", text, _SCALER)
    if not narrow and not _SIZES[0] <= std[largest] <= _SIZES[1]:
        how = "small" if std[largest] < 1 else "large"
        text = f"all columns are {how}: the largest standard deviation is {std[largest]:.2g} ({names[largest]})"
        serious = not _SIZES[0] / _SERIOUS <= std[largest] <= _SIZES[1] * _SERIOUS
        yield Finding("scale-size", "problem" if serious else "note", "X", text, _SCALER)


def rare_classes(counts: Array, labels: Sequence[str], subject: str) -> Iterator[Finding]:
    """Yield a finding if a class comes much more seldom than another; counts are those of rows by class."""
    there = np.flatnonzero(counts)
    if len(there) < 2:
        return
    order = there[np.argsort(counts[there], kind="stable")].tolist()
    ratio = counts[order[-1]] / counts[order[0]]
    if ratio > _RARE:
        seldom = [f"{labels[i]} ({counts[i]:,})" for i in order if counts[order[-1]] > _RARE * counts[i]]
        most, often = labels[order[-1]], counts[order[-1]]
        found = f"class {most} comes {ratio:.0f} times as often as the rarest: {often:,} rows against {listed(seldom)}"
        remedy = "class_weight='balanced', and a score that sees it: scoring='balanced_accuracy' or 'average_precision'"
        yield Finding("class-imbalance", "note", subject, found, remedy)


def target_scale(look: Observation, loss: Loss, *, fitted: bool) -> Iterator[Finding]:
    """Yield a finding if the numbers to learn are so large or small that it keeps the network from learning them."""
    t = look.truth.astype(np.float64)
    if not look.rows or not np.isfinite(look.raw).all():
        return
    # Whether the loss predicts on the scale of the raw output, and not its exponential or the like.
    if not np.isclose(loss.predict(np.full((1, look.raw.shape[-1]), -2.0)), -2.0).any():
        return
    mean, std = t.mean(axis=0), t.std(axis=0)
    level = float(np.maximum(np.abs(mean), std).max())
    tiny = float(std.max())
    if not (level > _LEVEL or 0 < tiny < _TINY):
        return
    found = f"mean {mean[np.abs(mean).argmax()]:.3g}, standard deviation {tiny:.2g}"
    if fitted:
        varies = std > 0
        errors = ((loss.predict(look.raw) - t) ** 2).mean(axis=0)
        explained = float((1 - errors[varies] / std[varies] ** 2).mean()) if varies.any() else 1.0
        if explained > _EXPLAINED:
            return
        found += f", and the network explains {max(explained, 0):.0%} of the variance"
    found += ": steps are too small to get there" if level > _LEVEL else ": tol is larger than what is to gain"
    remedy = "scale it: scale_target=True, or else TransformedTargetRegressor(model, transformer=StandardScaler())"
    yield Finding("target-scale", "problem", "y", found, remedy)


def _valued(indices: Sequence[int], names: Sequence[str], values: Array) -> str:
    return listed([f"{names[i]} ({values[i]:.2g})" for i in indices])


def _gaps(series: Any) -> Array:
    """Return where a column of a frame has no finite value."""
    gaps = series.is_null().to_numpy().astype(bool)
    if series.dtype.is_float():
        gaps = gaps | ~np.isfinite(series.cast(nw.Float64).fill_null(float("nan")).to_numpy())
    return np.asarray(gaps)
