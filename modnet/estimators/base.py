"""What the estimators share: the way from X and y to a trained θ, and what an estimator tells of itself.

``fit`` validates the spec, then the data, then trains; only a fit that succeeds changes the estimator.
"""

import copy
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from modnet.acceleration import CompileTimer, accelerator_name, fused_parts
from modnet.base import Array, Inputs, Module, Optimizer, OptimizerState, Shape, Solver
from modnet.docstrings import complete
from modnet.entries import documentation
from modnet.errors import ModNetError
from modnet.estimators import failing, fitting, preparation, telling
from modnet.estimators.display import can_draw, visual_block
from modnet.estimators.nested import understood
from modnet.estimators.parameters import SLOTS, NestedParameters, chosen_accelerator, loss_of
from modnet.estimators.preparation import Sample, learn_scale, modules_of, network_for, prepared, takes
from modnet.estimators.table import Table
from modnet.estimators.target import Numbers, loss_before_target, loss_for
from modnet.estimators.threads import few_threads
from modnet.network import Network
from modnet.network.summary import Summary, summarize
from modnet.network.trial import check_values, rows_counted
from modnet.spec import ModelSpec
from modnet.training import History, Trainer
from modnet.training.batches import rows_per_batch
from modnet.training.combining import first_state
from modnet.training.stages import cools_down


class BaseModNet(CallbackSupportMixin, NestedParameters):  # type: ignore[misc]
    """A neural network as a scikit-learn estimator: the base of classifier, regressor and transformer.

    Attributes
    ----------
    spec_ : ModelSpec
        The validated parameters, with the loss that was used.
    network_ : Network
        Links, shapes and the layout of θ; ``network_.parameters(theta_)`` shows weights by name.
    theta_, state_ : ndarray, shape (n_parameters,)
        The parameters, and the non-trainable state.
    loss_curve_ : list of float
        Training loss per epoch, of numbers in the scale in which the loss sees them (`scale_target`).
    validation_loss_curve_, validation_scores_ : list of float
        Loss and score on the validation set per epoch, if there is one, and a scorer; a cool-down that learns from the
        rows held out has none.
    learning_rate_curve_ : list of float
        Learning rate per epoch.
    n_iter_ : int
        Epochs run.
    held_out_rows_, held_out_prediction_ : ndarray
        Which rows of X early stopping held out, and what was said of them, or of those of `X_val`, before any
        cool-down: probabilities (or scores) or numbers; a list for several columns of classes.
    cooldown_start_ : int
        How many of them were before the cool-down, if there was one.
    timed_out_ : int
        After how many of them `max_time` was over, if it was: training ended there, or the first of its two stages.
    input_shape_ : tuple of int
        Shape per row of X.
    n_features_in_ : int
        Columns of X; of an X of several axes, as scikit-learn counts, ``X.shape[1]``.
    feature_names_in_ : ndarray of str
        If X had column names.
    table_ : Table or None
        The columns of X with their types, if X was a data frame.
    optimizer_state_ : OptimizerState
        Where `partial_fit` goes on.
    """

    fitted_attributes: ClassVar[Mapping[str, Any]] = {
        **dict.fromkeys(("theta_", "state_"), np.ndarray),
        **dict.fromkeys(("loss_curve_", "learning_rate_curve_"), list[float]),
        **dict.fromkeys(("n_iter_", "n_features_in_", "_rows_seen"), int),
        "input_shape_": tuple,
        "optimizer_state_": OptimizerState,
        "table_": Table | None,
        "_inputs": Inputs | Module | None,
        "_streams": fitting.Streams,
        "_target": Numbers,
    }
    _doc_link_module = "modnet"
    _doc_link_template = documentation()  # scikit-learn's own would lead to a page that its site does not have
    _sparse_format: Any = "csr"
    _allow_nd: Any = True
    _default_loss: ClassVar[str | Mapping[str, Any]] = "squared_error"
    _y_numeric = True
    _ravel_y = False
    _told_of_unknown = False
    _tuned = True  # whether batches and precision go by the number of rows
    _accelerator_unasked: ClassVar[str] = "auto"  # what "auto" means where MODNET_ACCELERATOR says nothing
    _reads_all = False  # whether every column of X counts as read

    spec_: ModelSpec
    network_: Network
    loss_curve_: list[float]
    learning_rate_curve_: list[float]
    optimizer_state_: OptimizerState
    table_: Table | None
    input_shape_: Shape
    _target: Any  # Numbers or Classes

    @with_callbacks  # type: ignore[untyped-decorator]
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
        """Train on X and y; if it fails, the estimator is what it was before.

        If training was cut off, or nothing was learnt, a ConvergenceWarning says what to do.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features) or (n, *input_shape)
            Any table, as far as inputs and layers take it; sparse rows stay sparse through the first layer. Rows of
            several axes are taken if the layers make rows of one axis of them, as `Flatten` does.
        y : array-like, shape (n,) or (n, k)
            The truth, as for `fit`.
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
        InvalidSpecError, ShapeError, ContractError
            If a parameter is not valid, a layer does not fit or a component breaks its contract.
        NonFiniteError
            If the loss becomes inf or NaN.
        ValueError
            If the data is not valid, as scikit-learn words it.
        """
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val should be given together, got only one of them")
        if sample_weight_val is not None and X_val is None:
            raise ValueError("sample_weight_val was given without X_val and y_val")
        with fitting.unchanged_on_failure(self):
            spec, again = self.to_spec(), self.warm_start and hasattr(self, "theta_")
            told = fitting.FitMetadata(sample_weight, X_val, y_val)
            task = fitting.EpochTask(self, spec.training.max_iter, X, y, told)
            sample = self._begin(spec, X, y, sample_weight, again=again, learning=True, watched=X_val is not None)
            training, n = self.spec_.training, len(sample.data)
            batch_size = spec.training.batch_size
            if batch_size is not None and batch_size > n:  # batches are as large as the data then
                telling.warn("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped")
            validation, first = None, slice(0, n)
            if X_val is not None:
                validation = prepared(self, X_val, y_val, sample_weight_val)
                self._check_values(validation)
                loss_of(self).check_truth(validation.target.t)
            elif training.early_stopping:
                sample, stop = self._split(sample)
                validation, first = sample.rows(slice(stop, n)), slice(0, stop)
            stages = cools_down(training, self.spec_.optimizer)
            if not stages and first.stop < n:  # nothing is learnt from the rows to watch
                sample = sample.rows(first)
            learn_scale(self, sample)
            fitting.try_out(self, sample.data, adapting=not again)
            waiting = CompileTimer(chosen_accelerator(self))
            apart = validation if X_val is not None or not stages else None
            trainer, data, watched = fitting.trainer_on(self, sample, apart)
            look = partial(fitting.note_held_out, self, validation, from_x=X_val is None)
            train = partial(fitting.in_stages, first=first, on_scouted=look) if stages else self._train

            def on_epoch(history: History) -> bool:
                self._record(history)
                self._rows_seen = trainer.progress.rows
                if self.verbose:
                    print(*waiting.lines(), self._report(history), sep="\n")
                return not alone and task.end_epoch()

            alone = not (self.verbose or vars(self).get("_skl_callbacks"))  # nobody looks at each epoch
            batched = isinstance(spec.optimizer, Optimizer)
            with few_threads(self.network_, rows_per_batch(training.batch_size, n) if batched else n):
                history = train(
                    trainer,
                    data,
                    watched,
                    score=fitting.scorer_on(self, validation),
                    on_begin=None if alone else task.begin_epoch,
                    on_epoch=on_epoch,
                    several=alone,
                )
            self._record(history)
            if not stages:
                look()
            task.end()
        if not (history.converged or history.stopped) and (text := self._not_converged(trainer)):
            telling.warn(text, ConvergenceWarning)
        self._warn_of_failure(self, sample, history, X, y)
        return self

    def _begin(
        self,
        spec: ModelSpec,
        X: Any,
        y: Any,
        weight: Any,
        *,
        again: bool,
        learning: bool,
        watched: bool = False,
        stream: bool = False,
    ) -> Sample:
        """Prepare the data, and a network for it; `stream`: whether the optimizer goes on with what it remembers."""
        before, asked = self.spec_ if again else None, spec.inputs
        if not again:
            self.spec_ = spec = spec.without_plan()
        sample = prepared(self, X, y, weight, reset=not again, learning=learning)
        rows = None if stream else len(sample.data)
        loss = loss_for(spec, sample.target, self._default_loss)
        spec = fitting.decided(spec, loss, rows, watched=watched, tuned=self._tuned)
        if before is None:
            self._inputs, self._streams = asked, self._new_streams()
            spec, sample = preparation.with_chosen_inputs(self, spec, sample)
            self.network_ = network_for(self, spec, loss.width(sample.target.width))
            self.theta_, self.state_ = self._first_weights(sample.dtype)
            self._rows_seen = 0
        else:
            for name in ("inputs", "layers", "output", "output_activation"):
                if getattr(spec, name) != (self._inputs if name == "inputs" else getattr(before, name)):
                    raise ValueError(f"{name} has changed since the network was made; fit a new estimator instead")
            spec = replace(spec, inputs=before.inputs)
            self.theta_, self.state_, self._streams = copy.deepcopy((self.theta_, self.state_, self._streams))
            old, self.optimizer_state_ = self.optimizer_state_, first_state(self.network_, spec.optimizer, self.theta_)
            if stream:
                fitting.carry_over(old, self.optimizer_state_, before, spec)
        self.spec_ = spec
        self._check_values(sample)
        return sample

    def _check_values(self, sample: Sample) -> None:
        with rows_counted(sample.index):
            check_values(self.network_, self.theta_, self.state_, sample.data.x)

    def _partial_fit(self, X: Any, y: Any, weight: Any, *, announced: bool = False) -> None:
        """Go through X and y once; `announced`: whether it is known before the first call what there is to predict."""
        first = not hasattr(self, "theta_")
        learning = first and not announced
        sample = self._begin(self.to_spec(), X, y, weight, again=not first, learning=learning, stream=True)
        learn_scale(self, sample)
        if first:
            self.loss_curve_, self.learning_rate_curve_, self.n_iter_ = [], [], 0
            fitting.try_out(self, sample.data, adapting=True)
        telling.warn_of_unknown(self, sample.data.x)
        waiting = CompileTimer(chosen_accelerator(self))
        trainer, data, _ = fitting.trainer_on(self, sample, None)
        trainer.progress.epoch, trainer.progress.losses = self.n_iter_, self.loss_curve_
        trainer.engine.compare_loss(data.t)
        started = time.perf_counter()
        with few_threads(self.network_, rows_per_batch(trainer.settings.batch_size, len(data))):
            loss = trainer.epoch(data)
        telling.warn_of_the_end(trainer)
        self.loss_curve_.append(loss)  # in place, at the very end: a copy of both would take longer than the step
        self.learning_rate_curve_.append(trainer.optimizer_state.learning_rate)
        self._rows_seen = trainer.progress.rows
        self.n_iter_ += 1
        if self.verbose:
            history = History(losses=self.loss_curve_[-self.n_iter_ :], seconds=time.perf_counter() - started)
            print(*waiting.lines(), self._report(history), sep="\n")

    def _learn_target(self, y: Array, order: Array | None) -> None:
        """Learn what there is to predict; with `warm_start`, check that it is the same as before."""
        self._target = Numbers.of(y, before=self._target if self.warm_start and hasattr(self, "theta_") else None)

    # What an estimator tells of itself

    def summary(self, n_features: int | Shape | None = None, n_outputs: int | None = None) -> Summary:
        """Return the links with their shapes, parameters and multiply-adds; ``print`` shows them as a table.

        It marks what the accelerator runs fused; nothing is compiled for that.

        Parameters
        ----------
        n_features, n_outputs : int, optional
            Columns of X, or the shape of its rows, and columns of the prediction (targets; classes, of which two need
            one column), for the network that the parameters describe. Not given: the fitted network.

        Returns
        -------
        Summary
            A table; its `parameters` and `multiply_adds` are numbers.

        Raises
        ------
        NotFittedError
            If it is not fitted and the numbers are not given.

        Examples
        --------
        >>> from modnet import ModNetClassifier
        >>> print(ModNetClassifier((32, 16), inputs=None, accelerator=None).summary(n_features=64, n_outputs=10))
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
        if (n_features is None) != (n_outputs is None):
            raise ValueError(f"n_features and n_outputs belong together, got {n_features} and {n_outputs}")
        fitted = hasattr(self, "theta_")
        if n_features is not None and n_outputs is not None:
            spec = self.to_spec()
            shape = n_features if isinstance(n_features, tuple) else (n_features,)
            loss = loss_before_target(spec, self._default_loss)
            network = spec.network(shape, loss.width(n_outputs))
        elif fitted:
            spec, network, loss = self.spec_, self.network_, loss_of(self)
        else:
            raise NotFittedError(
                f"This {type(self).__name__} is not fitted yet, so the widths of its input and output are not known: "
                "call summary(n_features=…, n_outputs=…), or fit first"
            )
        accelerator, dtype = chosen_accelerator(self), self.theta_.dtype if fitted else np.dtype(np.float64)
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
        try:
            found = modules_of(self, fitted=hasattr(self, "network_"))
        except (ModNetError, ValueError, TypeError):
            found = []  # `fit` says what is wrong
        tags.input_tags.allow_nan, tags.input_tags.categorical = takes("missing", found), takes("codes", found)
        return tags

    # What the drop-ins for scikit-learn's MLP do differently

    def _makes_steps(self) -> bool:
        """Whether there is `partial_fit`; raises AttributeError with the reason if there is not."""
        if isinstance(understood(self.optimizer, SLOTS["optimizer"]), Solver):
            raise AttributeError(
                f"partial_fit needs an optimizer that makes a step per mini-batch, and optimizer={self.optimizer!r} is "
                "a solver, which takes all data at once"
            )
        return True

    def _look_at_network(self) -> None:
        """Warn of what a new network can hardly be meant to have."""

    def _new_streams(self) -> fitting.Streams:
        return fitting.Streams.of(self.random_state)

    def _first_weights(self, dtype: "np.dtype[np.floating]") -> tuple[Array, Array]:
        theta, state = self.network_.initialize(self._streams.init, dtype)
        if self.initial_weights is not None:
            self.network_.assign(theta, state, self.initial_weights)
        return theta, state

    # No methods that only call them: the way from fit to the first product stays short.
    _split: Any = fitting.held_out_last
    _trained_on: Any = loss_of
    _train: Any = staticmethod(Trainer.fit)
    _record: Any = telling.record
    _report: Any = staticmethod(telling.report)
    _warn_of_failure: Any = staticmethod(failing.warn_of_failure)
    _not_converged: Any = telling.not_converged


complete(BaseModNet, "Parameters")
