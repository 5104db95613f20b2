"""ModNetTransformer: what a network makes of X on the way, as features for whatever comes next in a pipeline.

The network is an autoencoder of its own, or that of a classifier or regressor; one of its layers is read.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.callback import with_callbacks
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import r2_score
from sklearn.utils import Tags, check_array, get_tags
from sklearn.utils.validation import check_is_fitted

from modnet.acceleration import predicted
from modnet.base import Array, Module
from modnet.estimators.base import BaseModNet
from modnet.estimators.fitting import FitMetadata, unchanged_on_failure
from modnet.estimators.graphs import layer_written
from modnet.estimators.nested import path_of
from modnet.estimators.offered import completed, makes_steps, offered_if
from modnet.estimators.parameters import chosen_accelerator, invalid_parameter, loss_of
from modnet.estimators.preparation import Sample, rows_of
from modnet.network import Network
from modnet.spec import ModelSpec

_LEARNT = (
    *("table_", "spec_", "network_", "theta_", "state_", "n_iter_"),
    *("input_shape_", "n_features_in_", "feature_names_in_"),
    *("loss_curve_", "validation_loss_curve_", "validation_scores_", "learning_rate_curve_", "cooldown_start_"),
)
"""What a transformer shows of the estimator that it reads."""


def _trains_itself(transformer: Any) -> None:
    if transformer.estimator is not None:
        raise AttributeError("with an estimator there is only fit, which trains it as a whole")
    makes_steps(transformer)


def _decodes(transformer: Any) -> None:
    if transformer.estimator is not None:
        raise AttributeError("the network of an estimator predicts y, and does not give X back")
    if hasattr(transformer, "layer_"):
        read = transformer.network_.layer(transformer.layer_)
        if not any(link is read for link in transformer.network_.links[:-1]):
            raise AttributeError(f"the rest of the network cannot be run on the output of {transformer.layer_} alone")


def _readable(estimator: Any) -> Any:
    """Return the estimator, if it has a network to read."""
    inner = estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator
    if not isinstance(inner, BaseModNet):
        raise TypeError(
            f"estimator should be a ModNetClassifier, a ModNetRegressor or a FrozenEstimator of one, got {estimator!r}"
        )
    return estimator


@completed
@dataclass(eq=False, repr=False, kw_only=True)
class ModNetTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseModNet):  # type: ignore[misc]
    """The activations of one layer of a neural network, as a scikit-learn transformer.

    Without `estimator`, it is an autoencoder: the network learns to give back X through its layers, and ``transform``
    returns the code, what X has become at the layer that is read. With `estimator`, a classifier or regressor learns
    its y, and ``transform`` returns what one of its hidden layers makes of X.

    Parameters
    ----------
    layer : int, str or None
        The layer to read: its index among the hidden layers, or, wherever in the network it is, its name,
        ``Dense(2, name="code")``, or its path, ``"layers[1].body[0]"`` or ``"inputs"``. None: the narrowest hidden
        layer, of several as narrow the last. What a layer puts out is what its activation puts out, if it has one.
    estimator : ModNetClassifier, ModNetRegressor or FrozenEstimator of one, optional
        Whose network to read. ``fit`` fits a clone of it, with y; a fitted one is taken as it is if it is wrapped,
        ``FrozenEstimator(classifier)``. All parameters but `layer` are those of the estimator then, and have no effect
        here.
    output_activation : str, mapping or Activation, optional
        Applied behind the output layer, where X is bounded: "sigmoid" for X in [0, 1].
    loss : str, mapping or Loss
        How far the output is from X; "auto": `squared_error`.
    scoring : "loss", callable or None
        What early stopping watches on the rows held out: "loss", or a scorer, called with X for y; None: `score`.

    Attributes
    ----------
    layer_ : str
        Where the layer that is read stands: ``"layers[1]"``.
    estimator_ : ModNetClassifier, ModNetRegressor or FrozenEstimator
        The fitted `estimator`, if there is one.

    See Also
    --------
    ModNetClassifier, ModNetRegressor : Whose hidden layers can be read.
    sklearn.decomposition.PCA : What an autoencoder without activations and with ``inputs="standardize"`` finds the
        subspace of, for standardized columns.

    Notes
    -----
    `estimator` is a parameter, and not the argument of some ``from_fitted``, because parameters are what scikit-learn
    clones, searches (``estimator__alpha``) and shows. There is no ``prefit`` beside it: ``FrozenEstimator`` is how
    scikit-learn says that a fitted estimator is to be used as it is, and survives a clone in a pipeline or a grid.

    The columns that an autoencoder gives back are its targets: by `scale_target` each counts by how much of its own
    variance comes back, whatever its units; without it, by its share of all. The output layer is as wide as X. It takes
    numbers alone: categories, missing values and sparse X are refused, since it could not give them back.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from modnet import ModNetTransformer
    >>> from modnet.layers import Dense
    >>> X, y = load_iris(return_X_y=True)
    >>> layers = 16, Dense(2, name="code"), 16
    >>> encoder = ModNetTransformer(layers, optimizer="lbfgs", max_iter=3000, random_state=0).fit(X)
    >>> encoder.get_feature_names_out(), encoder.transform(X).shape
    (array(['code0', 'code1'], dtype=object), (150, 2))
    >>> encoder.score(X) > 0.95  # share of the variance that comes back
    True

    A layer of a classifier:

    >>> from modnet import ModNetClassifier
    >>> classifier = ModNetClassifier((16, 3), activation="tanh", optimizer="lbfgs", max_iter=2000, random_state=0)
    >>> ModNetTransformer(estimator=classifier, layer=1).fit_transform(X, y).shape
    (150, 3)
    """

    layer: int | str | None = None
    estimator: BaseModNet | FrozenEstimator | None = None

    fitted_attributes: ClassVar[Mapping[str, Any]] = {**BaseModNet.fitted_attributes, "layer_": str}
    onnx = layer_written

    # Parameters: those of the estimator are below its name

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; if `deep`, also those inside layers, optimizer, estimator and so on."""
        params = super().get_params(deep)
        if deep and isinstance(self.estimator, BaseModNet):
            params.update({f"estimator__{name}": each for name, each in self.estimator.get_params().items()})
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, those inside components and of the estimator: all, or none if one is wrong."""
        inner = {name: each for name, each in params.items() if name.startswith("estimator__")}
        with unchanged_on_failure(self):
            super().set_params(**{name: each for name, each in params.items() if name not in inner})
            if inner:
                if not isinstance(self.estimator, BaseModNet):
                    raise ValueError(invalid_parameter(self, next(iter(inner))))
                self.estimator.set_params(**{name.removeprefix("estimator__"): each for name, each in inner.items()})
        return self

    def to_spec(self) -> ModelSpec:
        """Return the parameters as a validated spec: those of the estimator, if there is one.

        Returns
        -------
        ModelSpec
            What `ModelSpec.save` writes.
        """
        if self.estimator is None:
            return super().to_spec()
        spec: ModelSpec = _readable(self.estimator).to_spec()
        return spec

    # Fitting

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train an autoencoder on X, or the estimator on X and y.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            Numbers, all of them there, for an autoencoder; what an estimator takes, sparse rows too, for an estimator.
        y : array-like, shape (n,) or (n, k), optional
            For the estimator. An autoencoder does not look at it.
        sample_weight : array-like, shape (n,), optional
            Non-negative; a row of weight zero counts as absent.
        X_val, y_val, sample_weight_val : array-like, optional
            A validation set. Its loss is recorded; with `early_stopping` it is watched, and nothing is split off X.

        Returns
        -------
        self
            The estimator itself.

        Raises
        ------
        ModNetError, ValueError
            As `ModNetClassifier.fit`; the transformer is then what it was before.
        """
        validation = {"X_val": X_val, "sample_weight_val": sample_weight_val}
        with unchanged_on_failure(self):
            self._forget_estimator()
            if self.estimator is None:
                super().fit(X, X, sample_weight, **validation, y_val=X_val)
            else:
                given = {"sample_weight": sample_weight, **validation, "y_val": y_val}
                self._fit_estimator(X, y, {name: each for name, each in given.items() if each is not None})
        return self

    @with_callbacks  # type: ignore[untyped-decorator]
    def _fit_estimator(self, X: Any, y: Any, metadata: dict[str, Any]) -> None:
        """Fit a clone of the estimator, and take over its network."""
        estimator = clone(_readable(self.estimator))
        if not isinstance(estimator, FrozenEstimator):
            # Training may take long: say before it, not after it, that there is no such layer.
            path_of(self.layer, estimator.to_spec(), width=lambda path: 0)
        told = FitMetadata(*map(metadata.get, ("sample_weight", "X_val", "y_val")))
        task = {"estimator": self, "X": X, "y": y, "metadata": told}
        root = self._init_callback_context(max_subtasks=1).call_on_fit_task_begin(**task)
        sub = root.subcontext(task_name="estimator")
        with sub.propagate_callback_context(estimator):
            sub.call_on_fit_task_begin(**task)
            estimator.fit(X, y, **metadata)
            sub.call_on_fit_task_end(**task)
        self.estimator_ = estimator
        self.__dict__.update({name: getattr(estimator, name) for name in _LEARNT if hasattr(estimator, name)})
        self._read()
        root.call_on_fit_task_end(**task, reconstruction_attributes=dict)

    @offered_if(_trains_itself)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Go through X once, from the present weights on; there is no such method with an estimator.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As for `fit`.

        Returns
        -------
        self
            The estimator itself.
        """
        with unchanged_on_failure(self):
            self._forget_estimator()
            self._partial_fit(X, X, sample_weight)
        return self

    @property
    def _sparse_format(self) -> Any:
        """An autoencoder takes no sparse rows: what it would have to give back is dense."""
        return super()._sparse_format if hasattr(self, "estimator_") else False

    @property
    def _allow_nd(self) -> Any:
        """An autoencoder takes rows of one axis: its output layer gives back columns."""
        return False

    @property
    def _reads_all(self) -> bool:  # type: ignore[override]
        """An autoencoder gives back every column, those too that its layers do not look at, and every number."""
        return self.estimator is None

    def _begin(self, *data: Any, **how: Any) -> Sample:
        sample = super()._begin(*data, **how)
        self._read()
        return sample

    def _forget_estimator(self) -> None:
        """Forget everything that was learnt, if an estimator is or was read: nothing goes on from there."""
        if self.estimator is not None or hasattr(self, "estimator_"):
            for name in [name for name in vars(self) if name.endswith("_") and not name.startswith("_")]:
                delattr(self, name)

    def _read(self) -> None:
        """Work out which layer of the network is read."""
        self.layer_ = path_of(self.layer, self.spec_, self._width)
        self._n_features_out = self._width(self.layer_)

    def _width(self, path: str) -> int:
        return math.prod(self.network_.layer(path).output_shape)

    # Transforming

    def transform(self, X: Any) -> Array:
        """Return what the layer puts out.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n, n_features_out), dtype of θ
            A layer that puts out more than one axis per row is flattened.
        """
        check_is_fitted(self)
        link, rows = self.network_.layer(self.layer_), rows_of(self, X)
        network = self.network_.up_to(link)
        if network.links[-1] is link:
            code = self._run(network, rows)
        else:  # inside a composite, which an accelerator may run as one
            code = network.outputs_of(link, self.theta_, self.state_, rows)
        return code.reshape(len(code), -1)

    def _run(self, network: Network, rows: Any) -> Array:
        """Return what a part of the network puts out, run as the accelerator runs it."""
        return predicted(network, chosen_accelerator(self), self.theta_, self.state_, rows)

    @offered_if(_decodes)
    def inverse_transform(self, X: Any) -> Array:
        """Return what the autoencoder makes of a code; there is no such method with an estimator.

        Parameters
        ----------
        X : array-like, shape (n, n_features_out)
            Codes, as `transform` returns them. If the layer is inside another, such as a residual one, the rest of the
            network cannot be run on its output alone, and behind the last there is none: no such method then, either.

        Returns
        -------
        ndarray, shape (n, n_features)
            Rows like those of `fit`, in the units of X.
        """
        check_is_fitted(self)
        code = check_array(X, dtype=self.theta_.dtype)
        if code.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {code.shape[1]} features, but the code of this {type(self).__name__} has {self._n_features_out}"
            )
        link = self.network_.layer(self.layer_)
        rows = code.reshape(len(code), *link.output_shape)
        found: Array = self._target.like_y(loss_of(self).predict(self._run(self.network_.behind(link), rows)))
        return found

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the share of the variance of X that the autoencoder gives back, or the score of the estimator.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            As for `fit`.
        y : array-like, shape (n,) or (n, k), optional
            For the estimator. An autoencoder does not look at it.
        sample_weight : array-like, shape (n,), optional
            Weights of the rows, ≥ 0.

        Returns
        -------
        float
            R² = 1 − Σ‖x − x̂‖² / Σ‖x − x̄‖², at most 1, of columns as the loss sees them (`scale_target`).
        """
        check_is_fitted(self)
        if hasattr(self, "estimator_"):
            return float(self.estimator_.score(X, y, sample_weight=sample_weight))
        X = rows_of(self, X)
        truth, found = self._target.scaled(X, self.theta_.dtype), loss_of(self).predict(self._run(self.network_, X))
        return float(r2_score(truth, found, sample_weight=sample_weight, multioutput="variance_weighted"))

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return the names of the features that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, optional
            Only held against the names seen in `fit`.

        Returns
        -------
        ndarray of str objects
            The name of the layer and a number, ``code0``, ``code1``, …; for a layer without a name
            ``modnettransformer0``, ….
        """
        names: Array = super().get_feature_names_out(input_features)
        layer = dict(self.spec_.modules())[self.layer_]
        if not isinstance(layer, Module) or layer.name is None:
            return names
        return np.array([f"{layer.name}{index}" for index in range(len(names))], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn may expect of this estimator: of X and y what its own estimator does."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = tags.target_tags.multi_output = False
        tags.input_tags.allow_nan = tags.input_tags.categorical = False
        if self.estimator is not None:
            inner = get_tags(self.estimator)
            tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        return tags
