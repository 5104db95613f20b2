"""ModNetClassifier and ModNetRegressor: networks whose outputs are the logits of classes, or numbers."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from modnet.base import Array, DensityLoss, QuantileLoss
from modnet.estimators.base import BaseModNet
from modnet.estimators.fitting import unchanged_on_failure
from modnet.estimators.given import declared_order
from modnet.estimators.graphs import classes_written, numbers_written
from modnet.estimators.offered import completed, makes_steps, offered_if
from modnet.estimators.parameters import chosen_loss, loss_of
from modnet.estimators.preparation import dense, raw_blocks, raw_output
from modnet.estimators.target import Classes, Numbers, second_link
from modnet.strict import is_number


def gives_probabilities(estimator: Any) -> bool:
    """Whether a classifier has `predict_proba`; raises AttributeError with the reason if it has not."""
    loss = chosen_loss(estimator)
    if loss is not None and not loss.probabilistic:
        raise AttributeError(
            f"there are no probabilities with loss={estimator.loss!r}, only the scores of decision_function; "
            "sklearn.calibration.CalibratedClassifierCV makes probabilities of them"
        )
    return True


def share_right(predicted: Array, y: Array, weight: Any) -> float:
    """Return the share of rows, by weight, that are predicted right in all their columns."""
    if y.shape != predicted.shape:
        raise ValueError(f"y should have {predicted.shape[1]} columns of labels; got shape {y.shape}")
    return float(np.average((predicted == y).all(axis=1), weights=weight))


@completed
@dataclass(eq=False, repr=False, kw_only=True)
class ModNetClassifier(ClassifierMixin, BaseModNet):  # type: ignore[misc]
    """A neural network that tells classes apart, as a scikit-learn classifier.

    Two classes, several classes, several labels per row (y a matrix of 0 and 1), or several columns of classes. The
    width of the output layer comes from y: one logit for two classes, k for k classes or labels.

    Parameters
    ----------
    output_activation : None
        Losses of classes apply their link themselves, so there is none: anything else is refused.
    loss : str, mapping or Loss
        "auto": `cross_entropy` with a `label_smoothing` of 0.1, which `predict_proba` undoes.
    validation_fraction : float
        Share of the rows held out, in (0, 1), stratified by class.
    class_weight : dict, list of dict, "balanced" or None
        Weights of classes: rows weigh as much as their class, times their own weight. "balanced": inversely
        proportional to how often the class comes in y. For several columns of classes, a dict for each.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,), or list of ndarray
        The classes in sorted order; for a label matrix the indices of its columns; a list for several columns of
        classes. If the loss is `ordinal`, in the order that an ordered categorical y declares: metrics of scikit-learn
        that take probabilities want the columns sorted.

    See Also
    --------
    ModNetRegressor : The same for numbers.
    sklearn.neural_network.MLPClassifier : The one of scikit-learn, with fewer choices.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from modnet import ModNetClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ModNetClassifier(layers=(16, "dropout"), max_iter=500, random_state=0)
    >>> model = model.set_params(layers__1__rate=0.1, optimizer__learning_rate=0.02).fit(X, y)
    >>> model.layers
    (16, Dropout(rate=0.1))
    >>> model.score(X, y) > 0.9
    True
    """

    class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]] | str | None = None

    fitted_attributes: ClassVar[Mapping[str, Any]] = {
        **BaseModNet.fitted_attributes,
        "_target": Classes,
        "classes_": np.ndarray | list,
    }
    _default_loss = MappingProxyType({"type": "cross_entropy", "label_smoothing": 0.1})
    _y_numeric = False
    _ravel_y = True
    onnx = classes_written

    @offered_if(makes_steps)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go through X and y once, from the present weights on; early stopping is a matter of `fit`.

        Parameters
        ----------
        X, y : array-like
            As for `fit`.
        classes : array-like, shape (n_classes,), or list of array-like, optional
            All classes that will ever come, a list of them for several columns of classes; needed in the first call
            (a label matrix has them in its columns).
        sample_weight : array-like, shape (n,), optional
            Weights of the rows, ≥ 0.

        Returns
        -------
        self
            The estimator itself.
        """
        first = not hasattr(self, "theta_")
        with unchanged_on_failure(self):
            if first:
                self._target = Classes.announced(y, classes)
                if (loss := chosen_loss(self)) is not None and loss.ordinal:
                    self._target = self._target.in_order(declared_order(y))
                self.classes_ = self._target.classes
            elif classes is not None and not self._target.same_as(Classes.announced(y, classes)):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
                )
            if self.class_weight == "balanced":
                raise ValueError(
                    "class_weight 'balanced' is not supported for partial_fit, which does not know how often classes "
                    "will come: pass a dict, made by sklearn.utils.class_weight.compute_class_weight from a sample"
                )
            self._partial_fit(X, y, sample_weight, announced=first)
        return self

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
        blocks = raw_blocks(self, X)
        loss = loss_of(self)
        return np.concatenate([self._target.labels(loss, raw) for raw in blocks])

    @offered_if(gives_probabilities)
    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, or of each label; a loss that knows none (hinge) takes the method away.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n, n_classes), dtype of θ
            A list of them for several columns of classes.
        """
        return self._told(raw_output(self, X))

    @offered_if(gives_probabilities)
    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of `predict_proba`, exact where a probability is so small that it rounds to 0.

        Where label smoothing is undone, the least probability is the rounding unit of its dtype.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n, n_classes), dtype of θ
            A list of them for several columns of classes.
        """
        raw = raw_output(self, X)
        with np.errstate(divide="ignore"):
            return self._target.by_class(loss_of(self).log_predict(raw), lambda log_p: np.log(-np.expm1(log_p)), 0.0)

    def decision_function(self, X: Any) -> Array:
        """Return the network's raw output: logits, or the scores that a hinge looks at.

        Of a loss that does not look at one column per class: the logarithms of probabilities, and for two classes or
        a label, log p − log(1 − p), which is positive where it is the more likely one.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n,) or (n, n_logits), dtype of θ
            One number per row for two classes.
        """
        raw = raw_output(self, X)
        scores: Array = self._target.scores(loss_of(self), raw)
        return scores

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
        check_is_fitted(self)
        y = dense(y)
        if self._target.kind == "multioutput":
            return share_right(self.predict(X), np.asarray(y), sample_weight)
        return float(super().score(X, y, sample_weight=sample_weight))

    def _told(self, raw: Array) -> Any:
        """Return probabilities, or scores where there are none."""
        loss = loss_of(self)
        if not loss.probabilistic:
            return self._target.scores(loss, raw)
        return self._target.probabilities(loss, raw)

    def _learn_target(self, y: Array, order: Array | None) -> None:
        found = Classes.of(y)
        if self.spec_.loss != "auto" and self.spec_.loss.ordinal:
            found = found.in_order(order)
        again = self.warm_start and hasattr(self, "theta_")
        if again and not found.same_as(self._target):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {found.classes}"
            )
        self._target = self._target if again else found  # in the order of the network's output
        self.classes_ = self._target.classes

    def _look_at_network(self) -> None:
        found = second_link(self.network_, self._target.task, sum(self._target.widths))
        if found and not any(map(is_number, list(self.layers)[-1:])):  # a number of units means a hidden layer
            link, what = found
            warnings.warn(f"{link.title} {what}", stacklevel=5)

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn may expect of this estimator."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = False
        return tags


def gives_quantiles(estimator: Any) -> bool:
    """Whether a regressor has `predict_quantiles`; raises AttributeError with the reason if it has not."""
    if not isinstance(chosen_loss(estimator), QuantileLoss):
        raise AttributeError(f"there are no quantiles with loss={estimator.loss!r}: use loss='quantile'")
    return True


class ScoringNumbers(RegressorMixin):  # type: ignore[misc]
    """What predicts numbers is scored by R², also where y is sparse."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R², the share of the variance of y that is predicted; of several targets the mean.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.
        y : array-like or sparse matrix, shape (n,) or (n, k)
            The truth, as for `fit`.
        sample_weight : array-like, shape (n,), optional
            Weights of the rows, ≥ 0.

        Returns
        -------
        float
            At most 1.
        """
        return float(super().score(X, dense(y), sample_weight))


@completed
class ModNetRegressor(ScoringNumbers, BaseModNet):
    """A neural network that predicts numbers, as a scikit-learn regressor.

    One target or several (y of shape (n, k)); the width of the output layer comes from y.

    Parameters
    ----------
    output_activation : str, mapping or Activation, optional
        Applied behind the output layer, where targets are bounded; scale them to its range. A loss that does not
        predict the raw output as it is, such as `poisson`, takes none.
    loss : str, mapping or Loss
        "auto": `squared_error`.

    See Also
    --------
    ModNetClassifier : The same for classes.
    sklearn.neural_network.MLPRegressor : The one of scikit-learn, with fewer choices.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import ModNetRegressor
    >>> X = np.linspace(-2, 2, 100)[:, np.newaxis]
    >>> model = ModNetRegressor(layers=(32,), activation="tanh", optimizer="lbfgs", random_state=0)
    >>> model = model.fit(X, np.sin(X[:, 0]))
    >>> model.score(X, np.sin(X[:, 0])) > 0.99
    True
    """

    _target: Numbers
    onnx = numbers_written

    @offered_if(makes_steps)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go through X and y once, from the present weights on; early stopping is a matter of `fit`.

        Parameters
        ----------
        X, y : array-like
            As for `fit`.
        sample_weight : array-like, shape (n,), optional
            Weights of the rows, ≥ 0.

        Returns
        -------
        self
            The estimator itself.
        """
        with unchanged_on_failure(self):
            self._partial_fit(X, y, sample_weight)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predicted numbers.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.
        return_std : bool
            Whether to return the predicted standard deviations, too; needs a loss that predicts them (`gaussian_nll`).

        Returns
        -------
        ndarray, shape (n,) or (n, k) as y was
            In the units of y: float64, or float32 if y was; dtype of θ where y is not scaled. With `return_std` a tuple
            of two.

        Raises
        ------
        ValueError
            If there are no standard deviations to return.
        """
        raw, loss = raw_output(self, X), loss_of(self)
        predicted = self._told(raw)
        if not return_std:
            return predicted
        if not isinstance(loss, DensityLoss):
            raise ValueError(f"{loss=} predicts no standard deviation: use loss='gaussian_nll'")
        return predicted, self._target.like_y(loss.predict_std(raw), spread=True)

    def _told(self, raw: Array) -> Array:
        return self._target.like_y(loss_of(self).predict(raw))

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
            Ascending along the last axis; units and dtype as of `predict`.
        """
        raw, loss = raw_output(self, X), loss_of(self)
        assert isinstance(loss, QuantileLoss)
        return self._target.like_y(loss.predict_quantiles(raw))
