"""How training goes, in numbers; the names and defaults are scikit-learn's."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from modnet.component import Component, Count, Unit


def _auto(value: Any) -> Any:
    if isinstance(value, str):
        if value != "auto":
            raise ValueError("should be 'auto' or a number of rows")
        return None
    return value


class TrainingSettings(Component):
    """Settings of the training loop.

    Attributes
    ----------
    max_iter : int
        Epochs at most, ≥ 1.
    batch_size : int or None
        Rows per step, ≥ 1; None (or ``"auto"``): ``min(200, n)``.
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
    early_stopping : bool
        Whether to watch the loss of a validation set instead of the training loss, and to keep the best θ.
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

    max_iter: Count = 200
    batch_size: Annotated[Count | None, BeforeValidator(_auto)] = None
    shuffle: bool = True
    alpha: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0001
    l1_ratio: Unit = 0.0
    tol: Annotated[float, Field(ge=0)] = 0.0001
    n_iter_no_change: Count = 10
    early_stopping: bool = False
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.1
    scale_target: bool = True
    inputs_budget: Annotated[int, Field(ge=0)] = 2**28
    dtype: Literal["auto", "float32", "float64"] = "auto"
