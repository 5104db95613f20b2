"""What modnet's two contenders share: the estimator of a problem.

It draws first weights as always, and then takes those of the problem: no contender has more to do before it starts.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.contenders import Fit, Step
from benchmarks.problem import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Array, Problem, Weights
from benchmarks.searching import BATCH_SIZE, Candidate, Searched, Table
from modnet import ModNetClassifier, ModNetRegressor
from modnet.optimizers import Adam


@dataclass(frozen=True)
class Trained:
    """A fitted estimator."""

    model: ModNetClassifier

    def weights(self) -> Weights:
        """Return its weights."""
        views = self.model.network_.parameters(self.model.theta_)
        kernels = [name for name in views if name.endswith(".W")]
        return [(views[name], views[f"{name[:-1]}b"][0]) for name in kernels]

    def predict(self, X: Array) -> Array:
        """Return classes."""
        return self.model.predict(X)


def estimator(problem: Problem, accelerator: str | None, batch_size: int | None = None) -> ModNetClassifier:
    """Return the estimator."""
    case, hidden = problem.case, len(problem.case.sizes) - 2
    paths = [*(f"layers[{i}]" for i in range(hidden)), "output"]
    start = {}
    for path, (W, b) in zip(paths, problem.start, strict=True):
        start |= {f"{path}.W": W, f"{path}.b": b}
    return ModNetClassifier(
        layers=case.sizes[1:-1],
        inputs=None,
        activation=case.activation,
        loss="cross_entropy",
        optimizer=Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON),
        alpha=0.0,
        batch_size=case.batch_size if batch_size is None else batch_size,
        early_stopping=False,
        max_iter=case.epochs,
        tol=0.0,
        n_iter_no_change=10**6,
        initial_weights=start,
        random_state=0,
        accelerator=accelerator,
    )


def prepared(problem: Problem, accelerator: str | None) -> Fit:
    """Return the whole fit."""
    return lambda: Trained(estimator(problem, accelerator).fit(problem.X, problem.y))


def streaming(problem: Problem, rows: int, accelerator: str | None) -> Step:
    """Return `partial_fit` on mini-batches of so many rows."""
    model, classes = estimator(problem, accelerator, rows), np.arange(problem.case.sizes[-1])
    return lambda X, y: model.partial_fit(X, y, classes=classes)


def searching(table: Table, epochs: int, accelerator: str | None) -> Searched:
    """Return the estimator whose parameters are searched, with what scikit-learn's has fixed."""
    made = (ModNetRegressor if table.classes is None else ModNetClassifier)(
        inputs=None,
        activation="relu",
        loss="squared_error" if table.classes is None else "cross_entropy",
        batch_size=BATCH_SIZE,
        max_iter=epochs,
        tol=0.0,
        n_iter_no_change=10**6,
        early_stopping=False,
        cooldown=0,
        scale_target=False,
        dtype="float32",
        random_state=0,
        accelerator=accelerator,
    )

    def parameters(each: Candidate) -> dict[str, Any]:
        return {
            "layers": (each.units,),
            "alpha": each.alpha,
            "optimizer": Adam(each.rate, BETA_1, BETA_2, EPSILON),
        }

    return Searched(made, parameters, table.y)
