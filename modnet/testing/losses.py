"""The contract of losses, in every task that they serve: gradient, weights, predictions, extremes."""

import contextlib
import dataclasses
import itertools
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast, get_args

import numpy as np

from modnet.base import Array, Loss, Task
from modnet.component import field_names
from modnet.errors import InvalidSpecError
from modnet.testing.failure import expect, expect_same, shown
from modnet.testing.gradients import check_gradient
from modnet.testing.rules import Rules, guarded, nothing_kept, tried

RULES = Rules()

ROWS = 6


@dataclasses.dataclass
class Measured:
    """A loss set up for a task, with a truth, a raw output and, perhaps, weights."""

    loss: Loss
    task: Task
    t: Array
    raw: Array
    weight: Array | None = None
    columns: int = 1

    @classmethod
    def of(
        cls, loss: Loss, task: Task, rows: int = ROWS, *, weighted: bool = False, dtype: Any = np.float64
    ) -> "Measured":
        """Return a loss with numbers drawn for it."""
        loss = served(loss)[task]
        columns = prediction_columns(loss, task)
        rng = np.random.default_rng(0)
        t = loss.example_truth(task, rng, ROWS)[:rows]
        raw = rng.normal(scale=2, size=(ROWS, loss.width(columns)))[:rows]
        weight = rng.uniform(0.1, 3, ROWS)[:rows] if weighted else None
        return cls(loss, task, t, raw, weight, columns).astype(dtype)

    def value(self) -> float:
        """Return J."""
        return self.loss.value(self.t, self.raw, weight=self.weight)

    def gradient(self, out: Array | None = None) -> Array:
        """Return ∂J/∂raw."""
        return self.loss.gradient(self.t, self.raw, weight=self.weight, out=out)

    def both(self, out: Array | None = None) -> tuple[float, Array]:
        """Return J and ∂J/∂raw."""
        return self.loss.value_and_gradient(self.t, self.raw, weight=self.weight, out=out)

    def rows(self, chosen: Any) -> "Measured":
        """Return the same with some of the rows."""
        weight = None if self.weight is None else self.weight[chosen]
        return dataclasses.replace(self, t=self.t[chosen], raw=self.raw[chosen], weight=weight)

    def astype(self, dtype: Any) -> "Measured":
        """Return the same numbers in another dtype; codes of classes stay integers."""
        arrays = {"t": self.t, "raw": self.raw, "weight": self.weight}
        floats: dict[str, Any] = {
            name: each.astype(dtype) for name, each in arrays.items() if each is not None and each.dtype.kind == "f"
        }
        return dataclasses.replace(self, **floats)

    def example(self) -> str:
        """Return it as a failed check shows it."""
        arrays = {"t": self.t, "raw": self.raw, **({} if self.weight is None else {"weight": self.weight})}
        return f"task {self.task}, {self.loss!r}, {self.raw.dtype}\n{shown(arrays)}"


def served(loss: Loss) -> dict[Task, Loss]:
    """Return the loss as it is set up for each task; one that its other fields do not go with is left out."""
    found = {}
    for task, fields in loss.tasks.items():
        with contextlib.suppress(InvalidSpecError):
            found[cast(Task, task)] = dataclasses.replace(loss, **fields)
    return found


def prediction_columns(loss: Loss, task: Task) -> int:
    """Return how many columns predictions have for the example truth of a task."""
    t = loss.example_truth(task, np.random.default_rng(0), 200)
    if task == "multioutput":
        classes = t.max(axis=0) + 1
        return int(np.where(classes == 2, 1, classes).sum())  # one column tells two classes apart
    return 3 if task == "multiclass" else t.shape[-1]


def for_tasks(
    *,
    weighted: tuple[bool, ...] = (False, True),
    rows: tuple[int, ...] = (ROWS,),
    dtype: tuple[Any, ...] = (np.float64,),
) -> Callable[[Callable[[Measured], None]], Callable[[Loss], None]]:
    """Make a check of a loss out of a check of a loss in one task; one that fails is tried on fewer rows."""

    def decorated(check: Callable[[Measured], None]) -> Callable[[Loss], None]:
        @wraps(check)
        def check_loss(loss: Loss) -> None:
            for task, *chosen in itertools.product(served(loss), weighted, rows, dtype):
                case = dict(zip(("weighted", "rows", "dtype"), chosen, strict=True))
                tried(check, partial(Measured.of, loss, task), case, ({"rows": 1}, {"rows": 2}))

        return check_loss

    return decorated


@RULES.add()
def it_serves_tasks_of_estimators(loss: Loss) -> None:
    """`tasks` names one task or several, with values for fields of the loss that suit the task.

    Usually: tasks is empty, names no task, or a field that the class does not have
    """
    expect(loss.tasks, "tasks is empty: no estimator could use it")
    for task, fields in loss.tasks.items():
        expect(task in get_args(Task), f"there is no task {task!r}; there are {', '.join(get_args(Task))}")
        unknown = set(fields) - set(field_names(type(loss)))
        expect(not unknown, f"tasks[{task!r}] sets {', '.join(sorted(unknown))}, which is no field")
    expect(served(loss), "its other fields go with none of its tasks")


@RULES.add(for_tasks(weighted=(False,)))
def the_example_truth_is_accepted(measured: Measured) -> None:
    """`check_truth` accepts what `example_truth` returns, and leaves it as it is.

    Usually: check_truth is stricter than example_truth: define example_truth where not any truth of the task will do
    """
    n = len(measured.t)
    expect(n == len(measured.raw), f"example_truth should return {len(measured.raw)} rows, got {n}")
    with guarded(measured.t):
        measured.loss.check_truth(measured.t)


@RULES.add(for_tasks(rows=(ROWS, 1)))
def the_gradient_agrees_with_central_differences(measured: Measured) -> None:
    """`gradient` is the derivative of `value`, the average included, with weights and without, to 1e-6.

    Usually: a factor or a sign left out, forgot the 1/n, or the weights: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ; or an average over
    outputs, where J is their sum
    """
    J = lambda raw: dataclasses.replace(measured, raw=raw).value()  # noqa: E731
    check_gradient(J, measured.raw, measured.gradient(), subject="∂J/∂raw")


@RULES.add(for_tasks())
def value_and_gradient_are_value_and_gradient(measured: Measured) -> None:
    """`value_and_gradient` returns what `value` and `gradient` return.

    Usually: value_and_gradient takes another path than value and gradient
    """
    for name, value in (("value_and_gradient", measured.both()[0]), ("value", measured.value())):
        expect(type(value) is float, f"{name} should return a float for J, got {type(value).__name__}")
    _same_cost(measured.both(), measured, "by value_and_gradient", "alone", rtol=1e-14)


@RULES.add(for_tasks(weighted=(False,)))
def rows_are_averaged(measured: Measured) -> None:
    """J is averaged over rows: twice the same rows cost what they cost once, and each counts half as much.

    Usually: forgot the 1/n, or the weights: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ
    """
    twice = measured.rows(np.repeat(np.arange(len(measured.raw)), 2))
    _same_cost((twice.value(), 2 * twice.gradient()[::2]), measured, "with every row twice", "with each once")


@RULES.add(for_tasks(weighted=(False,)))
def a_weight_of_k_is_a_row_k_times(measured: Measured) -> None:
    """A row of weight k counts as much as k rows, in value and gradient.

    Usually: forgot the 1/n, or the weights: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ
    """
    counts = np.resize([1, 3, 2], len(measured.raw))
    repeated = measured.rows(np.repeat(np.arange(len(counts)), counts))
    summed = np.add.reduceat(repeated.gradient(), np.cumsum(counts) - counts, axis=0)
    weighted = dataclasses.replace(measured, weight=counts.astype(float))
    _same_cost((repeated.value(), summed), weighted, "with rows repeated", "with weights")


@RULES.add(for_tasks(weighted=(False,)))
def a_weight_of_zero_is_a_row_left_out(measured: Measured) -> None:
    """A row of weight zero counts as absent.

    Usually: forgot the 1/n, or the weights: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ
    """
    weight = np.resize([1.0, 0.0, 2.0, 0.5], len(measured.raw))
    weighted = dataclasses.replace(measured, weight=weight)
    gradient = weighted.gradient()
    kept = weighted.rows(weight > 0)
    _same_cost((weighted.value(), gradient[weight > 0]), kept, "beside a row of weight 0", "without the row")
    expect_same("∂J/∂raw", gradient[weight == 0], 0 * gradient[weight == 0], "in rows of weight 0", "should be")


@RULES.add(for_tasks(weighted=(True,)))
def only_the_ratio_of_weights_counts(measured: Measured) -> None:
    """Weights times a number are the same weights.

    Usually: forgot the 1/n, or the weights: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ
    """
    assert measured.weight is not None
    for scale in (1e-6, 1e6):
        scaled = dataclasses.replace(measured, weight=scale * measured.weight)
        _same_cost((scaled.value(), scaled.gradient()), measured, f"with {scale:g} · weights", "with weights")


@RULES.add(for_tasks())
def out_is_written_and_returned(measured: Measured) -> None:
    """As in NumPy, the gradient is written into `out`, whatever it holds, and `out` returned.

    Usually: `out` not passed on to the last step, or a product into a fresh array behind it
    """
    expected = measured.gradient()
    for name, call in (("gradient", measured.gradient), ("value_and_gradient", lambda out: measured.both(out)[1])):
        out = np.full_like(measured.raw, np.nan)
        expect(call(out) is out, f"{name}(…, out=out) returned another array than out")
        expect_same(f"what {name} returns", out, expected, "with out", "without", rtol=1e-14)


@RULES.add(for_tasks())
def arguments_are_only_read(measured: Measured) -> None:
    """t, raw and weights are only read, and nothing is kept of them.

    Usually: raw or t taken as scratch memory: raw -= …, out=raw
    """
    with guarded(measured.t, measured.raw, measured.weight), nothing_kept(measured.loss):
        measured.value()
        measured.gradient()
        measured.both()
        measured.loss.predict(measured.raw)


def _same_cost(found: tuple[float, Array], measured: Measured, here: str, there: str, *, rtol: float = 1e-12) -> None:
    """Compare J and ∂J/∂raw with those of a measured loss."""
    expect_same("J", found[0], measured.value(), here, there, rtol=rtol)
    expect_same("∂J/∂raw", found[1], measured.gradient(), here, there, rtol=rtol, atol=1e-15)
