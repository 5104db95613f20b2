"""Drop-in replacements for sklearn.neural_network: change one import line.

``MLPClassifier`` and ``MLPRegressor`` translate scikit-learn's parameters into a spec and its attributes out of θ; the
network, the training and the predictions are modnet's own. They draw the same first weights, in the same order, and
shuffle alike, so the same ``random_state`` gives the same model up to rounding.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
from sklearn import neural_network
from sklearn.utils.metaestimators import available_if

from modnet.docstrings import complete
from modnet.estimators import ModNetClassifier, ModNetRegressor
from modnet.estimators.mlp import BaseMLP, like_labels
from modnet.estimators.offered import makes_steps, telling

__all__ = ["MLPClassifier", "MLPRegressor"]


@dataclass(eq=False, repr=False)
class _Parameters:
    """The parameters that scikit-learn's MLPs share, in its order and with its defaults."""

    hidden_layer_sizes: Sequence[int] | int = (100,)
    activation: str = "relu"
    _: KW_ONLY
    solver: str = "adam"
    alpha: float = 0.0001
    batch_size: int | str = "auto"
    learning_rate: str = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: int | np.random.RandomState | None = None
    tol: float = 1e-4
    verbose: bool | int = False
    warm_start: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10
    max_fun: int = 15000


@dataclass(eq=False, repr=False)
class _Loss:
    """The parameter that MLPRegressor has in front of them."""

    loss: str = "squared_error"


@dataclass(eq=False, repr=False)
class _RegressorParameters(_Parameters, _Loss):
    """The parameters of MLPRegressor: dataclasses collect fields from the last base on, so `loss` comes first."""


class MLPClassifier(_Parameters, BaseMLP, ModNetClassifier):  # type: ignore[misc]  # parameters of narrower types
    """The MLPClassifier of scikit-learn on modnet: same parameters, attributes, warnings and messages.

    Parameters and attributes are those of `sklearn.neural_network.MLPClassifier`, whose documentation holds; so are
    first weights, order of rows and split for a given ``random_state``. On top come what modnet's classifier has:
    `decision_function`, several columns of classes, ``fit(…, X_val=, y_val=)``, callbacks.

    Where it differs: rows of weight zero count as absent; with weights, an epoch's loss is the weighted mean of its
    rows, not the mean of its batches' weighted means; a loss that becomes inf or NaN stops training at once.

    See Also
    --------
    modnet.ModNetClassifier : Other layers, losses and optimizers.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from modnet.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((10,), solver="lbfgs", random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95, [W.shape for W in model.coefs_]
    (True, [(4, 10), (10, 3)])
    """

    _name = "MLPClassifier"
    class_weight = None
    onnx = ModNetClassifier.onnx  # predicts the same

    @available_if(makes_steps)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Go through X and y once, from the present weights on.

        Parameters
        ----------
        X, y : array-like
            As for `fit`.
        sample_weight : array-like, shape (n,), optional
            Weights of the rows, ≥ 0.
        classes : array-like, shape (n_classes,), optional
            All classes that will ever come; needed in the first call.

        Returns
        -------
        self
            The estimator itself.
        """
        super().partial_fit(X, y, classes, sample_weight)
        return self

    def predict(self, X: Any) -> Any:
        """Return the most likely class of each row, or the labels that are more likely than not.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n,) of class labels, or (n, k)
            After sparse label matrices in `fit`, a sparse one, CSR.
        """
        return like_labels(self, super().predict(X))

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of `predict_proba`, rounded as that is: −inf where a probability is 0.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n, n_classes), dtype of θ
            A list of them for several columns of classes.
        """
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return [np.log(part) for part in p] if isinstance(p, list) else np.log(p)

    @property
    def out_activation_(self) -> str:
        """What turns the raw output into probabilities."""
        loss: Any = self.spec_.loss
        return {"sigmoid": "logistic", "softmax": "softmax"}[loss.link]


class MLPRegressor(_RegressorParameters, BaseMLP, ModNetRegressor):  # type: ignore[misc]
    """The MLPRegressor of scikit-learn on modnet: same parameters, attributes, warnings and messages.

    Parameters and attributes are those of `sklearn.neural_network.MLPRegressor`, whose documentation holds; so are
    first weights, order of rows and split for a given ``random_state``.

    Where it differs: for k targets scikit-learn averages the squared error over them, but its gradient is that of the
    sum, k times too long for the loss it shows (scikit-learn issue #8349). Here the loss is the sum, ½‖ŷ − y‖², and the
    gradient is its derivative; steps are the same, and ``loss_`` is k times as large. Rows of weight zero count as
    absent; with weights, an epoch's loss is the weighted mean of its rows, not the mean of its batches' weighted means;
    a loss that becomes inf or NaN stops training at once.

    See Also
    --------
    modnet.ModNetRegressor : Other layers, losses and optimizers.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.neural_network import MLPRegressor
    >>> X = np.linspace(-1, 1, 50)[:, np.newaxis]
    >>> model = MLPRegressor(hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs", random_state=0)
    >>> model.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2) > 0.99
    True
    """

    _name = "MLPRegressor"
    partial_fit = available_if(makes_steps)(ModNetRegressor.partial_fit)  # scikit-learn's message, to the letter

    @property
    def out_activation_(self) -> str:
        """What turns the raw output into a prediction."""
        return {"squared_error": "identity", "poisson": "exp"}[self.loss]


for _ours, _theirs in ((MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)):
    _ours.__init__ = telling(_ours)  # type: ignore[method-assign]
    complete(_ours, "Parameters", "Attributes", like=_theirs)
