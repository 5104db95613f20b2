"""What the two tabular estimators share: which members there are, how they are fitted, what is told of them.

Members are estimators of modnet's own; nothing here trains. `modnet_tabular.estimators` has the two.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import Tags, check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples, check_is_fitted

from modnet import Array, BaseModNet, ModelSpec, NestedParameters
from modnet.component import field_names
from modnet.errors import InvalidSpecError
from modnet.estimators.display import VisualBlock, can_draw, visual_block
from modnet.estimators.fitting import ENOUGH, FitMetadata, unchanged_on_failure
from modnet.inputs import Table
from modnet.network.summary import Summary
from modnet.strict import is_number, truth
from modnet.training import TrainingSettings
from modnet_standard.inputs.table import FEW_ROWS
from modnet_tabular.pbld import PBLD

DEEP = {"layers": (128, 128, 128), "n_iter_no_change": 5}
"""A member: three layers with ReLU, and less patience than one network needs that has to be right alone."""

PERIODIC = {**DEEP, "inputs": Table(numbers=PBLD())}
"""A member that sees waves of numbers in place of bins: it errs elsewhere, and suits targets that are smooth."""


class Preset(NamedTuple):
    """Which members an ensemble has: so many, of these kinds in turn."""

    n_members: int
    kinds: tuple[Mapping[str, Any], ...]


PRESETS = {
    "fast": Preset(1, ({**DEEP, "n_iter_no_change": 8},)),
    "default": Preset(4, (DEEP,)),
    "best": Preset(8, (DEEP, DEEP, DEEP, PERIODIC)),
}

FEW_EPOCHS = 60
"""Epochs of a member on fewer rows than are enough to hold some out."""

_NAMES = {"max_iter": "max_epochs"}
"""What members call otherwise."""


@dataclass(eq=False, repr=False, kw_only=True)
class Parameters:
    """The parameters that both estimators have."""

    preset: str = "default"
    n_members: int | None = None
    max_epochs: int = 120
    layers: Any = None
    inputs: Any = "table"
    loss: Any = "auto"
    optimizer: Any = "auto"
    calibrate: bool = True
    max_time: float | None = None
    random_state: int | np.random.RandomState | None = None
    n_jobs: int | None = None


class BaseTabular(CallbackSupportMixin, NestedParameters, ABC):  # type: ignore[misc]
    """An ensemble of networks for tables, as a scikit-learn estimator.

    Parameters
    ----------
    preset : {"default", "fast", "best"}
        How many members, and which: "fast" one, "default" four, each of three layers of 128 with ReLU; "best" eight,
        every fourth with waves (`PBLD`) in place of bins, where `inputs` is left alone.
    n_members : int, optional
        How many there are, ≥ 1; None: as many as the preset has.
    max_epochs : int
        Epochs of a member at most, ≥ 1. On fewer than 200 rows, where none are held out, at most 60.
    layers : tuple, optional
        The hidden layers of members, as `ModNetClassifier` takes them; None: those of the preset.
    inputs, loss, optimizer : str, mapping or component, optional
        As of `ModNetClassifier`, for all members.
    calibrate : bool
        Whether probabilities get a temperature, which the rows decide that members held out. It does not change which
        class is the most likely one.
    max_time : float, optional
        Seconds, > 0: when they are over, no further member is begun; the first is, and what has begun is finished.
    n_jobs : int, optional
        How many members are fitted at a time, as joblib and its backends take it; the result is the same for any.
    random_state : int, RandomState or None
        Seed of all members; an int gives bit-identical ensembles every time.

    Attributes
    ----------
    estimators_ : list of ModNetClassifier or ModNetRegressor
        The members, fitted, each with its `spec_`.
    held_out_rows_ : list of ndarray of int
        Which rows of X each member has set aside; empty where none did.
    held_out_prediction_ : ndarray or list of ndarray, shape (n, …)
        What members predicted for rows of X before they had learnt from them: as by `predict_proba`, at the same
        temperature, or as by `predict`; their mean where several have held a row out, NaN where none has.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        If X had column names.
    """

    fitted_attributes: ClassVar[Mapping[str, Any]] = {
        "estimators_": list[BaseModNet],
        "held_out_rows_": list[np.ndarray],
        "n_features_in_": int,
    }
    _member: ClassVar[Any]

    estimators_: list[Any]
    held_out_rows_: list[Array]
    activation = "relu"
    """What follows a number of units in `layers` where nothing else is said; no parameter."""

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
        """Fit the members; if it fails, the estimator is what it was before.

        Ctrl-C keeps the members that are complete, if there is one, and the interrupt goes on.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n, n_features)
            Any table: numbers, categories, text, gaps.
        y : array-like, shape (n,) or (n, k)
            The truth, as for `fit`.
        sample_weight : array-like, shape (n,), optional
            Non-negative; a row of weight zero counts as absent.
        X_val, y_val, sample_weight_val : array-like, optional
            What all members watch, and what decides the temperature; then no member holds rows of X out.

        Returns
        -------
        self
            The estimator itself.

        Raises
        ------
        ModNetError, ValueError
            As `ModNetClassifier.fit`.
        """
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        fitted: list[Any] = []

        def finish() -> None:
            for name in ("n_features_in_", "feature_names_in_", "classes_"):
                self.__dict__.pop(name, None)
                if name in vars(fitted[0]):
                    setattr(self, name, vars(fitted[0])[name])
            self.estimators_ = fitted
            self.held_out_rows_ = [] if X_val is not None else [each.held_out_rows_ for each in fitted if _judges(each)]
            weight = _weights(sample_weight, y)
            if X_val is None:
                self._learn_from_members(y, weight, y, weight, self.held_out_rows_)
            else:
                watched = _weights(sample_weight_val, y_val)
                self._learn_from_members(y, weight, y_val, watched, [np.flatnonzero(watched > 0)] * len(fitted))

        try:
            with unchanged_on_failure(self):
                self.to_spec()
                rows = _num_samples(X) if sample_weight is None else int(np.count_nonzero(np.asarray(sample_weight)))
                members = self._planned(rows, watched=X_val is not None)
                context = self._init_callback_context(max_subtasks=len(members), sequential_subtasks=False)
                told = {"X": X, "y": y, "metadata": FitMetadata(sample_weight, X_val, y_val)}
                context.call_on_fit_task_begin(estimator=self, **told)
                tasks = [context.subcontext(task_name="member", task_id=i) for i in range(len(members))]
                job = delayed(partial(_fitted, estimator=self, told=told, weight=sample_weight, given=given))
                run = Parallel(n_jobs=self.n_jobs, return_as="generator", pre_dispatch="n_jobs")
                for each in run(job(member, task) for member, task in self._in_time(members, tasks)):
                    fitted.append(each)
                finish()
                context.call_on_fit_task_end(estimator=self, **told, reconstruction_attributes=dict)
        except KeyboardInterrupt:
            if fitted:
                finish()
            raise
        except (TypeError, ValueError) as error:
            raise self._own(error)  # noqa: B904  # the same error
        return self

    def _of_each(self, method: str, X: Any, **how: Any) -> list[Any]:
        """Return what a method of each member returns for X."""
        try:
            return [getattr(member, method)(X, **how) for member in self.estimators_]
        except (TypeError, ValueError) as error:
            raise self._own(error)  # noqa: B904

    def _own(self, error: Exception) -> Exception:
        """Return an error of a member's in the name of the ensemble, which is what the user has called."""
        names = self._member.__name__, type(self).__name__
        error.args = tuple(each.replace(*names) if isinstance(each, str) else each for each in error.args)
        return error

    def _planned(self, rows: int, *, watched: bool = False) -> list[Any]:
        """Return the members for so many rows, not fitted yet, each with a seed; `watched`: they are given `X_val`."""
        preset = PRESETS[self.preset]
        n = preset.n_members if self.n_members is None else int(self.n_members)
        seeds = check_random_state(self.random_state).randint(0, 2**31 - 1, size=n).tolist()
        epochs = min(FEW_EPOCHS, self.max_epochs) if rows < ENOUGH and not watched else self.max_epochs
        kinds = [preset.kinds[i % len(preset.kinds)] for i in range(n)]
        if rows <= FEW_ROWS or self.inputs != "table":
            kinds = [{name: value for name, value in kind.items() if name != "inputs"} for kind in kinds]
        return [self._like(kind, max_iter=epochs, random_state=seed) for kind, seed in zip(kinds, seeds, strict=True)]

    def _like(self, kind: Mapping[str, Any], **params: Any) -> Any:
        """Return a member of a kind, with what the parameters of the ensemble say of all."""
        own = {} if self.layers is None else {"layers": self.layers}
        common = {name: getattr(self, name) for name in ("loss", "optimizer", *self._also)}
        return self._member(**{"inputs": self.inputs, **kind, **own, **common, **params})

    _also: ClassVar[tuple[str, ...]] = ()
    """Parameters beside those of all ensembles that members have, too."""

    def _in_time(self, members: list[Any], tasks: list[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield members with their tasks until the time is over."""
        started = time.perf_counter()
        for i, pair in enumerate(zip(members, tasks, strict=True)):
            if i and self.max_time is not None and time.perf_counter() - started > self.max_time:
                return
            yield pair

    @abstractmethod
    def _learn_from_members(self, y: Any, weight: Array, watched: Any, their: Array, rows: list[Array]) -> None:
        """Learn what members do not know of each other.

        Parameters
        ----------
        y : array-like
            What was learnt from.
        weight : ndarray, shape (n,)
            Its weights.
        watched, their : array-like, ndarray
            The target in which the rows are that members had not learnt from when they predicted them; its weights.
        rows : list of ndarray of int
            Which they are, for each member that has any.
        """

    # Parameters

    def to_spec(self) -> ModelSpec:
        """Return the spec of a member, of the first kind if there are two.

        Returns
        -------
        ModelSpec
            What a single network of that kind would be made of.

        Raises
        ------
        InvalidSpecError
            With the name of every parameter that is not valid, those of the ensemble among them.
        """
        problems = list(self._problems())
        kind = PRESETS.get(self.preset if isinstance(self.preset, str) else "", PRESETS["default"]).kinds[0]
        spec: ModelSpec | None = None
        try:
            spec = self._like(kind, max_iter=self.max_epochs).to_spec()
        except InvalidSpecError as error:
            found = ((*path.partition(".")[:1], path, text) for path, text in error.problems)
            problems += [(path.replace(name, _NAMES.get(name, name), 1), text) for name, path, text in found]
        if problems or spec is None:
            raise InvalidSpecError(type(self).__name__, problems)
        return spec

    def _problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the parameters that members do not have."""
        if not isinstance(self.preset, str) or self.preset not in PRESETS:
            yield "preset", f"should be {', '.join(map(repr, PRESETS))}, got {self.preset!r}"
        n, seconds = self.n_members, self.max_time
        if n is not None and not (is_number(n) and n >= 1 and n == int(n)):
            yield "n_members", f"should be a whole number from 1, or None, got {n!r}"
        if seconds is not None and not (is_number(seconds) and seconds > 0):
            yield "max_time", f"should be a number of seconds above 0, or None, got {seconds!r}"
        try:
            truth(self.calibrate)
        except ValueError as error:
            yield "calibrate", f"{error}, got {self.calibrate!r}"

    @classmethod
    def from_spec(cls, spec: ModelSpec | Mapping[str, Any] | str, **params: Any) -> Self:
        """Return an unfitted ensemble whose members have the layers, inputs, loss and optimizer of a spec.

        Parameters
        ----------
        spec : ModelSpec, mapping or str
            The spec, its mapping, or its JSON text.
        **params
            Parameters that a spec does not have, or that are to differ.

        Raises
        ------
        InvalidSpecError
            If the spec says something that an ensemble has no parameter for.
        """
        spec = ModelSpec.of(spec)
        said = {name: getattr(spec, name) for name in ("layers", "inputs", "loss", "optimizer")}
        made = cls(**{**said, "max_epochs": spec.training.max_iter, **params})
        usual = made.to_spec()
        mine, theirs = ({**_fields(each), **_fields(each.training)} for each in (usual, spec))
        default = _fields(TrainingSettings())
        problems = [
            (name, f"{cls.__name__} has no parameter for {theirs[name]!r}; ModNet{cls._member.__name__[6:]} has")
            for name in mine.keys() - {"training", "max_iter", *said}
            if theirs[name] != mine[name] and theirs[name] != default.get(name, mine[name])
        ]
        if problems:
            raise InvalidSpecError(cls.__name__, sorted(problems))
        return made

    # What an ensemble tells of itself

    @property
    def networks(self) -> list[Any]:
        """The members; empty before `fit`."""
        return list(vars(self).get("estimators_", ()))

    def summary(self) -> Summary:
        """Return the links of all members with their shapes, parameters and multiply-adds; ``print`` shows a table.

        Returns
        -------
        Summary
            Its `parameters` and `multiply_adds` are those of all members.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(self)
        each = [member.summary() for member in self.estimators_]
        rows = [replace(row, path=f"estimators_[{i}].{row.path}") for i, one in enumerate(each) for row in one.rows]
        whole: Summary = replace(each[0], rows=tuple(rows), parts=None)
        return whole

    @available_if(can_draw)  # type: ignore[untyped-decorator]
    def _sk_visual_block_(self) -> Any:
        """Return what scikit-learn draws in notebooks: the members beside each other, of each kind one."""
        members = self.networks or self._planned(FEW_ROWS + 1)
        looks = [f"{member.layers} {member.activation} {member.inputs}" for member in members]
        kinds = dict(zip(looks, members, strict=True))
        names = [f"{looks.count(look)} × {type(member).__name__}" for look, member in kinds.items()]
        return VisualBlock("parallel", list(map(visual_block, kinds.values())), names=names, name_details=names)

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there are members."""
        return bool(self.networks)

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn may expect of this estimator: what it may of a member."""
        tags, member = super().__sklearn_tags__(), get_tags(self._like({}))
        for name in ("input_tags", "target_tags", "classifier_tags"):
            setattr(tags, name, getattr(member, name))
        return tags


def _fitted(member: Any, task: Any, *, estimator: Any, told: Any, weight: Any, given: Any) -> Any:
    """Return a member, fitted; in whichever process this is."""
    with task.propagate_callback_context(member):
        task.call_on_fit_task_begin(estimator=estimator, **told)
        member.fit(told["X"], told["y"], weight, **given)
    task.call_on_fit_task_end(estimator=estimator, **told)
    return member


def _judges(member: Any) -> bool:
    """Return whether a member has held rows out."""
    return "held_out_rows_" in vars(member)


def _weights(given: Any, y: Any) -> Array:
    return np.ones(_num_samples(y)) if given is None else np.asarray(given, float)


def _fields(component: Any) -> dict[str, Any]:
    return {name: getattr(component, name) for name in field_names(type(component))}
