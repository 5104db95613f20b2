"""skorch: torch behind scikit-learn's interface."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier

from benchmarks.contenders import Fit, Step, pytorch
from benchmarks.problem import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Array, Problem, Weights


@dataclass(frozen=True)
class Trained:
    """A fitted estimator."""

    model: Any

    def weights(self) -> Weights:
        """Return its weights."""
        return pytorch.Trained(self.model.module_).weights()

    def predict(self, X: Array) -> Array:
        """Return classes."""
        return self.model.predict(X)


def estimator(problem: Problem, batch_size: int, epochs: int) -> Any:
    """Return the estimator: nothing is held out for validation, nothing is printed."""
    torch.set_num_threads(problem.threads)
    binary = problem.case.outputs == 1
    return (NeuralNetBinaryClassifier if binary else NeuralNetClassifier)(
        pytorch.Net,
        module__problem=problem,
        criterion=type(pytorch.loss_of(problem)),
        optimizer=torch.optim.Adam,
        optimizer__betas=(BETA_1, BETA_2),
        optimizer__eps=EPSILON,
        optimizer__fused=True,
        lr=LEARNING_RATE,
        max_epochs=epochs,
        batch_size=batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def truth(problem: Problem, X: Array, y: Array) -> Array:
    """Return y as the loss takes it."""
    return y.astype(X.dtype) if problem.case.outputs == 1 else y


def prepare(problem: Problem) -> Fit:
    """Return the estimator's whole fit."""
    case = problem.case

    def fit() -> Trained:
        model = estimator(problem, case.batch_size, case.epochs)
        return Trained(model.fit(np.asarray(problem.X), truth(problem, problem.X, problem.y)))

    return fit


def stream(problem: Problem, rows: int) -> Step:
    """Return `partial_fit`."""
    model = estimator(problem, rows, 1).initialize()
    return lambda X, y: model.partial_fit(X, truth(problem, X, y))
