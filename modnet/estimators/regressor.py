"""ModNetRegressor: a network whose outputs are numbers."""

from typing import Any, Self

from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from modnet.base import Array, DensityLoss, QuantileLoss
from modnet.estimators.base import BaseModNet, makes_steps
from modnet.estimators.continuing import unchanged_on_failure
from modnet.estimators.docs import completed
from modnet.estimators.parameters import chosen_loss, loss_of
from modnet.estimators.preparation import raw_output
from modnet.estimators.target import Numbers


def gives_quantiles(estimator: Any) -> bool:
    """Whether a regressor has `predict_quantiles`; raises AttributeError with the reason if it has not."""
    if not isinstance(chosen_loss(estimator), QuantileLoss):
        raise AttributeError(f"there are no quantiles with loss={estimator.loss!r}: use loss='quantile'")
    return True


@completed
class ModNetRegressor(RegressorMixin, BaseModNet):  # type: ignore[misc]
    """A neural network that predicts numbers, as a scikit-learn regressor.

    One target or several (y of shape (n, k)); the width of the output layer comes from y.

    Parameters
    ----------
    output_activation : str, mapping or Activation, optional
        Applied behind the output layer, where targets are bounded; scale them to its range.
    loss : str, mapping or Loss
        "auto": `squared_error`.

    See Also
    --------
    ModNetClassifier : The same for classes.
    sklearn.neural_network.MLPRegressor : scikit-learn's own, with fewer choices.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import ModNetRegressor
    >>> X = np.linspace(-2, 2, 100)[:, np.newaxis]
    >>> model = ModNetRegressor(layers=(32,), activation="tanh", max_iter=2000, random_state=0)
    >>> model = model.set_params(optimizer__learning_rate=0.01).fit(X, np.sin(X[:, 0]))
    >>> model.score(X, np.sin(X[:, 0])) > 0.99
    True
    """

    _default_loss = "squared_error"
    _y_numeric = True
    _ravel_y = False
    _target: Numbers

    @available_if(makes_steps)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go through X and y once, from the present weights on; early stopping is a matter of `fit`.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
        y : array-like, shape (n,) or (n, k)
        sample_weight : array-like, shape (n,), optional

        Returns
        -------
        self
        """
        with unchanged_on_failure(self):
            self._partial_fit(X, y, sample_weight)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predicted numbers.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
        return_std : bool
            Whether to return the predicted standard deviations, too; needs a loss that predicts them (`gaussian_nll`).

        Returns
        -------
        ndarray, shape (n,) or (n, k) as y was, dtype of θ
            With `return_std` a tuple of two.

        Raises
        ------
        ValueError
            If there are no standard deviations to return.
        """
        raw, loss = raw_output(self, X), loss_of(self)
        predicted = self._target.like_y(loss.predict(raw))
        if not return_std:
            return predicted
        if not isinstance(loss, DensityLoss):
            raise ValueError(f"{loss=} predicts no standard deviation: use loss='gaussian_nll'")
        return predicted, self._target.like_y(loss.predict_std(raw))

    @available_if(gives_quantiles)  # type: ignore[untyped-decorator]
    def predict_quantiles(self, X: Any) -> Array:
        """Return the predicted quantiles, at the levels that the loss names; only with ``loss="quantile"``.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n, q) for q levels, or (n, k, q) where y has k columns, dtype of θ
            Ascending along the last axis.
        """
        raw, loss = raw_output(self, X), loss_of(self)
        assert isinstance(loss, QuantileLoss)
        return self._target.like_y(loss.predict_quantiles(raw))

    def _learn_target(self, y: Array) -> None:
        found = Numbers.of(y)
        if self.warm_start and hasattr(self, "theta_") and found.width != self._target.width:
            raise ValueError(f"y should have {self._target.width} targets, as before; got shape {y.shape}")
        self._target = found
