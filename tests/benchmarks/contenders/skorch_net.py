"""skorch: torch behind scikit-learn's interface."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor

from benchmarks.contenders import Fit, Step, pytorch
from benchmarks.problem import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Array, Problem, Weights
from benchmarks.searching import BATCH_SIZE, Candidate, Searched, Table


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


_HOW: dict[str, Any] = {
    "optimizer": torch.optim.Adam,
    "optimizer__betas": (BETA_1, BETA_2),
    "optimizer__eps": EPSILON,
    "optimizer__fused": True,
    "iterator_train__shuffle": True,
    "train_split": None,
    "verbose": 0,
}
"""Fused Adam; nothing is held out for validation, nothing is printed."""


def estimator(problem: Problem, batch_size: int, epochs: int) -> Any:
    """Return the estimator."""
    torch.set_num_threads(problem.threads)
    binary = problem.case.outputs == 1
    return (NeuralNetBinaryClassifier if binary else NeuralNetClassifier)(
        pytorch.Net,
        module__problem=problem,
        criterion=type(pytorch.loss_of(problem)),
        lr=LEARNING_RATE,
        max_epochs=epochs,
        batch_size=batch_size,
        **_HOW,
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


class OneHidden(torch.nn.Module):
    """A net with one hidden layer of ReLU; a single column of its output is left out as an axis."""

    def __init__(self, columns: int, units: int, outputs: int) -> None:
        super().__init__()
        linear = torch.nn.Linear
        self.links = torch.nn.Sequential(linear(columns, units), torch.nn.ReLU(), linear(units, outputs))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the raw output, shape (n, outputs), or (n,) for one."""
        raw = self.links(X)
        return raw[:, 0] if raw.shape[1] == 1 else raw


def searched(table: Table, epochs: int) -> Searched:
    """Return the estimator whose parameters are searched; Adam's weight decay, over all of θ, stands for α."""
    numbers, one = table.classes is None, table.outputs == 1
    kind = NeuralNetRegressor if numbers else NeuralNetBinaryClassifier if one else NeuralNetClassifier
    loss = torch.nn.MSELoss if numbers else torch.nn.BCEWithLogitsLoss if one else torch.nn.CrossEntropyLoss
    torch.manual_seed(0)
    made = kind(
        OneHidden,
        module__columns=table.X.shape[1],
        module__outputs=table.outputs,
        criterion=loss,
        max_epochs=epochs,
        batch_size=BATCH_SIZE,
        **_HOW,
    )

    def parameters(each: Candidate) -> dict[str, Any]:
        return {"module__units": each.units, "optimizer__weight_decay": each.alpha / BATCH_SIZE, "lr": each.rate}

    return Searched(made, parameters, table.y.astype(np.float32) if one else table.y)
