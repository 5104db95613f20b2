"""How training goes, in numbers; the names are scikit-learn's."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator

from modnet.component import Component, Count, Unit
from modnet.strict import truth


def _auto(value: Any) -> Any:
    if isinstance(value, str):
        if value != "auto":
            raise ValueError("should be 'auto' or a number of rows")
        return None
    return value


def _choice(value: Any) -> Any:
    try:
        return value if isinstance(value, str) and value == "auto" else truth(value)
    except ValueError as error:
        raise ValueError(f"{error}, or 'auto'") from None


class TrainingSettings(Component):
    """Settings of the training loop.

    Parameters
    ----------
    max_iter : int
        Epochs at most, those of a cool-down among them, ≥ 1.
    max_time : float or None
        Seconds of training at most, those of a cool-down among them, > 0: it stops after the epoch in which they end.
    batch_size : int or None
        Rows per step, ≥ 1; None (or ``"auto"``): ``min(200, n)``, and in ``fit`` of estimators a fortieth of the rows
        as a power of two, 32 to 256.
    shuffle : bool
        Whether each epoch sees the rows in another order.
    alpha : float
        Strength of the penalty on weights, ≥ 0: the loss of a batch gets ½·alpha·‖W‖² / Σw, Σw being its weights
        (the number of its rows if there are none), as in sklearn.neural_network. Biases are not regularized.
    l1_ratio : float
        The share ρ of that penalty that is L1, in [0, 1]: the penalty is alpha · (½ (1 − ρ) ‖W‖² + ρ ‖W‖₁) / Σw, as
        scikit-learn's elastic net mixes the two.
    tol : float
        An epoch counts as progress if it lowers the watched loss by more than this, ≥ 0.
    n_iter_no_change : int
        Training stops after more than this many epochs in a row without progress, ≥ 1.
    early_stopping : bool or "auto"
        Whether to watch the loss of a validation set instead of the training loss, and to keep the best θ; "auto" is
        for estimators, which choose one of the two; a `Trainer` watches what it is given.
    cooldown : float
        With early stopping, how many epochs training ends with, as a share of the best epoch's number, ≥ 0: from the
        best θ on, on all rows, at a rate that falls to 0; 0: with the best θ. See `train_in_stages`.
    validation_fraction : float
        Share of the rows that the validation set gets, in (0, 1).
    scale_target : bool
        Whether losses see numbers in a scale of their own, and not in that of y, as far as they admit it.
    inputs_budget : int
        Bytes that what fixed layers in front make of all rows may take, ≥ 0: up to them it is made once, before
        training; where it would take more, in each batch.
    dtype : {"auto", "float32", "float64"}
        Of θ. "auto": float32 where X is float32, or has many rows.

    Examples
    --------
    >>> TrainingSettings(max_iter=0)
    Traceback (most recent call last):
    ...
    modnet.errors.InvalidSpecError: TrainingSettings: max_iter: should be greater than or equal to 1, got 0
    """

    max_iter: Count = 120
    max_time: Annotated[float, Field(gt=0)] | None = None
    batch_size: Annotated[Count | None, BeforeValidator(_auto)] = None
    shuffle: bool = True
    alpha: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    l1_ratio: Unit = 0.0
    tol: Annotated[float, Field(ge=0)] = 0.0001
    n_iter_no_change: Count = 8
    early_stopping: Annotated[
        bool | Literal["auto"], PlainValidator(_choice, json_schema_input_type=bool | Literal["auto"])
    ] = "auto"
    cooldown: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.15
    scale_target: bool = True
    inputs_budget: Annotated[int, Field(ge=0)] = 2**28
    dtype: Literal["auto", "float32", "float64"] = "auto"
