"""What users do with a component: fit an estimator that has it, and search over it, here and in worker processes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from modnet.base import Array, Loss, Module
from modnet.component import Component
from modnet.estimators import ModNetClassifier, ModNetRegressor
from modnet.testing.failure import expect, expect_same
from modnet.testing.losses import served
from modnet.testing.rules import Rules

RULES = Rules()
_ROWS = 30
_DENSE = {"type": "modnet-layers:dense", "units": 3}
_SEARCHED = ("layer", "activation", "loss", "optimizer", "solver")


class Use(NamedTuple):
    """An estimator, the parameter of it that a component goes into, and data to fit it to."""

    estimator: Any
    parameter: str
    value: Any
    X: Array
    y: Array

    def __str__(self) -> str:
        """Name the estimator and the parameter."""
        return f"{type(self.estimator).__name__}({self.parameter}={self.value!r})"


def uses(component: Component) -> Iterator[Use]:
    """Return where users put a component; a loss into an estimator for each task that it serves."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(_ROWS, 5))
    regressor: Any = ModNetRegressor(layers=(3,), max_iter=2, random_state=0)
    if isinstance(component, Loss):
        classifier: Any = ModNetClassifier(layers=(3,), max_iter=2, random_state=0)
        for task, loss in served(component).items():
            y = _target(loss.example_truth(task, rng, _ROWS), task)
            yield Use(regressor if task == "regression" else classifier, "loss", component, X, y)
        return
    if component.kind == "layer":
        X = cast(Module, component).example_rows(rng, _ROWS)
    parameter, value = {
        "layer": ("layers", (component,)),
        "activation": ("activation", component),
        "optimizer": ("optimizer", component),
        "solver": ("optimizer", component),
        "initializer": ("layers", ({**_DENSE, "kernel_initializer": component},)),
        "constraint": ("layers", ({**_DENSE, "kernel_constraint": component},)),
        "schedule": ("optimizer", {"type": "modnet-layers:sgd", "schedule": component}),
    }[component.kind]
    yield Use(regressor, parameter, value, X, rng.normal(size=_ROWS))


def _target(t: Array, task: str) -> Array:
    """Return a truth as users give it."""
    if task == "regression":
        return t
    return t[:, 0].astype(int) if task == "binary" else t.astype(int)


def _is_for_tables(component: Component) -> bool:
    """Whether rows go in and come out as tables, as the layers of an estimator have them."""
    if component.kind != "layer":
        return True
    module = cast(Module, component)
    rows = module.example_rows(np.random.default_rng(0), 1)
    return rows.ndim == 2 and len(module.output_shape(rows.shape[1:])) == 1


@RULES.add(applies=_is_for_tables)
def it_works_in_an_estimator(component: Component) -> None:
    """Two epochs of an estimator that has it go through, and it predicts finite numbers.

    Usually: a shape, a field or a task that the network it stands in does not have
    """
    for use in uses(component):
        with _unfinished():
            model = clone(use.estimator).set_params(**{use.parameter: use.value}).fit(use.X, use.y)
        predicted = model.predict(use.X)
        expect(predicted.shape == use.y.shape, f"{use} predicts shape {predicted.shape} for y of {use.y.shape}")
        expect(np.isfinite(predicted).all(), f"{use} predicts {predicted[~np.isfinite(predicted)][:1]}")
        expect(np.isfinite(model.loss_curve_).all(), f"{use} has losses {model.loss_curve_}")


@RULES.add(applies=lambda component: component.kind in _SEARCHED and _is_for_tables(component), of_the_class=True)
def it_works_in_a_grid_search(component: Component) -> None:
    """A grid search over it gives the same scores here and in joblib's worker processes.

    Usually: what no process but this one knows: a class in a test file or inside a function (put it into a module that
    can be imported), or a global that was changed
    """
    use, scores = next(uses(component)), []  # one task is enough here, and workers take their time
    for n_jobs in (1, 2):
        grid = {use.parameter: [use.value]}
        search = GridSearchCV(use.estimator, grid, cv=2, n_jobs=n_jobs, refit=False, error_score="raise")
        with _unfinished():
            results = search.fit(use.X, use.y).cv_results_
        scores.append(np.concatenate([results[f"split{fold}_test_score"] for fold in (0, 1)]))
    expect(np.isfinite(scores[0]).all(), f"{use} has scores {scores[0].tolist()}")
    expect_same("the score", scores[1], scores[0], "in worker processes", "here", rtol=1e-6, atol=1e-9)


@contextmanager
def _unfinished() -> Iterator[None]:
    """Ignore that training has not converged after two epochs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
