"""TabularClassifier and TabularRegressor: ensembles of networks, calibrated, for tables as they are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from modnet import Array, Graph, ModNetClassifier, ModNetRegressor, Value
from modnet.base import DensityLoss
from modnet.estimators.graphs import probabilities_written, told
from modnet.estimators.offered import completed, offered_if
from modnet.estimators.predictors import ScoringNumbers, gives_probabilities, gives_quantiles, share_right
from modnet.estimators.preparation import dense
from modnet_tabular.combining import combined, combined_written, mean_where_given, mean_written, temperature_for
from modnet_tabular.ensemble import BaseTabular, Parameters


@dataclass(eq=False, repr=False, kw_only=True)
class _ClassifierParameters(Parameters):
    class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]] | str | None = None


@completed
class TabularClassifier(_ClassifierParameters, ClassifierMixin, BaseTabular):  # type: ignore[misc]
    """An ensemble of networks that tells classes apart on a table, as a scikit-learn classifier.

    Two classes, several classes, several labels per row (y a matrix of 0 and 1), or several columns of classes.
    Probabilities are p ∝ (mean of pₘ)^(1/T) over members m, see `modnet_tabular.combining.combined`.

    Parameters
    ----------
    class_weight : dict, list of dict, "balanced" or None
        As of `ModNetClassifier`.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,), or list of ndarray
        The classes, as of `ModNetClassifier`.
    temperature_ : float
        T; 1 without rows that were held out, with ``calibrate=False``, and where the loss knows no probabilities.

    See Also
    --------
    TabularRegressor : The same for numbers.
    modnet.ModNetClassifier : One network, open in every part.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X, X_new, y, y_new = train_test_split(X, y, random_state=0)
    >>> model = TabularClassifier(random_state=0).fit(X, y)
    >>> model.score(X_new, y_new) > 0.95
    True
    """

    fitted_attributes: ClassVar[Mapping[str, Any]] = {
        **BaseTabular.fitted_attributes,
        "estimators_": list[ModNetClassifier],
        "classes_": np.ndarray | list,
        "temperature_": float,
        "_labels": bool,
    }
    _member = ModNetClassifier
    _also = ("class_weight",)

    def predict(self, X: Any) -> Array:
        """Return the most likely class of each row, or the labels that are more likely than not.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n,) or (n, k)
            Labels, of the type they had in `fit`.
        """
        check_is_fitted(self)
        if not self._probable:
            scores: Any = self.decision_function(X)
            if self._labels:
                labels: Array = (scores > 0).astype(int)
                return labels
            codes = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
            one: Array = np.asarray(self.classes_)[np.minimum(codes, len(self.classes_) - 1)]
            return one
        parts = self._parts(self._of_each("predict_proba", X))
        if self._labels:
            return np.asarray(parts[0].argmax(axis=-1))
        if isinstance(self.classes_, list):
            return np.stack([c[p.argmax(axis=1)] for c, p in zip(self.classes_, parts, strict=True)], axis=1)
        found: Array = np.asarray(self.classes_)[parts[0].argmax(axis=1)]
        return found

    @offered_if(gives_probabilities)
    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, or of each label; a loss that knows none (hinge) takes the method away.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n, n_classes)
            A list of them for several columns of classes.
        """
        check_is_fitted(self)
        return self._shown(self._parts(self._of_each("predict_proba", X), self.temperature_))

    @offered_if(gives_probabilities)
    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of `predict_proba`.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n, n_classes)
            A list of them for several columns of classes.
        """
        p = self.predict_proba(X)
        return [np.log(part) for part in p] if isinstance(p, list) else np.log(p)

    def decision_function(self, X: Any) -> Array:
        """Return log p of each class; of two classes, or a label, log p − log(1 − p); the mean of scores of a hinge.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n,) or (n, number of scores)
            One number per row for two classes.
        """
        check_is_fitted(self)
        if not self._probable:
            return np.asarray(np.mean(self._of_each("decision_function", X), axis=0))
        columns: list[Array] = []
        for p in self._parts(self._of_each("predict_proba", X), self.temperature_):
            log_p = np.log(p)
            columns.append(log_p[..., 1] - log_p[..., 0] if p.shape[-1] == 2 else log_p)
        if len(columns) == 1:
            return columns[0]
        return np.hstack([each.reshape(len(each), -1) for each in columns])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of rows predicted right, in all their columns if there are several.

        Parameters
        ----------
        X, y : array-like
            As for `fit`.
        sample_weight : array-like, shape (n,), optional
            Weights of the rows, ≥ 0.

        Returns
        -------
        float
            In [0, 1].
        """
        y, predicted = np.asarray(dense(y)), self.predict(X)
        if y.ndim == 1 or predicted.ndim == 1:
            return float(super().score(X, y, sample_weight))
        return share_right(predicted, y, sample_weight)

    def onnx(self, graph: Graph, x: Value) -> dict[str, Value]:
        """Write what it predicts: labels and probabilities, or scores where the loss knows none.

        Parameters
        ----------
        graph : Graph
            What to write into.
        x : Value
            Rows of numbers, as members take them.

        Returns
        -------
        dict of str to Value
            The outputs of the graph, by name.
        """
        first = self.estimators_[0]
        if not self._probable:
            scores = mean_written(graph, [each.onnx(graph, x)["scores"] for each in self.estimators_])
            positive = (scores > 0).astype(np.int64)
            one = not self._labels and len(self.classes_) > 2
            codes = graph.op("ArgMax", scores, axis=-1, dtype=np.int64) if one else positive
            codes = codes if self._labels else codes.clip(high=len(self.classes_) - 1).reshape(-1, 1)
            return {**told(first, graph, codes), "scores": scores}
        columns: Iterable[Sequence[Value]] = zip(
            *(probabilities_written(each, graph, x) for each in self.estimators_), strict=True
        )
        if self._labels:
            apart = [[p.reshape(0, -1, 1) for p in each] for each in columns]
            columns = ([graph.concat([1 - p, p]) for p in each] for each in apart)
        parts = [combined_written(graph, each, self.temperature_) for each in columns]
        codes = graph.concat([graph.op("ArgMax", part, axis=-1, keepdims=int(not self._labels)) for part in parts])
        if self._labels:
            parts = [part.part(1, 2).reshape(0, -1) for part in parts]
        return told(first, graph, codes, parts)

    @property
    def _probable(self) -> bool:
        return bool(self.estimators_[0].spec_.loss.probabilistic)

    def _parts(self, found: Sequence[Any], temperature: float = 1.0) -> list[Array]:
        """Return the probabilities of the ensemble, for each column of classes: shape (n, k), of labels (n, labels, 2).

        Parameters
        ----------
        found : sequence of ndarray or list of ndarray
            What members say, as `predict_proba` has it.
        temperature : float
        """
        if self._labels:
            return [combined([np.stack([1 - p, p], axis=-1) for p in found], temperature)]
        columns = zip(*(p if isinstance(p, list) else [p] for p in found), strict=True)
        return [combined(each, temperature) for each in columns]

    def _shown(self, parts: list[Array]) -> Any:
        """Return probabilities as `predict_proba` has them."""
        if self._labels:
            return parts[0][..., 1]
        return parts if isinstance(self.classes_, list) else parts[0]

    def _learn_from_members(self, y: Any, weight: Array, watched: Any, their: Array, rows: list[Array]) -> None:
        y = np.asarray(dense(watched))
        several = isinstance(self.classes_, list)
        self._labels = not several and y.ndim == 2 and y.shape[1] > 1
        self.temperature_ = 1.0
        told = [each.held_out_prediction_ for each in self.estimators_ if "held_out_prediction_" in vars(each)]
        self.__dict__.pop("held_out_prediction_", None)
        if not told:
            return
        if self._probable and self.calibrate:
            if self.class_weight is not None:
                their = their * compute_sample_weight(self.class_weight, y)
            self.temperature_ = self._temperature(told, y, their, rows)
        if self.held_out_rows_:
            self.held_out_prediction_ = self._out_of_fold(told, len(y), rows)

    def _temperature(self, told: list[Any], y: Array, weight: Array, rows: list[Array]) -> float:
        """Return T, from all that members say of rows which they had not learnt from."""
        columns = y.T if y.ndim == 2 else y[np.newaxis]
        classes = self.classes_ if isinstance(self.classes_, list) else [self.classes_]
        p, codes, weights = [], [], []
        for found, index in zip(told, rows, strict=True):
            parts = self._parts([found])
            if self._labels:
                parts, known = list(np.swapaxes(parts[0], 0, 1)), [np.arange(2)] * len(columns)
            else:
                known = classes
            for part, column, labels in zip(parts, columns, known, strict=True):
                p.append(part)
                codes.append((np.asarray(labels)[np.newaxis] == column[index, np.newaxis]).argmax(axis=1))
                weights.append(weight[index])
        width = max(part.shape[1] for part in p)
        padded = [np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in p]
        return temperature_for(np.concatenate(padded), np.concatenate(codes), np.concatenate(weights))

    def _out_of_fold(self, told: list[Any], n: int, rows: list[Array]) -> Any:
        """Return what members say of the rows that they held out, as predictions of n rows; NaN where none did."""
        parts_of = [self._parts([each]) if self._probable else [np.asarray(each)] for each in told]
        whole = []
        for parts in zip(*parts_of, strict=True):
            mean = mean_where_given(parts, rows, n)
            whole.append(combined([mean], self.temperature_) if self._probable else mean)
        return self._shown(whole) if self._probable else whole[0]


@completed
class TabularRegressor(Parameters, ScoringNumbers, BaseTabular):
    """An ensemble of networks that predicts numbers from a table, as a scikit-learn regressor.

    One target or several (y of shape (n, k)). Predictions are means over members, each of them within the range of the
    numbers that were learnt from.

    Attributes
    ----------
    range_ : ndarray, shape (2,) or (2, k)
        The least and the largest number of each target.

    See Also
    --------
    TabularClassifier : The same for classes.
    modnet.ModNetRegressor : One network, open in every part.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> X, y = make_friedman1(1000, noise=1.0, random_state=0)
    >>> model = TabularRegressor(random_state=0).fit(X[:700], y[:700])
    >>> model.score(X[700:], y[700:]) > 0.9
    True
    >>> predicted, spread = model.predict(X[700:], return_std=True)
    """

    fitted_attributes: ClassVar[Mapping[str, Any]] = {
        **BaseTabular.fitted_attributes,
        "estimators_": list[ModNetRegressor],
        "range_": np.ndarray,
    }
    _member = ModNetRegressor

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predicted numbers.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.
        return_std : bool
            Whether to return standard deviations, too: of the mixture of what members predict, if the loss predicts
            them (`gaussian_nll`); else how far members are apart, which is less than how far y is.

        Returns
        -------
        ndarray, shape (n,) or (n, k) as y was
            In the units of y. With `return_std` a tuple of two.
        """
        check_is_fitted(self)
        own = return_std and isinstance(self.estimators_[0].spec_.loss, DensityLoss)
        found = self._of_each("predict", X, return_std=own)
        found = found if own else [(mean, 0.0) for mean in found]
        means = np.array([np.clip(mean, *self.range_) for mean, _ in found])
        mean = means.mean(axis=0)
        if not return_std:
            return mean
        within = np.mean([np.square(spread) for _, spread in found], axis=0)
        return mean, np.sqrt(means.var(axis=0) + within)

    @offered_if(gives_quantiles)
    def predict_quantiles(self, X: Any) -> Array:
        """Return the predicted quantiles, at the levels that the loss names; only with ``loss="quantile"``.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n, q) for q levels, or (n, k, q) where y has k columns
            Means over members, ascending along the last axis, in the units of y.
        """
        check_is_fitted(self)
        bounds = self.range_[..., np.newaxis]
        return np.asarray(np.mean([np.clip(each, *bounds) for each in self._of_each("predict_quantiles", X)], axis=0))

    def onnx(self, graph: Graph, x: Value) -> dict[str, Value]:
        """Write what it predicts: numbers, deviations as of ``return_std``, and quantiles where the loss has any.

        Parameters
        ----------
        graph : Graph
            What to write into.
        x : Value
            Rows of numbers, as members take them.

        Returns
        -------
        dict of str to Value
            The outputs of the graph, by name.
        """
        found = [each.onnx(graph, x) for each in self.estimators_]
        means = [each["prediction"].clip(*self.range_) for each in found]
        mean = mean_written(graph, means)
        spread = [(each - mean) * (each - mean) for each in means]
        if "std" in found[0]:
            spread = [a + each["std"] * each["std"] for a, each in zip(spread, found, strict=True)]
        made = {"prediction": mean, "std": mean_written(graph, spread).sqrt()}
        if "quantiles" in found[0]:
            bounds = self.range_[..., np.newaxis]
            made["quantiles"] = mean_written(graph, [each["quantiles"].clip(*bounds) for each in found])
        return made

    def _learn_from_members(self, y: Any, weight: Array, watched: Any, their: Array, rows: list[Array]) -> None:
        learnt = np.asarray(dense(y), float)[weight > 0]
        self.range_ = np.array([learnt.min(axis=0), learnt.max(axis=0)])
        self.__dict__.pop("held_out_prediction_", None)
        if not self.held_out_rows_:
            return
        told = [np.clip(each.held_out_prediction_, *self.range_) for each in self.estimators_]
        self.held_out_prediction_ = mean_where_given(told, rows, len(np.asarray(dense(y))))
