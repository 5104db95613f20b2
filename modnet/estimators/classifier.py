"""ModNetClassifier: a network whose raw outputs are the logits of classes."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted

from modnet.base import Array
from modnet.estimators.base import BaseModNet, Known, gives_probabilities, makes_steps
from modnet.estimators.target import Classes, Target, weights_of


class ModNetClassifier(ClassifierMixin, BaseModNet):  # type: ignore[misc]
    """A neural network that tells classes apart, as a scikit-learn classifier.

    Two classes, several classes, several labels per row (y a matrix of 0 and 1), or several columns of classes. The
    width of the output layer comes from y: one logit for two classes, k for k classes or labels.

    Parameters
    ----------
    layers : tuple
        The hidden layers: numbers of units (a dense layer, then `activation`), registered names, mappings such as
        ``{"type": "dropout", "rate": 0.2}``, instances, mixed.
    activation : str, mapping or Activation
        What follows the dense layer of a bare number; None: nothing.
    output_activation : str, mapping or Activation, optional
        Applied behind the output layer. Leave it out for losses on logits, which apply their link themselves.
    loss : str, mapping or Loss
        "auto": `cross_entropy`.
    optimizer : str, mapping or Optimizer
    alpha : float
        Strength of L2 decay on weights (not on biases), ≥ 0; scaled as in sklearn.neural_network.
    l1_ratio : float
        The share of that decay that is L1, in [0, 1], as scikit-learn's elastic net mixes the two.
    batch_size : int or "auto"
        Rows per step; "auto": min(200, n).
    max_iter : int
        Epochs at most.
    shuffle : bool
        Whether each epoch sees the rows in another order.
    tol : float
        How far the loss has to fall for an epoch to count as progress.
    n_iter_no_change : int
        Training stops after more than this many epochs in a row without progress.
    early_stopping : bool
        Whether to set rows aside, watch the loss on them and keep the weights of the best epoch.
    validation_fraction : float
        Share of the rows set aside, in (0, 1), stratified by class.
    scoring : str, callable or None
        What early stopping watches on the rows set aside: "loss", or the name of a scikit-learn scorer, or a scorer;
        None: `score`.
    class_weight : dict, "balanced" or None
        Weights of classes: rows weigh as much as their class, times their own weight. "balanced": inversely
        proportional to how often the class comes in y.
    warm_start : bool
        Whether another `fit` goes on from the present weights.
    initial_weights : mapping of str to array-like, or array-like, optional
        First weights, by full name (``{"layers[0].W": …, "output.b": …}``, the rest is drawn) or as a whole θ.
    random_state : int, RandomState or None
        Seed of first weights, order of rows, dropout and split; an int gives bit-identical weights every time.
    accelerator : str, mapping, Accelerator or None
        Whose compiled twins of layers, loss and optimizer are run; "auto": those of an installed plugin, if there
        is one; None: none. Results agree to rounding.
    verbose : bool
        Whether to print a line per epoch, and how long an accelerator had to compile.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,), or list of ndarray
        The classes in sorted order; for a label matrix the indices of its columns; a list for several columns of
        classes.
    spec_ : ModelSpec
        The validated parameters, with the loss that was used.
    network_ : Network
        Links, shapes and the layout of θ; ``network_.parameters(theta_)`` shows weights by name.
    theta_, state_ : ndarray, shape (n_parameters,)
        The parameters, and the non-trainable state.
    loss_curve_ : list of float
        Training loss per epoch.
    validation_loss_curve_, validation_scores_ : list of float
        Loss and score on the validation set per epoch, if there is one, and a scorer.
    learning_rate_curve_ : list of float
        Learning rate per epoch.
    n_iter_ : int
        Epochs run.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        If X had column names.
    optimizer_state_ : OptimizerState
        Where `partial_fit` goes on.

    See Also
    --------
    ModNetRegressor : The same for numbers.
    sklearn.neural_network.MLPClassifier : scikit-learn's own, with fewer choices.

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

    _default_loss = "cross_entropy"
    _y_numeric = False
    _fewest_classes = 2
    _classes: Classes
    _class_weights: list[Array]

    def __init__(
        self,
        layers: Any = (100,),
        activation: Any = "relu",
        *,
        output_activation: Any = None,
        loss: Any = "auto",
        optimizer: Any = "adam",
        alpha: float = 0.0001,
        l1_ratio: float = 0.0,
        batch_size: int | str = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        tol: float = 0.0001,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: Any = "loss",
        class_weight: Any = None,
        warm_start: bool = False,
        initial_weights: Any = None,
        random_state: Any = None,
        accelerator: Any = "auto",
        verbose: bool = False,
    ) -> None:
        super().__init__(
            layers,
            activation,
            output_activation=output_activation,
            loss=loss,
            optimizer=optimizer,
            alpha=alpha,
            l1_ratio=l1_ratio,
            batch_size=batch_size,
            max_iter=max_iter,
            shuffle=shuffle,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            scoring=scoring,
            warm_start=warm_start,
            initial_weights=initial_weights,
            random_state=random_state,
            accelerator=accelerator,
            verbose=verbose,
        )
        self.class_weight = class_weight

    @available_if(makes_steps)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go through X and y once, from the present weights on; early stopping is a matter of `fit`.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
        y : array-like, shape (n,) or (n, k)
        classes : array-like, shape (n_classes,), or list of array-like, optional
            All classes that will ever come, a list of them for several columns of classes; needed in the first call
            (a label matrix has them in its columns).
        sample_weight : array-like, shape (n,), optional

        Returns
        -------
        self
        """
        first = not hasattr(self, "theta_")
        with self._unchanged_on_failure():
            if first:
                self._classes = self._announced(y, classes)
                self.classes_ = self._classes.classes
            elif classes is not None and not self._announced(y, classes).same_as(self._classes):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
                )
            if self.class_weight == "balanced":
                raise ValueError(
                    "class_weight 'balanced' is not supported for partial_fit, which does not know how often classes "
                    "will come: pass a dict, made by sklearn.utils.class_weight.compute_class_weight from a sample"
                )
            self._partial_fit(X, y, sample_weight, first=first)
        return self

    def predict(self, X: Any) -> Array:
        """Return the most likely class of each row, or the labels that are more likely than not.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n,) of class labels, or (n, k)
        """
        return np.concatenate([self._classes.labels(raw) for raw in self._raw_blocks(X)])

    @available_if(gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, or of each label; a loss that knows none (hinge) takes the method away.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n, n_classes), dtype of θ; a list of them for several columns of classes
        """
        raw = self._raw(X)
        return self._by_class(self._loss.predict(raw), lambda p: 1 - p)

    @available_if(gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of `predict_proba`, exact where a probability is so small that it rounds to 0.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n, n_classes), dtype of θ; a list of them for several columns of classes
        """
        raw = self._raw(X)
        with np.errstate(divide="ignore"):
            return self._by_class(self._loss.log_predict(raw), lambda log_p: np.log(-np.expm1(log_p)))

    def decision_function(self, X: Any) -> Array:
        """Return the network's raw output: logits, or the scores that a hinge looks at.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n,) for two classes, else (n, n_logits), dtype of θ
        """
        raw = self._raw(X)
        return raw[:, 0] if raw.shape[1] == 1 and self._classes.kind == "single" else raw

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of rows predicted right, in all their columns if there are several.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
        y : array-like, shape (n,) or (n, k)
        sample_weight : array-like, shape (n,), optional

        Returns
        -------
        float
            In [0, 1].
        """
        check_is_fitted(self)
        if self._classes.kind == "multioutput":
            predicted, y = self.predict(X), np.asarray(y)
            if y.shape != predicted.shape:
                raise ValueError(f"y should have {predicted.shape[1]} columns of labels; got shape {y.shape}")
            right = (predicted == y).all(axis=1)
            return float(np.average(right, weights=sample_weight))
        return float(super().score(X, y, sample_weight=sample_weight))

    def _by_class(self, found: Array, other: Callable[[Array], Array]) -> Any:
        """Return a column per class; `other` makes that of the first of two classes from that of the second."""
        if self._classes.kind == "multilabel":
            return found
        parts = [np.hstack([other(p), p]) if p.shape[1] == 1 else p for p in self._classes.split(found)]
        return parts if self._classes.kind == "multioutput" else parts[0]

    def _target(self, y: Array, dtype: "np.dtype[np.floating]", *, known: Known) -> Target:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if known == "nothing":
            self._classes = Classes.of(y, self._fewest_classes)
            self.classes_ = self._classes.classes
        elif known == "same" and not Classes.of(y).same_as(self._classes):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {Classes.of(y).classes}"
            )
        return self._classes.target(y, dtype)

    def _weighted(self, y: Array, weight: Array | None, *, known: Known) -> Array | None:
        if self.class_weight is None:
            return weight
        columns = list(y.T) if y.ndim == 2 else [y]
        if known != "all" or self.class_weight != "balanced":
            # Balanced by the rows to learn from: validation rows weigh as much as training rows of their class.
            self._class_weights = weights_of(self.class_weight, self._classes, columns, weight)
        total = np.ones(len(y)) if weight is None else weight.astype(np.float64)
        for column, classes, by_class in zip(
            columns, self._classes.labels_of_columns, self._class_weights, strict=True
        ):
            total *= by_class[np.searchsorted(classes, column)]
        return total

    def _announced(self, y: Any, classes: Any) -> Classes:
        """Return the classes that the first call to `partial_fit` announces."""
        several = classes is not None and len(classes) > 0 and all(np.ndim(each) == 1 for each in classes)
        if np.ndim(y) == 2 and np.shape(y)[1] > 1 and several and len(classes) == np.shape(y)[1]:
            return Classes([np.unique(column) for column in classes], "multioutput")
        if type_of_target(y) == "multilabel-indicator":
            columns = np.arange(np.shape(y)[1])
            if classes is not None and not np.array_equal(unique_labels(classes), columns):
                raise ValueError(f"classes of a label matrix are its columns, {columns.tolist()}; got {classes!r}")
            return Classes([columns], "multilabel")
        if classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return Classes([unique_labels(classes)], "single")

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn may expect of this estimator."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = False
        return tags
