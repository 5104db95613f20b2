"""What the contenders search: tables that come with scikit-learn, candidates, and four ways to go through them.

Candidates are numbered, so that winners can be compared whatever a contender calls its parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import sklearn.datasets
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score, learning_curve
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.problem import Array

BATCH_SIZE = 200
EPOCHS = 200
"""As many as scikit-learn's MLP makes by default; all of them are made."""


@dataclass(frozen=True)
class Table:
    """A table in float32.

    Attributes
    ----------
    name : str
    X : ndarray of float32, shape (rows, columns)
    y : ndarray, shape (rows,)
        Classes 0, 1, …; or numbers of mean 0 and deviation 1, in float32.
    classes : int or None
        How many there are; None: numbers are to be predicted.
    """

    name: str
    X: Array
    y: Array
    classes: int | None

    @property
    def outputs(self) -> int:
        """Columns of the raw output: one for numbers and for two classes."""
        return self.classes if self.classes is not None and self.classes > 2 else 1

    @classmethod
    def of(cls, name: str) -> Self:
        """Return a table by its name: one of `TABLES`, or `LARGE`."""
        X, y = _LOADED[name]()
        if name == "diabetes":
            return cls(name, X.astype(np.float32), ((y - y.mean()) / y.std()).astype(np.float32), None)
        return cls(name, X.astype(np.float32), y.astype(np.int64), len(np.unique(y)))


LARGE = "20,000 × 20"

_LOADED: dict[str, Callable[[], tuple[Array, Array]]] = {
    "iris": partial(sklearn.datasets.load_iris, return_X_y=True),
    "wine": partial(sklearn.datasets.load_wine, return_X_y=True),
    "cancer": partial(sklearn.datasets.load_breast_cancer, return_X_y=True),
    "digits": partial(sklearn.datasets.load_digits, return_X_y=True),
    "diabetes": partial(sklearn.datasets.load_diabetes, return_X_y=True),
    LARGE: partial(sklearn.datasets.make_classification, 20_000, 20, n_informative=10, random_state=0),
}

TABLES = tuple(name for name in _LOADED if name != LARGE)


@dataclass(frozen=True)
class Candidate:
    """One hidden layer of ReLU, trained by Adam on batches of `BATCH_SIZE` rows.

    Attributes
    ----------
    units : int
    alpha : float
        Factor of scikit-learn's penalty on weights: α‖W‖² / 2 over the rows of a batch is added to the mean loss.
    rate : float
        Learning rate.
    """

    units: int = 64
    alpha: float = 1e-4
    rate: float = 1e-3


GRID = [Candidate(units, alpha, rate) for units in (32, 64) for alpha in (1e-4, 1e-2) for rate in (1e-3, 1e-2)]
DRAWN_FROM = [
    Candidate(units, alpha, rate)
    for units in (16, 32, 64)
    for alpha in (1e-5, 1e-4, 1e-3, 1e-2)
    for rate in (1e-3, 3e-3, 1e-2)
]


@dataclass(frozen=True)
class Searched:
    """What a contender has for scikit-learn to search.

    Attributes
    ----------
    estimator : estimator
    parameters : callable
        What `set_params` takes for a candidate.
    y : ndarray
        As its loss takes it.
    """

    estimator: Any
    parameters: Callable[[Candidate], dict[str, Any]]
    y: Array

    def pipeline(self) -> Pipeline:
        """Return it behind a StandardScaler, with the first candidate that there is."""
        made = Pipeline([("scaler", StandardScaler()), ("net", self.estimator)])
        return made.set_params(**self.names(Candidate()))

    def names(self, candidate: Candidate) -> dict[str, Any]:
        """Return the parameters of the pipeline for a candidate."""
        return {f"net__{name}": value for name, value in self.parameters(candidate).items()}

    def space(self, candidates: Sequence[Candidate]) -> list[dict[str, list[Any]]]:
        """Return candidates as scikit-learn's searches take them, in their order."""
        return [{name: [value] for name, value in self.names(each).items()} for each in candidates]


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes
    ----------
    scores : list of float
        On the held-out folds, their mean: of each candidate, or of each number of rows.
    winner : int or None
        The number of the candidate that won.
    """

    scores: list[float]
    winner: int | None = None

    @property
    def score(self) -> float:
        """The winner's, or the last."""
        return self.scores[-1 if self.winner is None else self.winner]


def grid(searched: Searched, X: Array, **how: Any) -> Found:
    """Go through `GRID` in five folds, and fit the winner once more."""
    return _of(GridSearchCV(searched.pipeline(), searched.space(GRID), cv=5, error_score="raise", **how), searched, X)


def randomized(searched: Searched, X: Array, **how: Any) -> Found:
    """Draw eight of `DRAWN_FROM`, and go through them in three folds."""
    space, drawn = searched.space(DRAWN_FROM), {"n_iter": 8, "cv": 3, "random_state": 0, "error_score": "raise"}
    return _of(RandomizedSearchCV(searched.pipeline(), space, **drawn, **how), searched, X)


def _of(search: Any, searched: Searched, X: Array) -> Found:
    search.fit(X, searched.y)
    return Found(search.cv_results_["mean_test_score"].tolist(), int(search.best_index_))


def folds(searched: Searched, X: Array, **how: Any) -> Found:
    """Score one candidate on ten folds."""
    return Found([float(cross_val_score(searched.pipeline(), X, searched.y, cv=10, error_score="raise", **how).mean())])


def curve(searched: Searched, X: Array, **how: Any) -> Found:
    """Score one candidate on five folds, trained on a fifth to all of the rows."""
    # Shuffled: rows that are ordered by class begin with one class alone.
    drawn = {"cv": 5, "train_sizes": np.linspace(0.2, 1.0, 5), "shuffle": True, "random_state": 0}
    _, _, scores = learning_curve(searched.pipeline(), X, searched.y, error_score="raise", **drawn, **how)
    return Found(scores.mean(axis=1).tolist())


SEARCHES: dict[str, Callable[..., Found]] = {
    "GridSearchCV": grid,
    "RandomizedSearchCV": randomized,
    "cross_val_score": folds,
    "learning_curve": curve,
}
FITS = {"GridSearchCV": 41, "RandomizedSearchCV": 25, "cross_val_score": 10, "learning_curve": 25}
"""How many fits each makes."""
