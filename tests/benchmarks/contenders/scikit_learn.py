"""scikit-learn's MLPClassifier."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.contenders import Fit, Step
from benchmarks.problem import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Array, Problem, Weights


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
