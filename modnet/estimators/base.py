"""What the estimators share: the way from X and y to a trained θ, and back to a raw output.

The order of ``fit`` is the order of this file: validate the spec, then the data, then train; only a fit that
succeeds changes the estimator.
"""

import copy
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import check_scoring
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from modnet.acceleration import CompileTimer, accelerated, accelerator_name, fused_parts
from modnet.base import Array, Loss, Optimizer, OptimizerState, QuantileLoss, Solver
from modnet.component import Slot
from modnet.errors import ModNetError
from modnet.estimators.epochs import EpochTask, FitMetadata
from modnet.estimators.html import can_draw, visual_block
from modnet.estimators.lookup import modules
from modnet.estimators.nested import understood
from modnet.estimators.parameters import NestedParameters
from modnet.estimators.sample import Sample, by_rows, present, warn_of_clipping
from modnet.estimators.streams import Streams
from modnet.estimators.table import Table
from modnet.estimators.target import Target, loss_for, meant_loss
from modnet.estimators.threads import few_threads
from modnet.network import Network
from modnet.network.adapting import adapt
from modnet.network.summary import Summary, summarize
from modnet.network.trial import check_links, check_missing, check_values
from modnet.spec import ModelSpec
from modnet.training import Data, History, Trainer
from modnet.training.batches import rows_per_batch

FLOATS = (np.float64, np.float32)

Known = Literal["nothing", "classes", "same", "all"]
"""What is known when data comes: nothing; only the classes, which the first `partial_fit` announces; everything, and
the target should be the same (`warm_start`); everything, and some of the classes come (`partial_fit`, validation)."""


def makes_steps(estimator: Any) -> bool:
    """Whether an estimator has `partial_fit`; raises AttributeError with the reason if it has not."""
    return bool(estimator._makes_steps())


def gives_probabilities(estimator: Any) -> bool:
    """Whether a classifier has `predict_proba`; raises AttributeError with the reason if it has not."""
    loss = estimator._chosen_loss()
    if loss is not None and not loss.probabilistic:
        raise AttributeError(
            f"there are no probabilities with loss={estimator.loss!r}, only the scores of decision_function; "
            "sklearn.calibration.CalibratedClassifierCV makes probabilities of them"
        )
    return True


def gives_quantiles(estimator: Any) -> bool:
    """Whether a regressor has `predict_quantiles`; raises AttributeError with the reason if it has not."""
    if not isinstance(estimator._chosen_loss(), QuantileLoss):
        raise AttributeError(f"there are no quantiles with loss={estimator.loss!r}: use loss='quantile'")
    return True


class BaseModNet(CallbackSupportMixin, NestedParameters):  # type: ignore[misc]
    """A neural network as a scikit-learn estimator: the base of the classifier and the regressor."""

    _doc_link_module = "modnet"
    _doc_link_template = ""  # scikit-learn's own would lead to a page that its site does not have
    _default_loss: str
    _y_numeric: bool

    spec_: ModelSpec
    network_: Network
    theta_: Array
    state_: Array
    loss_curve_: list[float]
    learning_rate_curve_: list[float]
    n_iter_: int
    optimizer_state_: OptimizerState
    n_features_in_: int
    _streams: Streams
    _rows_seen: int
    _table: Table | None

    # Fitting

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train on X and y.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            float32 stays float32, anything else becomes float64; sparse rows stay sparse through the first layer.
        y : array-like, shape (n,) or (n, k)
        sample_weight : array-like, shape (n,), optional
            Non-negative; a row of weight zero counts as absent.
        X_val, y_val, sample_weight_val : array-like, optional
            A validation set. Its loss is recorded; with `early_stopping` it is watched, and nothing is split off X.

        Returns
        -------
        self

        Raises
        ------
        InvalidSpecError, ShapeError, ContractError
            If a parameter is not valid, a layer does not fit or a component breaks its contract.
        NonFiniteError
            If the loss becomes inf or NaN.
        ValueError
            If the data is not valid, as scikit-learn words it.

        Notes
        -----
        If it fails, the estimator is what it was before.
        """
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val should be given together, got only one of them")
        if sample_weight_val is not None and X_val is None:
            raise ValueError("sample_weight_val was given without X_val and y_val")
        with self._unchanged_on_failure():
            history = self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)
        if not (history.converged or history.stopped):
            warnings.warn(self._not_converged(), ConvergenceWarning, stacklevel=2)
        return self

    @with_callbacks  # type: ignore[untyped-decorator]
    def _fit(self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any, sample_weight_val: Any) -> History:
        spec = self.to_spec()
        task = EpochTask(self, spec.training.max_iter, X, y, FitMetadata(sample_weight, X_val, y_val))
        again = self.warm_start and hasattr(self, "theta_")
        sample = self._sample(X, y, sample_weight, known="same" if again else "nothing")
        if again:
            self._continue(spec, sample.target, keep_optimizer=False)
        else:
            self._start(spec, sample.target, sample.data.x.dtype)
        check_values(self.network_, self.theta_, self.state_, sample.data.x)
        warn_of_clipping(spec.training.batch_size, len(sample.data))
        validation = None if X_val is None else self._sample(X_val, y_val, sample_weight_val, known="all")
        if validation is not None:
            self._loss.check_truth(validation.target.t)
        elif spec.training.early_stopping:
            sample, validation = self._split(sample)
        self._try_out(sample.data, adapting=not again)
        waiting = CompileTimer(self._chosen_accelerator())
        trainer = self._trainer()

        def on_epoch(history: History) -> bool:
            self._record(history)
            self._rows_seen = trainer.progress.rows
            if self.verbose:
                print(*waiting.lines(), self._report(history), sep="\n")
            return task.end_epoch(self._reconstruction())

        n, batched = len(sample.data), isinstance(self.spec_.optimizer, Optimizer)
        with few_threads(self.network_, rows_per_batch(self.spec_.training.batch_size, n) if batched else n):
            history = self._train(
                trainer,
                sample.data,
                None if validation is None else validation.data,
                score=self._scorer(validation),
                on_begin=task.begin_epoch,
                on_epoch=on_epoch,
            )
        self._record(history)
        task.end(self._reconstruction())
        return history

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, *, first: bool) -> None:
        """Go through X and y once."""
        spec = self.to_spec()
        sample = self._sample(X, y, sample_weight, known="classes" if first else "all")
        if first:
            self._start(spec, sample.target, sample.data.x.dtype)
            self.loss_curve_, self.learning_rate_curve_, self.n_iter_ = [], [], 0
            check_values(self.network_, self.theta_, self.state_, sample.data.x)
            self._try_out(sample.data, adapting=True)
        else:
            self._continue(spec, sample.target, keep_optimizer=True)
            check_values(self.network_, self.theta_, self.state_, sample.data.x)
        waiting = CompileTimer(self._chosen_accelerator())
        trainer = self._trainer()
        trainer.progress.epoch, trainer.progress.losses = self.n_iter_, self.loss_curve_
        self.loss_curve_ = [*self.loss_curve_, trainer.epoch(sample.data)]
        self.learning_rate_curve_ = [*self.learning_rate_curve_, trainer.optimizer_state.learning_rate]
        self._rows_seen = trainer.progress.rows
        self.n_iter_ = self._passes_made()
        if self.verbose:
            print(*waiting.lines(), self._report(History(losses=self.loss_curve_[-self.n_iter_ :])), sep="\n")

    @abstractmethod
    def _target(self, y: Array, dtype: "np.dtype[np.floating]", *, known: Known) -> Target:
        """Return y as the loss takes it."""

    def _weighted(self, y: Array, weight: Array | None, *, known: Known) -> Array | None:
        """Return the weights of rows with those of their classes; without classes, the weights."""
        return weight

    def _sample(self, X: Any, y: Any, sample_weight: Any, *, known: Known) -> Sample:
        """Return the validated rows that have a weight."""
        reset = known in ("nothing", "classes")
        dtype = FLOATS if reset else self.theta_.dtype
        if reset:
            self._table = Table.of(X, encode=self._takes("codes", fitted=False))
        missing = self._takes("missing", fitted=not reset)
        finite = "allow-nan" if missing else True
        X, y = self._validated(self._numbers(X), y, reset=reset, dtype=dtype, ensure_all_finite=finite)
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        X, y, given = present(by_rows(X), y.toarray() if sparse.issparse(y) else y, weight)
        target = self._target(y, X.dtype, known=known)
        weight = self._weighted(y, given, known=known)
        sample = Sample(Data(X, target.t, None if weight is None else weight.astype(X.dtype)), target, y, given)
        if weight is None or (weight > 0).all():
            return sample
        kept = np.flatnonzero(weight > 0)
        if not len(kept):
            raise ValueError(f"class_weight={getattr(self, 'class_weight', None)!r} leaves no row that weighs anything")
        return sample.rows(kept)

    def _validated(self, X: Any, y: Any, **checks: Any) -> tuple[Any, Array]:
        """Return X and y as scikit-learn checks them."""
        checks = {**checks, "accept_sparse": ("csr", "csc"), "multi_output": True, "y_numeric": self._y_numeric}
        found: tuple[Any, Array] = validate_data(self, X, y, **checks)
        return found

    def _numbers(self, X: Any) -> Any:
        """Return X with codes in place of categories, if a layer takes codes."""
        return X if self._table is None else self._table.numbers(X)

    def _takes(self, what: Literal["codes", "missing"], *, fitted: bool) -> bool:
        """Return whether a layer takes codes, or missing values: of the fitted network or of the parameters."""
        if fitted:
            taking = [link.module for link in self.network_.walk()]
        else:
            try:
                taking = [module for _, module in modules(self.to_spec().layers)]
            except (ModNetError, ValueError, TypeError):
                return False  # `fit` says what is wrong
        return any(each.takes_codes if what == "codes" else each.takes_missing for each in taking)

    def _start(self, spec: ModelSpec, target: Target, dtype: "np.dtype[np.floating]") -> None:
        """Make the network, and draw its first weights."""
        self._streams = self._new_streams()
        loss = loss_for(spec, target, self._default_loss)
        self.spec_ = replace(spec, loss=loss)
        columns = None if self._table is None else self._table.columns
        self.network_ = self.spec_.network(self.n_features_in_, loss.width(target.width), columns)
        self.theta_, self.state_ = self._first_weights(dtype)
        self._rows_seen = 0

    def _continue(self, spec: ModelSpec, target: Target, *, keep_optimizer: bool) -> None:
        """Go on from the present weights, with settings that may have changed."""
        spec = replace(spec, loss=loss_for(spec, target, self._default_loss))
        shape = ("layers", "output_activation")
        changed = [name for name in shape if getattr(spec, name) != getattr(self.spec_, name)]
        if changed:
            raise ValueError(f"{changed[0]} has changed since the network was made; fit a new estimator instead")
        self.theta_, self.state_ = self.theta_.copy(), self.state_.copy()
        self._streams = copy.deepcopy(self._streams)
        old, self.optimizer_state_ = self.optimizer_state_, spec.optimizer.init(self.theta_)
        now, before = spec.optimizer, self.spec_.optimizer
        if keep_optimizer and isinstance(now, Optimizer) and isinstance(before, type(now)):
            self.optimizer_state_.step = old.step
            if (now.ema, now.swa) == (before.ema, before.swa):
                self.optimizer_state_.average = copy.deepcopy(old.average)
            for name in self.optimizer_state_.vectors.keys() & old.vectors.keys():
                self.optimizer_state_.vectors[name][...] = old.vectors[name]
            for name in self.optimizer_state_.scalars.keys() & old.scalars.keys():
                self.optimizer_state_.scalars[name] = old.scalars[name]
        self.spec_ = spec

    def _try_out(self, data: Data, *, adapting: bool) -> None:
        """Let a new network adapt to the data, hold its links to their contract, and make room for its optimizer.

        In this order, because the trial has two vectors of the size of θ for itself, and leaves them to the optimizer.
        """
        if adapting:
            adapt(self.network_, self.theta_, self.state_, data.x, data.weight)
        check_links(self.network_, self.theta_, self.state_, data.rows(slice(0, 2)).x)
        if adapting:
            self.optimizer_state_ = self.spec_.optimizer.init(self.theta_)

    def _trainer(self) -> Trainer:
        trainer = Trainer(
            self.network_,
            self._loss,
            self.spec_.optimizer,
            self.spec_.training,
            self.theta_,
            self.state_,
            shuffle_rng=self._streams.shuffle,
            noise_rng=self._streams.noise,
            optimizer_state=self.optimizer_state_,
            accelerator=self._chosen_accelerator(),
        )
        trainer.progress.rows = self._rows_seen
        return trainer

    def _scorer(self, validation: Sample | None) -> Callable[[], float] | None:
        """Return what scores the present weights on the validation set; None where the loss is watched."""
        if isinstance(self.scoring, str) and self.scoring == "loss":
            return None
        if isinstance(self.scoring, list | tuple | set | dict):
            raise ValueError(f"scoring should be one score for early stopping to watch, got {self.scoring!r}")
        scorer = check_scoring(self, self.scoring)
        if validation is None:
            return None
        # Validated rows have lost their column names; a view that never had any does not miss them.
        view = copy.copy(self)
        view.__dict__.pop("feature_names_in_", None)
        data = validation.data
        weights = {} if validation.given_weight is None else {"sample_weight": validation.given_weight}
        return lambda: float(scorer(view, data.x, validation.y, **weights))

    def _record(self, history: History) -> None:
        """Show the history so far as attributes."""
        self.loss_curve_, self.n_iter_ = list(history.losses), len(history.losses)
        self.learning_rate_curve_ = list(history.learning_rates)
        for name, curve in (
            ("validation_loss_curve_", history.validation_losses),
            ("validation_scores_", history.validation_scores),
        ):
            self.__dict__.pop(name, None)
            if curve:
                setattr(self, name, list(curve))

    def _reconstruction(self) -> Callable[[], dict[str, Any]]:
        """Return what makes a copy of this estimator a fitted one of its own, for callbacks that want it."""
        mutable = ("theta_", "state_", "optimizer_state_", "_streams")
        return lambda: {name: copy.deepcopy(getattr(self, name)) for name in mutable}

    # What a translation from another set of parameters may do differently

    def _new_streams(self) -> Streams:
        return Streams.of(self.random_state)

    def _first_weights(self, dtype: "np.dtype[np.floating]") -> tuple[Array, Array]:
        theta, state = self.network_.initialize(self._streams.init, dtype)
        if self.initial_weights is not None:
            self.network_.assign(theta, state, self.initial_weights)
        return theta, state

    def _split(self, sample: Sample) -> tuple[Sample, Sample]:
        """Return the rows to train on and the rows to watch."""
        seed = int(self._streams.split.integers(2**31))
        stratify = sample.y if sample.target.task in ("binary", "multiclass") else None
        # Of very few rows, still two, and one of each class.
        n, held_out = len(sample.data), 2 if stratify is None else max(2, sample.target.width)
        if n <= held_out:
            raise ValueError(f"n_samples = {n} is too few to set {held_out} rows aside for early_stopping=True")
        fraction = max(self.spec_.training.validation_fraction, held_out / n)
        return sample.split(fraction, seed, stratify)

    def _train(self, trainer: Trainer, data: Data, validation: Data | None, **hooks: Any) -> History:
        return trainer.fit(data, validation, **hooks)

    def _passes_made(self) -> int:
        """Return what `n_iter_` is after another pass of `partial_fit`."""
        return self.n_iter_ + 1

    def _report(self, history: History) -> str:
        return report(history)

    def _not_converged(self) -> str:
        return (
            f"training stopped at max_iter={self.max_iter} epochs before the loss stopped improving; raise max_iter, "
            "or loosen tol"
        )

    @contextmanager
    def _unchanged_on_failure(self) -> Iterator[None]:
        """Put back every attribute if the block raises."""
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    # Predicting

    def _raw(self, X: Any) -> Array:
        """Return the network's raw output for X."""
        network, rows = self._ready(X)
        return network.predict(self.theta_, self.state_, rows)

    def _raw_blocks(self, X: Any) -> Iterator[Array]:
        """Yield the network's raw output for X, a block of rows at a time."""
        network, rows = self._ready(X)
        return network.predict_blocks(self.theta_, self.state_, rows)

    def _ready(self, X: Any) -> tuple[Network, Any]:
        """Return the network that is run, and validated rows."""
        check_is_fitted(self)
        rows = self._rows(X)
        return accelerated(self.network_, self._chosen_accelerator(), self.theta_.dtype), rows

    def _rows(self, X: Any, **checks: Any) -> Any:
        """Return validated rows, as the network takes them."""
        missing = self._takes("missing", fitted=True)
        checks = {"accept_sparse": ("csr", "csc"), "ensure_all_finite": "allow-nan" if missing else True, **checks}
        X = by_rows(validate_data(self, self._numbers(X), reset=False, dtype=self.theta_.dtype, **checks))
        if missing:
            check_missing(self.network_, self.theta_, self.state_, X)
        return X

    def _makes_steps(self) -> bool:
        """Whether the optimizer makes a step per mini-batch, as `partial_fit` needs it."""
        if isinstance(understood(self.optimizer, self._slots(self.get_params(deep=False))["optimizer"]), Solver):
            raise AttributeError(
                f"partial_fit needs an optimizer that makes a step per mini-batch, and optimizer={self.optimizer!r} is "
                "a solver, which takes all data at once"
            )
        return True

    def _chosen_loss(self) -> Loss | None:
        """Return the loss: once fitted, the one that was used; None while it is "auto" or not valid."""
        if hasattr(self, "theta_"):
            return self._loss
        found = understood(self.loss, Slot("loss", keep=("auto",)))
        return found if isinstance(found, Loss) else None

    @property
    def _loss(self) -> Loss:
        """The loss that was used: the spec's, and never "auto" once it is fitted."""
        assert isinstance(self.spec_.loss, Loss)
        return self.spec_.loss

    # Looking at it

    def summary(self, n_features: int | None = None, n_outputs: int | None = None) -> Summary:
        """Return the links with their shapes, parameters and multiply-adds; ``print`` shows them as a table.

        It marks what the accelerator's twins are run of; nothing is compiled for that.

        Parameters
        ----------
        n_features, n_outputs : int, optional
            Columns of X and of the raw output (targets; classes, of which two need one column), for the network that
            the parameters describe. Not given: the fitted network.

        Raises
        ------
        NotFittedError
            If it is not fitted and the numbers are not given.

        Examples
        --------
        >>> from modnet import ModNetClassifier
        >>> print(ModNetClassifier(layers=(32, 16), accelerator=None).summary(n_features=64, n_outputs=10))
        path                  layer            output  parameters  multiply-adds
        ────────────────────────────────────────────────────────────────────────
                              input                64
        layers[0]             Dense(units=32)      32       2,080          2,048
        layers[0].activation  ReLU()               32           0              0
        layers[1]             Dense(units=16)      16         528            512
        layers[1].activation  ReLU()               16           0              0
        output                Dense(units=10)      10         170            160
        ────────────────────────────────────────────────────────────────────────
                              total                         2,778          2,720
        accelerator: none
        """
        if n_features is not None and n_outputs is not None:
            spec = self.to_spec()
            return self._summary(spec.network(n_features, n_outputs), meant_loss(spec, self._default_loss), spec)
        if n_features is not None or n_outputs is not None:
            raise ValueError(f"n_features and n_outputs belong together, got {n_features} and {n_outputs}")
        if not hasattr(self, "theta_"):
            raise NotFittedError(
                f"This {type(self).__name__} is not fitted yet, so the widths of its input and output are not known: "
                "call summary(n_features=…, n_outputs=…), or fit first"
            )
        return self._summary(self.network_, self._loss, self.spec_)

    def _summary(self, network: Network, loss: Loss, spec: ModelSpec) -> Summary:
        accelerator = self._chosen_accelerator()
        dtype = self.theta_.dtype if hasattr(self, "theta_") else np.dtype(np.float64)
        name = accelerator_name(accelerator)
        parts = fused_parts(network, accelerator, dtype, name=name, loss=loss, optimizer=spec.optimizer)
        return summarize(network, parts)

    @available_if(can_draw)  # type: ignore[untyped-decorator]
    def _sk_visual_block_(self) -> Any:
        """Return what scikit-learn draws in notebooks."""
        return visual_block(self)

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there are weights."""
        return hasattr(self, "theta_")

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn may expect of this estimator."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = True
        fitted = hasattr(self, "theta_")  # scikit-learn asks in each call, and a spec takes 0.2 ms to make
        tags.input_tags.allow_nan = self._takes("missing", fitted=fitted)
        tags.input_tags.categorical = self._takes("codes", fitted=fitted)
        return tags


def report(history: History) -> str:
    """Return the line that ``verbose`` prints after an epoch.

    Examples
    --------
    >>> report(History(losses=[0.5], validation_losses=[0.75], seconds=0.01))
    'epoch    1  loss 0.500000  validation loss 0.750000  0.010 s'
    """
    parts = [f"epoch {len(history.losses):4d}", f"loss {history.losses[-1]:.6f}"]
    if history.validation_losses:
        parts.append(f"validation loss {history.validation_losses[-1]:.6f}")
    if history.validation_scores:
        parts.append(f"score {history.validation_scores[-1]:.4f}")
    return "  ".join([*parts, f"{history.seconds:.3f} s"])


def with_first_weights(estimator: BaseModNet, X: Any, y: Any) -> tuple[BaseModNet, Sample]:
    """Return a copy of an estimator as `fit` has it before the first step, and the rows as its loss takes them."""
    begun: BaseModNet = clone(estimator)
    sample = begun._sample(X, y, None, known="nothing")
    begun._start(begun.to_spec(), sample.target, sample.data.x.dtype)
    adapt(begun.network_, begun.theta_, begun.state_, sample.data.x, sample.data.weight)
    return begun, sample
