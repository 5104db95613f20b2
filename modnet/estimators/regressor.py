"""ModNetRegressor: a network whose outputs are numbers."""

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from modnet.base import Array, DensityLoss, QuantileLoss
from modnet.estimators.base import BaseModNet, Known, gives_quantiles, makes_steps
from modnet.estimators.target import Target, number_target


class ModNetRegressor(RegressorMixin, BaseModNet):  # type: ignore[misc]
    """A neural network that predicts numbers, as a scikit-learn regressor.

    One target or several (y of shape (n, k)); the width of the output layer comes from y.

    Parameters
    ----------
    layers : tuple
        The hidden layers: numbers of units (a dense layer, then `activation`), registered names, mappings such as
        ``{"type": "dropout", "rate": 0.2}``, instances, mixed.
    activation : str, mapping or Activation
        What follows the dense layer of a bare number; None: nothing.
    output_activation : str, mapping or Activation, optional
        Applied behind the output layer, where targets are bounded; scale them to its range.
    loss : str, mapping or Loss
        "auto": `squared_error`.
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
        Share of the rows set aside, in (0, 1).
    scoring : str, callable or None
        What early stopping watches on the rows set aside: "loss", or the name of a scikit-learn scorer, or a scorer;
        None: `score`.
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
        with self._unchanged_on_failure():
            self._partial_fit(X, y, sample_weight, first=not hasattr(self, "theta_"))
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
        raw = self._raw(X)
        predicted = self._as_y(self._loss.predict(raw))
        if not return_std:
            return predicted
        if not isinstance(self._loss, DensityLoss):
            raise ValueError(f"loss={self._loss!r} predicts no standard deviation: use loss='gaussian_nll'")
        return predicted, self._as_y(self._loss.predict_std(raw))

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
        raw = self._raw(X)
        assert isinstance(self._loss, QuantileLoss)
        return self._as_y(self._loss.predict_quantiles(raw))

    def _as_y(self, found: Array) -> Array:
        """Return what was predicted for each target; without an axis of targets if y had none."""
        return found[:, 0] if self._single_target else found

    def _target(self, y: Array, dtype: "np.dtype[np.floating]", *, known: Known) -> Target:
        target = number_target(y, dtype)
        if known in ("nothing", "classes"):
            self._single_target, self._n_targets = y.ndim == 1, target.width
        elif target.width != self._n_targets:
            raise ValueError(f"y should have {self._n_targets} targets, as before; got shape {y.shape}")
        return target
