"""The translation from scikit-learn's MLP to modnet: its parameters into a spec, θ into its attributes.

`modnet.neural_network` has the two estimators that it makes; what scikit-learn does differently is in here, each
difference in a method of its own.
"""

import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sklearn.neural_network
from scipy import sparse
from sklearn import get_config
from sklearn.base import is_classifier
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from modnet.base import Array, Optimizer, OptimizerState, Patience
from modnet.entries import documentation
from modnet.errors import InvalidSpecError, NonFiniteError
from modnet.estimators.base import BaseModNet
from modnet.estimators.fitting import Streams
from modnet.estimators.mlp_parts import Arrays, Clipped, Order
from modnet.estimators.parameters import chosen_accelerator, loss_of, names_of
from modnet.estimators.preparation import Sample
from modnet.spec import ModelSpec
from modnet.spec_slots import DENSE
from modnet.training import Data, History, Trainer
from modnet.training.monitor import OnEpoch


class BaseMLP(BaseModNet):
    """What the two drop-ins share: translation of parameters, attributes, warnings and messages."""

    _doc_link_template = documentation("modnet.neural_network")
    _name: str
    _ravel_y = True
    _allow_nd = False

    loss = "auto"
    scoring = None
    initial_weights = None
    accelerator = "auto"
    _accelerator_unasked = "none"
    """The numbers are to be scikit-learn's to the last digits that there are, unless the environment asks otherwise."""

    def _spec_names(self) -> Sequence[str]:
        return names_of(type(self))  # type: ignore[arg-type]

    def _to_spec(self) -> ModelSpec:
        """Return what the parameters say as a spec.

        Raises
        ------
        ValueError
            If a parameter is not valid, in scikit-learn's words.
        """
        getattr(sklearn.neural_network, self._name)(**self.get_params(deep=False))._validate_params()
        sizes = np.atleast_1d(self.hidden_layer_sizes).tolist()
        if any(size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        loss = "cross_entropy" if self.loss == "auto" else self.loss
        activation = "sigmoid" if self.activation == "logistic" else self.activation
        fields = {
            "inputs": None,
            "layers": [{"type": DENSE, "units": size, "activation": activation} for size in sizes],
            "loss": f"modnet-layers:{loss}",
            "optimizer": _optimizer(self),
            "training": {
                **{name: getattr(self, name) for name in ("max_iter", "batch_size", "shuffle", "alpha", "tol")},
                "scale_target": False,
                "n_iter_no_change": int(min(self.n_iter_no_change, sys.maxsize)),
                "early_stopping": self.early_stopping and self.solver != "lbfgs",
                "cooldown": 0,
                # scikit-learn's takes 0 where no rows are held out.
                "validation_fraction": self.validation_fraction or (0.0 if self.early_stopping else 0.1),
            },
        }
        try:
            return ModelSpec.from_dict(fields)
        except InvalidSpecError as error:
            problems = [(path.removeprefix("training."), text) for path, text in error.problems]
            raise InvalidSpecError(self._name, problems) from error

    def _trained_on(self) -> Any:
        plain = not is_classifier(self) or self._target.kind == "multioutput"  # which scikit-learn does not have
        fast = chosen_accelerator(self) is not None  # which has its own version of the loss as it is
        return loss_of(self) if plain or fast else Clipped(loss_of(self))

    @classmethod
    def _said_of(cls, spec: ModelSpec, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return scikit-learn's parameters for a spec; an InvalidSpecError names what they cannot say.

        Where ε stands in Adam, whether SGD's velocity is made of gradients or steps, and that numbers to predict are
        not scaled, is as scikit-learn has it.
        """
        known = set(cls._get_param_names())
        found = {name: value for name, value in _parameters(spec.to_dict()).items() if name in known}
        again: ModelSpec = cls(**found).to_spec()
        wanted, said = _comparable(spec), _comparable(again)
        wanted.update({name: said[name] for name in ("loss", "early_stopping") if wanted[name] == "auto"})
        instead = f"ModNet{cls._name.removeprefix('MLP')}.from_spec takes it"
        problems = [
            (name, f"no parameter of scikit-learn's says {getattr(spec, name, value)!r}; {instead}")
            for name, value in wanted.items()
            if value != said.get(name)
        ]
        if problems:
            raise InvalidSpecError(cls.__name__, problems)
        return found

    _tuned = False

    def _look_at_network(self) -> None:
        """Say nothing: scikit-learn has no output layer that a hidden one could be mistaken for."""

    # Randomness, drawn as sklearn.neural_network draws it

    def _new_streams(self) -> Streams:
        random_state: Any = check_random_state(self.random_state)
        order: Any = Order(random_state)
        return Streams(init=random_state, shuffle=order, noise=np.random.default_rng(0), split=random_state)

    def _first_weights(self, dtype: "np.dtype[np.floating]") -> tuple[Array, Array]:
        self.theta_, state = np.empty(self.network_.layout.size, dtype), np.empty(0, dtype)
        for W, b in zip(_views(self, "W"), _views(self, "b"), strict=True):
            bound = np.sqrt((2.0 if self.activation == "logistic" else 6.0) / sum(W.shape))
            W[...] = self._streams.init.uniform(-bound, bound, W.shape)
            b[...] = self._streams.init.uniform(-bound, bound, b.shape)
        return self.theta_, state

    def _split(self, sample: Sample) -> tuple[Sample, int]:
        binary = sample.target.task == "binary"
        stratify = sample.data.t.astype(bool) if binary else None
        return sample.split(self.validation_fraction, self._streams.split, stratify)

    # Training

    def _begin(self, *data: Any, again: bool, **how: Any) -> Sample:
        sample = super()._begin(*data, again=again, **how)
        self._earlier = History()
        if not again:
            self._sparse_labels = sparse.issparse(data[2])
        else:
            self._streams = self._new_streams()
            scores = getattr(self, "validation_scores_", None) or []
            self._earlier = History(losses=self.loss_curve_, validation_scores=scores)
        return sample

    def _train(
        self, trainer: Trainer, data: Data, validation: Data | None, *, on_epoch: OnEpoch, several: bool, **hooks: Any
    ) -> History:
        """Train with scikit-learn's rules for warm starts, divergence and interrupts; arguments as in `Trainer.fit`."""
        first = trainer.theta.copy() if self.early_stopping and isinstance(trainer.optimizer, Optimizer) else None
        # In the first epoch of a warm start the learning rate is the first one again; after it, the rows seen before
        # count, and so do the epochs without progress.
        seen, trainer.progress.rows = trainer.progress.rows, 0

        told: list[History] = []

        def counted(history: History) -> bool:
            told[:] = [history]
            trainer.progress.rows += seen if len(history.losses) == 1 else 0
            return on_epoch(history)

        patience = Patience(trainer.settings.tol, trainer.settings.n_iter_no_change, first=True)
        watched = self._earlier.watched(early_stopping=bool(self.early_stopping))
        if watched:
            patience.best, patience.waited = min(watched), vars(self).get("_no_improvement_count", 0)
        try:
            hooks |= {"on_epoch": counted, "several": several and not seen}
            history = trainer.fit(data, validation, patience=patience, **hooks)
        except NonFiniteError as error:
            lost = not np.isfinite(trainer.theta).all()
            if first is None or (lost and not told and is_classifier(self)):
                raise ValueError(
                    "Solver produced non-finite parameter weights. The input data may contain large values and need "
                    "to be preprocessed."
                ) from error
            # Training that diverges ends with a score of NaN, and the best weights, or a regressor's first, are kept.
            if lost:
                trainer.theta[...] = first
            scores = told[0].validation_scores if told else []
            losses = told[0].losses[: len(scores)] if told else []
            return History(losses=[*losses, np.nan], validation_scores=[*scores, np.nan])
        except KeyboardInterrupt:
            if not told:
                raise
            warnings.warn("Training interrupted by user.", stacklevel=2)
            return replace(told[0], stopped=True)
        if not history.losses:  # lbfgs has found nothing to do
            self._loss_before = trainer.evaluate(data) + trainer.penalize(trainer.gradient, data.total_weight)
        if isinstance(trainer.optimizer, Optimizer):  # scikit-learn's shows the rate of the next step
            trainer.optimizer_state.learning_rate = trainer.optimizer.rate(trainer.progress)
        if self.verbose and history.converged and self.solver != "lbfgs":
            small = " Learning rate too small." if self.learning_rate == "adaptive" else ""
            print(f"{_no_progress(self)}{small} Stopping.")
        return history

    def _record(self, history: History) -> None:
        super()._record(history)
        self._no_improvement_count = history.waited
        scores = history.validation_scores
        if self._earlier.losses:
            self.loss_curve_ = [*self._earlier.losses, *history.losses]
            scores = [*self._earlier.validation_scores, *scores]
        self.validation_scores_ = scores if self.early_stopping else None

    def _makes_steps(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
        return True

    def _report(self, history: History) -> str:
        lines = [f"Iteration {len(history.losses)}, loss = {history.losses[-1]:.8f}"]
        lines.extend(f"Validation score: {score:f}" for score in history.validation_scores[-1:])
        rate = history.learning_rates[-1] if history.learning_rates else 0
        if self.learning_rate == "adaptive" and history.waited > self.n_iter_no_change and rate > 1e-6:
            lines.append(f"{_no_progress(self)} Setting learning rate to {rate / 5:f}")
        return "\n".join(lines)

    def _warn_of_failure(self, *_: Any) -> None:
        """Say nothing that scikit-learn's would not."""

    def _not_converged(self, trainer: Trainer) -> str:
        if self.solver == "lbfgs":
            return (
                f"lbfgs failed to converge after {self.n_iter_} iteration(s). Increase the number of iterations to "
                "improve the convergence (max_iter, max_fun), or scale the data."
            )
        return (
            f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't converged "
            "yet."
        )

    def _partial_fit(self, X: Any, y: Any, weight: Any, *, announced: bool = False) -> None:
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        self.n_iter_ = 0  # scikit-learn counts each pass as a training of its own
        super()._partial_fit(X, y, weight, announced=announced)

    # Attributes

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, shape (n_in, n_out), as views of θ; others may be assigned, to one or to all."""
        return Arrays(_views(self, "W"))

    @coefs_.setter
    def coefs_(self, values: Iterable[Any]) -> None:
        check_is_fitted(self)
        self.coefs_[:] = values

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, shape (n_out,), as views of θ; others may be assigned, to one or to all."""
        return Arrays(b[0] for b in _views(self, "b"))

    @intercepts_.setter
    def intercepts_(self, values: Iterable[Any]) -> None:
        check_is_fitted(self)
        self.intercepts_[:] = values

    @property
    def n_layers_(self) -> int:
        """Layers, the input counted as one."""
        return 1 + len(self.coefs_)

    @property
    def n_outputs_(self) -> int:
        """Columns of the raw output."""
        return int(self.network_.output_shape[-1])

    @property
    def loss_(self) -> float:
        """The training loss of the last epoch; that of the first weights, if lbfgs has made no step."""
        return self.loss_curve_[-1] if self.n_iter_ else self._loss_before

    @property
    def best_loss_(self) -> float | None:
        """The lowest training loss; None with early stopping."""
        return None if self.early_stopping else min(self.loss_curve_, default=self.loss_)

    @property
    def best_validation_score_(self) -> float | None:
        """The highest validation score, −inf if there is none but NaN; None without early stopping."""
        return float(np.nanmax([-np.inf, *self.validation_scores_])) if self.validation_scores_ else None

    @property
    def t_(self) -> int:
        """Rows seen in training."""
        return self._rows_seen

    @property
    def _optimizer(self) -> OptimizerState:
        return self.optimizer_state_


def like_labels(mlp: BaseMLP, predicted: Array) -> Any:
    """Return predicted labels as those were that a drop-in has learnt from: sparse, or an array."""
    form = sparse.csr_array if get_config()["sparse_interface"] == "sparray" else sparse.csr_matrix
    return form(predicted) if mlp._sparse_labels else predicted


def _optimizer(mlp: BaseMLP) -> dict[str, Any]:
    """Return the optimizer of a drop-in, as a spec has it."""
    if mlp.solver == "lbfgs":
        return {"type": "modnet-layers:lbfgs", "max_fun": mlp.max_fun}
    if mlp.solver == "adam":
        betas = {"beta_1": mlp.beta_1, "beta_2": mlp.beta_2, "epsilon": mlp.epsilon, "epsilon_hat": True}
        return {"type": "modnet-layers:adam", "learning_rate": mlp.learning_rate_init, **betas}
    scaling = {"type": "modnet-layers:inverse_scaling", "power": mlp.power_t}
    schedules = {"constant": None, "invscaling": scaling, "adaptive": "modnet-layers:adaptive"}
    return {
        "type": "modnet-layers:sgd",
        "learning_rate": mlp.learning_rate_init,
        "momentum": mlp.momentum,
        "velocity": "steps",
        "nesterov": mlp.nesterovs_momentum and mlp.momentum > 0,
        "schedule": schedules[mlp.learning_rate],
    }


_ACTIVATIONS = {"identity": "identity", "relu": "relu", "tanh": "tanh", "sigmoid": "logistic"}
_SCHEDULES = {"adaptive": "adaptive", "inverse_scaling": "invscaling"}
_OF_OPTIMIZERS = {
    **{name: name for name in ("momentum", "beta_1", "beta_2", "epsilon", "max_fun")},
    "learning_rate": "learning_rate_init",
    "nesterov": "nesterovs_momentum",
}
"""What modnet calls it, and what scikit-learn does."""


def _parameters(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what scikit-learn's parameters say of a spec as plain mappings; what they cannot say is left out."""
    optimizer, dense = spec["optimizer"], [layer for layer in spec["layers"] if layer["type"] == "dense"]
    training = spec["training"]
    found = {**training, "batch_size": training.get("batch_size", "auto")}
    found["early_stopping"] = training["early_stopping"] is True
    found["hidden_layer_sizes"] = tuple(layer["units"] for layer in dense)
    for layer in dense[:1]:
        found["activation"] = _ACTIVATIONS.get(layer.get("activation", {}).get("type"), "relu")
    if spec["loss"] != "auto" and spec["loss"]["type"] in ("squared_error", "poisson"):
        found["loss"] = spec["loss"]["type"]
    if optimizer["type"] in ("adam", "sgd", "lbfgs"):
        found["solver"] = optimizer["type"]
        found.update({_OF_OPTIMIZERS[name]: value for name, value in optimizer.items() if name in _OF_OPTIMIZERS})
        schedule = optimizer.get("schedule", {"type": "constant"})
        found["learning_rate"] = _SCHEDULES.get(schedule["type"], "constant")
        found["power_t"] = schedule.get("power", 0.5)
    return found


def _comparable(spec: ModelSpec) -> dict[str, Any]:
    """Return a spec as plain mappings, training settings among them, without what scikit-learn leaves no choice of."""
    plain = spec.to_dict()
    optimizer = {name: each for name, each in plain["optimizer"].items() if name not in ("epsilon_hat", "velocity")}
    plain = {**plain, **plain["training"], "optimizer": optimizer}
    meaningless = ("training", "requires", "scale_target", *(() if plain["early_stopping"] is True else ("cooldown",)))
    return {name: each for name, each in plain.items() if name not in meaningless}


def _views(mlp: BaseMLP, name: str) -> list[Array]:
    """Return the parameters of that name, from the first dense link to the output, as views of θ."""
    views = mlp.network_.parameters(mlp.theta_)
    paths = [*(f"layers[{i}]" for i in range(len(np.atleast_1d(mlp.hidden_layer_sizes)))), "output"]
    return [views[f"{path}.{name}"] for path in paths]


def _no_progress(mlp: BaseMLP) -> str:
    watched = "Validation score" if mlp.early_stopping else "Training loss"
    epochs = f"{mlp.n_iter_no_change} consecutive epochs"
    return f"{watched} did not improve more than tol={mlp.tol:f} for {epochs}."
