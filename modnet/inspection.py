"""What a fitted network's predictions depend on, by the chain rule through the network itself.

Derivatives and attributions are in the columns of X as the user has them: what encodes them is differentiated as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import check_random_state
from sklearn.utils._optional_dependencies import check_matplotlib_support

from modnet.base import Array
from modnet.estimators import BaseModNet
from modnet.estimators.preparation import rows_of
from modnet.estimators.responses import response_of, slope_of
from modnet.network import Link, Pass
from modnet.network.hooks import Hook
from modnet.network.link import walk
from modnet.strict import checked, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AttributionDisplay", "expected_gradients", "input_gradients"]


def input_gradients(model: Any, X: Any, *, target: Any = None, response_method: str = "auto") -> Array:
    """Return the derivative of a prediction along each column of X, ∂f(x)/∂x, row by row.

    Parameters
    ----------
    model : classifier or regressor of modnet
        A fitted one. Of a pipeline, its last step: ``input_gradients(pipe[-1], pipe[:-1].transform(X))``.
    X : array-like or sparse matrix, shape (n, *input_shape)
        The rows to look at.
    target : object, optional
        Which output f is: of classes a label, by default the second of two; of a label matrix or of several numbers the
        column; of several columns of classes ``(column, label)``.
    response_method : {"auto", "predict_proba", "decision_function", "predict"}
        What f is: probabilities, the raw scores (logits) of `decision_function`, or numbers in the units of y. "auto",
        as in scikit-learn's inspection: `predict_proba` of classifiers that have it, else `decision_function`; of
        regressors `predict`.

    Returns
    -------
    ndarray of float64, shape of X
        In units of f by units of the column. 0 along categories and truth values, and where a number is missing: there
        is no derivative. `expected_gradients` compares categories.

    Raises
    ------
    ValueError, TypeError
        If there is no such output, or `model` is none of modnet's classifiers and regressors.

    Examples
    --------
    >>> from modnet import ModNetRegressor
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> model = ModNetRegressor((), inputs=None, optimizer="lbfgs", random_state=0).fit(X, 3 * X[:, 0] - X[:, 1])
    >>> input_gradients(model, X[:1]).round(3)
    array([[ 3., -1.]])
    """
    explained = _Explained(model, response_method, target)
    x = explained.rows(X)
    parts = [explained.gradient(x[rows]) for rows in explained.network.blocks(len(x))]
    return np.concatenate(parts) if parts else np.empty(x.shape)


def expected_gradients(
    model: Any,
    X: Any,
    background: Any,
    *,
    target: Any = None,
    response_method: str = "auto",
    n_samples: int = 200,
    random_state: Any = None,
) -> Array:
    """Return what each column of X adds to a prediction, compared with the rows of a background.

    φⱼ(x) = E (xⱼ − x'ⱼ) ∂f/∂xⱼ(x' + α (x − x')), over x' of the background and α uniform in [0, 1]. The sum over
    columns is f(x) less the mean of f over the background, but for the error of sampling; of a linear model φⱼ is its
    coefficient times xⱼ less the mean, exactly.

    Rows that are taken as they are go straight from x' to x. Those of a table (`inputs`) go straight from one encoded
    row to the other, since between two categories, or a number and a missing one, there is nothing: what their one-hot
    columns, bins, learnt rows and columns that say what is missing add is summed back to the column that they were made
    of. Where other layers take codes, those go encoded, and numbers straight.

    Parameters
    ----------
    model, X : classifier or regressor of modnet, and array-like
        As for `input_gradients`.
    background : array-like or sparse matrix, shape (m, *input_shape)
        What predictions are compared with, such as some rows of the training set. Of more than `n_samples` rows so many
        are drawn.
    target, response_method : object, and str
        As for `input_gradients`.
    n_samples : int
        Pairs (x', α) for each row of X, ≥ 1: at least so many, each x' equally often.
    random_state : int, RandomState or None
        What draws the pairs.

    Returns
    -------
    ndarray of float64, shape of X
        In units of f.

    Raises
    ------
    ValueError, TypeError
        As for `input_gradients`; and if a layer mixes categories with other columns before they are encoded.

    References
    ----------
    Erion, Janizek, Sturmfels, Lundberg & Lee (2021), Improving performance of deep learning models with axiomatic
    attribution priors and expected gradients, Nature Machine Intelligence 3, eq. 3.

    Examples
    --------
    >>> from modnet import ModNetRegressor
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> model = ModNetRegressor((8,), random_state=0).fit(X, X[:, 0] * X[:, 1])
    >>> phi = expected_gradients(model, X[:5], X, n_samples=2000, random_state=0)
    >>> bool(np.allclose(phi.sum(axis=1), model.predict(X[:5]) - model.predict(X).mean(), atol=0.05))
    True
    """
    if (n_samples := checked(whole, "n_samples", n_samples)) < 1:
        raise ValueError(f"n_samples: should be at least 1, got {n_samples}")
    explained, rng = _Explained(model, response_method, target), check_random_state(random_state)
    x, others = explained.rows(X), explained.rows(background)
    if len(others) > n_samples:
        others = others[rng.choice(len(others), n_samples, replace=False)]
    each = -(-n_samples // len(others))
    others, K = np.repeat(others, each, axis=0), each * len(others)
    alpha = (rng.permutation(K) + rng.uniform(size=K)) / K  # one in each of K parts of [0, 1]
    size = max(1, next(explained.network.blocks(2**62)).stop // K)
    coded, phi = explained.without_derivative(others), np.empty(x.shape)
    for start in range(0, len(x), size):
        here = x[start : start + size]
        n, axes = len(here), (1,) * (x.ndim - 1)
        pairs = np.repeat(here, K, axis=0), np.tile(others, (n, *axes))
        added = explained.along(*pairs, np.tile(alpha, n).reshape(-1, *axes), coded)
        phi[start : start + size] = added.reshape(n, K, *x.shape[1:]).mean(axis=1)
    return phi


class _Explained:
    """One output of a network in float64, and the links in front that encode what has no derivative.

    Attributes
    ----------
    cut : Link or None
        The last link in a row that takes, or has inside it what takes, codes or missing values.
    """

    def __init__(self, model: Any, response_method: str, target: Any) -> None:
        if not (isinstance(model, BaseModNet) and (is_classifier(model) or is_regressor(model))):
            raise TypeError(
                f"model: should be a classifier or regressor of modnet, got {type(model).__name__}; of a pipeline or a "
                "search, pass the network inside, and the rows as they come to it: pipe[-1], pipe[:-1].transform(X)"
            )
        self._response = response_of(model, response_method, target)
        self._model, self.network = model, model.network_
        self._theta, self._state = model.theta_.astype(float), model.state_.astype(float)
        self.cut: Link | None = None
        for link in self.network.links:
            bins = self.cut is not None and link.path.startswith("inputs") and link.module.fixed
            if bins or any(each.module.takes_codes or each.module.takes_missing for each in walk([link])):
                self.cut = link

    def rows(self, X: Any) -> Array:
        """Return validated rows."""
        rows = rows_of(self._model, X)
        return np.asarray(rows.toarray() if sparse.issparse(rows) else rows, float)

    def gradient(self, x: Array, hook: Hook | None = None) -> Array:
        """Return ∂f/∂x."""
        running = self._passing(self.network, len(x), hook)
        running.backward(slope_of(self._response, running.forward(x)))
        return running.input_gradient().copy()

    def without_derivative(self, x: Array) -> Array:
        """Return which columns go encoded: all of a table, else those along which what is encoded of them is flat."""
        if self.cut is None:
            return np.zeros(x.shape[1:], bool)
        if self.cut.path.startswith("inputs"):  # along numbers themselves the slopes of bins jump: 4 times the error
            return np.ones(x.shape[1:], bool)
        running = self._passing(self.network.up_to(self.cut), len(x), None)
        running.backward(np.random.default_rng(0).normal(size=running.forward(x).shape))
        flat: Array = (running.input_gradient() == 0).all(axis=0)
        return flat

    def along(self, x: Array, other: Array, alpha: Array, coded: Array) -> Array:
        """Return (x − x') ∘ ∂f/∂x at a point between the rows of each pair; `coded`: columns that go encoded."""
        if self.cut is None:
            return (x - other) * self.gradient(other + alpha * (x - other))
        coded = coded | np.isnan(x) | np.isnan(other)
        between = np.where(coded, other, other + alpha * (x - other))
        base = self._encoded(other)
        change = self._encoded(np.where(coded, x, other)) - base
        part = alpha.reshape(-1, *(1,) * (change.ndim - 1))
        arriving: list[Array] = []

        def move(link: Link, event: str, seen: Array) -> Array | None:
            if link is self.cut and event == "dy":
                arriving.append(seen.copy())
            return seen + part * change if link is self.cut and event == "y" else None

        added = np.where(coded, 0, (x - other) * self.gradient(between, move))
        rest = self._encoded(x) - base - change
        rest -= self._encoded(np.where(coded, other, x)) - base  # what numbers change is not what codes do
        mixed = np.abs(rest).max(initial=0)
        for column in np.ndindex(*x.shape[1:]):
            at = (slice(None), *column)
            if coded[at].any():
                alone = other.copy()
                alone[at] = np.where(coded[at], x[at], other[at])
                mine = self._encoded(alone) - base
                change -= mine
                added[at] += (mine * arriving[0]).reshape(len(x), -1).sum(axis=1)
        if max(mixed, np.abs(change).max(initial=0)) > 1e-6 * (1 + np.abs(base).max(initial=0)):
            raise ValueError(
                f"{self.cut.title} mixes categories with other columns, so that what they add cannot be told apart: "
                "let it encode them only, and put the layers that follow inside it behind it"
            )
        return added

    def _encoded(self, x: Array) -> Array:
        assert self.cut is not None
        encoded: Array = self.network.up_to(self.cut).predict(self._theta, self._state, x)
        return encoded

    def _passing(self, network: Any, rows: int, hook: Hook | None) -> Pass:
        gradient = np.empty_like(self._theta)
        return Pass(network, self._theta, self._state, gradient=gradient, rows=rows, hook=hook)


@dataclass(kw_only=True, eq=False, repr=False)
class AttributionDisplay:
    """How much each column adds to predictions: the mean of |φⱼ| over rows, the largest on top.

    `from_estimator` makes one.

    Parameters
    ----------
    attributions : ndarray, shape (n, n_features)
        As from `expected_gradients` or `input_gradients`.
    feature_names : sequence of str
        What the columns are called.
    response_name : str
        What is explained.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from modnet import ModNetClassifier
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> model = ModNetClassifier((16,), random_state=0).fit(X, y)
    >>> display = AttributionDisplay.from_estimator(model, X[:20], X, target=1, random_state=0, max_features=3)
    >>> len(display.bars_), display.ax_.get_xlabel()
    (3, 'Mean absolute attribution')
    """

    attributions: Array
    feature_names: Sequence[str]
    response_name: str = ""

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, background: Any, *, ax: "Axes | None" = None, max_features: int = 10, **how: Any
    ) -> Self:
        """Draw what columns add to predictions for X.

        Parameters
        ----------
        estimator : classifier or regressor of modnet
            As `model` of `expected_gradients`.
        X, background : array-like or sparse matrix
            As for `expected_gradients`.
        ax : matplotlib Axes, optional
            As for `plot`.
        max_features : int
            As for `plot`.
        **how
            Keyword arguments of `expected_gradients`.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        phi = expected_gradients(estimator, X, background, **how)
        phi = phi.reshape(len(phi), -1)
        names = getattr(estimator, "feature_names_in_", [f"x{i}" for i in range(phi.shape[1])])
        shown = cls(attributions=phi, feature_names=list(names), response_name=str(how.get("target", "")))
        return shown.plot(ax, max_features=max_features)

    def plot(self, ax: "Axes | None" = None, *, max_features: int = 10) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where; None: a new figure.
        max_features : int
            How many columns to show, those with the largest means.

        Returns
        -------
        AttributionDisplay
            The display itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        self.ax_ = plt.figure(layout="constrained").add_subplot() if ax is None else ax
        self.figure_ = self.ax_.figure
        size = np.abs(self.attributions).mean(axis=0)
        order = np.argsort(-size, kind="stable")[:max_features][::-1]
        self.bars_ = self.ax_.barh([self.feature_names[i] for i in order], size[order])
        self.ax_.set(xlabel="Mean absolute attribution", title=self.response_name)
        return self
