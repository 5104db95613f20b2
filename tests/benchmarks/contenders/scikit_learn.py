"""scikit-learn's MLPClassifier."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.contenders import Fit, Step
from benchmarks.problem import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Array, Problem, Weights
from benchmarks.searching import BATCH_SIZE, Searched, Table


class Started(MLPClassifier):
    """scikit-learn's estimator with given first weights, for which it has no parameter."""

    start: Iterator[tuple[Array, Array]]

    def _init_coef(self, fan_in: int, fan_out: int, dtype: type) -> tuple[Array, Array]:
        W, b = next(self.start)
        return W.copy(), b.copy()


@dataclass(frozen=True)
class Trained:
    """A fitted estimator."""

    model: MLPClassifier

    def weights(self) -> Weights:
        """Return its weights."""
        return list(zip(self.model.coefs_, self.model.intercepts_, strict=True))

    def predict(self, X: Array) -> Array:
        """Return classes."""
        return self.model.predict(X)


def estimator(problem: Problem, batch_size: int | None = None) -> MLPClassifier:
    """Return the estimator."""
    case = problem.case
    model = Started(
        case.sizes[1:-1],
        activation={"relu": "relu", "sigmoid": "logistic"}[case.activation],
        alpha=0.0,
        batch_size=case.batch_size if batch_size is None else batch_size,
        learning_rate_init=LEARNING_RATE,
        beta_1=BETA_1,
        beta_2=BETA_2,
        epsilon=EPSILON,
        max_iter=case.epochs,
        tol=0.0,
        n_iter_no_change=10**6,
        random_state=0,
    )
    model.start = iter(problem.start)
    return model


def prepare(problem: Problem) -> Fit:
    """Return the estimator's whole fit."""
    return lambda: Trained(estimator(problem).fit(problem.X, problem.y))


def stream(problem: Problem, rows: int) -> Step:
    """Return `partial_fit`."""
    model, classes = estimator(problem, rows), np.arange(problem.case.sizes[-1])
    return lambda X, y: model.partial_fit(X, y, classes=classes)


def mlp(made: Callable[..., Any], table: Table, epochs: int) -> Searched:
    """Return an MLP of scikit-learn's, or one that takes the same parameters, to be searched."""
    fixed = {"batch_size": BATCH_SIZE, "max_iter": epochs, "tol": 0.0, "n_iter_no_change": 10**6, "random_state": 0}
    return Searched(
        made(activation="relu", solver="adam", beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON, **fixed),
        lambda each: {"hidden_layer_sizes": (each.units,), "alpha": each.alpha, "learning_rate_init": each.rate},
        table.y,
    )


def searched(table: Table, epochs: int) -> Searched:
    """Return the estimator whose parameters are searched."""
    return mlp(MLPRegressor if table.classes is None else MLPClassifier, table, epochs)
