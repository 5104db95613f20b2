"""Parameters of an estimator: nested names, the way to a validated spec and back, and their description.

They are the fields of a dataclass, stored as they are; `to_spec` validates them. What several estimators share is
described once, on their base.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, fields, replace
from functools import lru_cache
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from modnet.acceleration import installed_accelerator
from modnet.base import Accelerator, Activation, Inputs, Loss, Module, Optimizer, Output, Solver
from modnet.component import field_names
from modnet.errors import InvalidSpecError
from modnet.estimators.nested import listed, replaced, understood
from modnet.estimators.portable import Portable
from modnet.estimators.target import loss_before_target
from modnet.registry import registry
from modnet.slot import Slot, parse, slots
from modnet.spec import ModelSpec
from modnet.spec_slots import LayerSlot
from modnet.strict import is_number, is_sequence, truth, with_types
from modnet.training import TrainingSettings
from modnet.words import suggestions

Written = str | Mapping[str, Any]
"""A component as a file has it: its name, or a mapping with its name and its fields."""

_SPEC = slots(ModelSpec)

SLOTS = {**_SPEC, "activation": Slot("activation", "layer"), "accelerator": Slot("accelerator", keep=("auto",))}
"""The parameters that hold components: those of a spec, and two more."""

_NAMES = (*_SPEC, "activation", "warm_start", "verbose", *field_names(TrainingSettings))


@lru_cache(maxsize=64)
def names_of(cls: Any) -> tuple[str, ...]:
    """Return the names of a class's parameters; to read its signature each time took a sixth of a short fit."""
    return tuple(cls._get_param_names())


@dataclass(eq=False, repr=False)
class NestedParameters(Portable):
    """An estimator whose parameters are, and hold, components: the base of all that stand in model files.

    `BaseModNet` is one network. What consists of several derives from this class and says `networks`.

    Parameters
    ----------
    layers : tuple
        The hidden layers: numbers of units (a dense layer, then `activation`), registered names, mappings such as
        ``{"type": "dropout", "rate": 0.2}``, instances, mixed.
    activation : str, mapping or Module
        What follows the dense layer of a bare number: an activation, or a layer that keeps the shape; None: nothing.
    inputs : str, mapping, Inputs or Module, optional
        What turns the columns of X into the numbers that layers take: "table" takes numbers of any size, categories,
        text and gaps; another is "standardize"; None: X as it is.
    output : str, mapping or Output
        What ends the network in as many columns as the loss asks for.
    output_activation : str, mapping or Activation, optional
        Applied behind the output layer.
    loss : str, mapping or Loss
        "auto": what the estimator's task asks for.
    optimizer : str, mapping or Optimizer
        "auto": Adam with a rate of 0.003 and β₂ = 0.95, whose fields are set as those of any other.
    alpha : float
        Strength of the penalty on weights (not on biases), ≥ 0; scaled as in sklearn.neural_network.
    l1_ratio : float
        The share of that penalty that is L1, in [0, 1], the rest being L2, as scikit-learn's elastic net mixes them.
    batch_size : int or "auto"
        Rows per step; "auto": a fortieth of the rows as a power of two, 32 to 256; of `partial_fit` min(200, n).
    max_iter : int
        Epochs at most, those of the cool-down among them.
    max_time : float, optional
        Seconds of training at most, > 0: it stops after the epoch in which they are over, and the best weights are kept
        as ever. Of two stages the first has its share of them, 1 / (1 + `cooldown`), and the cool-down as many epochs
        as fit into the rest. `partial_fit` takes no notice.
    shuffle : bool
        Whether each epoch sees the rows in another order.
    tol : float
        How far the loss has to fall for an epoch to count as progress.
    n_iter_no_change : int
        Training stops after more than this many epochs in a row without progress.
    early_stopping : bool or "auto"
        Whether to hold out rows for validation, watch the loss on them and go back to the weights of the best epoch.
        "auto": from 200 rows on or with `X_val`; on fewer rows the rate falls to 0 over `max_iter` epochs instead. An
        optimizer with a schedule of its own keeps it, a solver stops by its own rule, `partial_fit` watches nothing.
    cooldown : float
        With early stopping, how many epochs training ends with, as a share of the best epoch's number, ≥ 0: from the
        best weights on, on all rows, the rate falling to 0 along a cosine. 0, or a schedule of the optimizer's own: it
        ends with the best weights.
    validation_fraction : float
        Share of the rows held out, in (0, 1).
    scale_target : bool
        Whether the loss sees numbers to predict standardized, whatever their units: less their mean, by their standard
        deviation, both of the rows to train on; by their mean where they have to stay positive (`poisson`, `gamma`,
        `tweedie`). Predictions, quantiles, standard deviations and scores are in the units of y, losses and first
        weights are not. Of no effect under an `output_activation`, on a loss that does not admit it, and on classes.
    inputs_budget : int
        Bytes that what fixed layers in front (standardize, one_hot, …) make of the rows to train on and to watch may
        take, ≥ 0: up to them it is made once, before training; where it would take more, in each batch.
    dtype : {"auto", "float32", "float64"}
        Of the weights, and of what is calculated. "auto": float32 where X is float32, or has many rows.
    scoring : str, callable or None
        What early stopping watches on the rows held out: "loss", or the name of a scikit-learn scorer, or a scorer;
        None: `score`.
    warm_start : bool
        Whether another `fit` goes on from the present weights.
    initial_weights : mapping of str to array-like, or array-like, optional
        First weights, by full name (``{"layers[0].W": …, "output.b": …}``, the rest is drawn) or as a whole θ.
    random_state : int, RandomState or None
        Seed of first weights, order of rows, dropout and split; an int gives bit-identical weights every time.
    accelerator : str, mapping, Accelerator or None
        What runs layers, loss and optimizer fused and compiled; "auto": what the environment variable
        ``MODNET_ACCELERATOR`` says (``auto``, ``none`` or a name), or an installed plugin, if there is one; None:
        nothing, NumPy alone is used. Results agree to rounding.
    verbose : bool
        Whether to print a line per epoch, and how long an accelerator had to compile.
    """

    kind: ClassVar[str] = "estimator"
    """What it is to the registry."""

    fitted_attributes: ClassVar[Mapping[str, Any]] = {}
    """What every fitted one has, with types: a file that lacks one is refused. Subclasses add what they have more."""

    layers: Sequence[Module | Written | int] | Written = (128, 128)
    activation: Module | Written | None = "relu"
    _: KW_ONLY
    inputs: Inputs | Module | Written | None = "table"
    output: Output | Written = "affine"
    output_activation: Activation | Written | None = None
    loss: Loss | Written = "auto"
    optimizer: Optimizer | Solver | Written = "auto"
    alpha: float = 0.0
    l1_ratio: float = 0.0
    batch_size: int | str = "auto"
    max_iter: int = 120
    max_time: float | None = None
    shuffle: bool = True
    tol: float = 0.0001
    n_iter_no_change: int = 8
    early_stopping: bool | str = "auto"
    cooldown: float = 1.0
    validation_fraction: float = 0.15
    scale_target: bool = True
    inputs_budget: int = 2**28
    dtype: str = "auto"
    scoring: str | Callable[..., float] | None = "loss"
    warm_start: bool = False
    initial_weights: Mapping[str, ArrayLike] | ArrayLike | None = None
    random_state: int | np.random.RandomState | None = None
    accelerator: Accelerator | Written | None = "auto"
    verbose: bool = False

    @property
    def networks(self) -> list[Any]:
        """The fitted estimators of one network each that predict, in order: this one; empty before `fit`."""
        return [self] if self.__sklearn_is_fitted__() else []

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool
            Whether to list the parameters inside layers, optimizer, … too: ``layers__0__units``.

        Returns
        -------
        dict of str to object
            Outer ones before those inside.
        """
        params = {name: getattr(self, name) for name in names_of(type(self))}  # type: ignore[arg-type]  # of a class, not of its objects
        if deep:
            for name, slot in slots_among(params).items():
                params.update(listed(name, params[name], slot))
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, those inside components by path.

        ``layers__0__units`` is a field of the first layer, ``layers__-1__rate`` of the last, ``layers__trunk__units``
        of the layer called "trunk", ``layers__all__activation`` of every layer that has the field. Components are
        replaced, never changed. Whole parameters are set before what lies inside them.

        Parameters
        ----------
        **params : object
            By name; names of what is inside a component have double underscores: ``layers__0__units``.

        Returns
        -------
        estimator
            Itself.

        Raises
        ------
        ValueError
            If there is no such parameter; nothing is set then.
        """
        current: dict[str, Any] = super().get_params(deep=False)
        # Whole parameters before what lies inside them, all layers before single ones.
        for key in sorted(params, key=lambda key: (key.count("__"), "all" not in key.split("__"))):
            name, *steps = key.split("__")
            if name not in current or (steps and name not in slots_among(current)):
                raise ValueError(invalid_parameter(self, key))
            try:
                new = params[key]
                current[name] = replaced(name, current[name], steps, new, slots_among(current)[name]) if steps else new
            except ValueError as error:
                raise ValueError(f"{invalid_parameter(self, key)} {error}") from error
        for name in {key.partition("__")[0] for key in params}:
            setattr(self, name, current[name])
        return self

    def to_spec(self) -> ModelSpec:
        """Return the parameters as a validated spec.

        Returns
        -------
        ModelSpec
            What `ModelSpec.save` writes.

        Raises
        ------
        InvalidSpecError
            With the path of every parameter that is not valid.
        """
        key = type(self), tuple(with_types(getattr(self, name)) for name in self._spec_names())
        return registry.remembered(key, self._to_spec)

    def _spec_names(self) -> Sequence[str]:
        """Return the names of the parameters that a spec follows from."""
        return _NAMES

    def _to_spec(self) -> ModelSpec:
        subject = type(self).__name__
        layers = [self.layers] if isinstance(self.layers, str | Mapping) else self.layers
        problems: list[tuple[str, str]] = []
        cause: BaseException | None = None
        activation = self.activation
        if activation is not None:
            try:
                activation = parse(SLOTS["activation"], activation, subject=subject, path="activation")
            except InvalidSpecError as error:
                # Go on with none, to see what else is wrong.
                activation, cause = None, error.__cause__
                problems.extend(error.problems)
        if is_number(layers):
            problems.append(("layers", f"should be a tuple of layers, got {layers}: write ({layers},)"))
            layers = ()
        for name in ("warm_start", "verbose"):  # of an estimator, and not of its spec
            try:
                truth(getattr(self, name))
            except ValueError as error:
                problems.append((name, f"{error}, got {getattr(self, name)!r}"))
        slot = LayerSlot(activation)
        fields = {
            **{name: getattr(self, name) for name in _SPEC},
            "layers": [slot.spelled_out(each) for each in layers] if is_sequence(layers) else layers,
            "training": {name: getattr(self, name) for name in field_names(TrainingSettings)},
        }
        try:
            spec = ModelSpec(**fields)
            if spec.output_activation is not None:  # which has to fit what "auto" is, too
                replace(spec, loss=loss_before_target(spec, self._default_loss))
        except InvalidSpecError as error:
            cause = error.__cause__
            problems.extend((path.removeprefix("training."), text) for path, text in error.problems)
        if problems:
            raise InvalidSpecError(subject, problems) from cause
        return spec

    @classmethod
    def from_spec(cls, spec: ModelSpec | Mapping[str, Any] | str, **params: Any) -> Self:
        """Return an unfitted estimator with the parameters of a spec.

        Parameters
        ----------
        spec : ModelSpec, mapping or str
            The spec, its mapping, or its JSON text.
        **params
            Parameters that a spec does not have, or that are to differ.

        Raises
        ------
        TypeError
            If it is none of these.
        InvalidSpecError
            If the mapping or the text describes no valid spec, or one that this estimator has no parameters for.

        Examples
        --------
        >>> from modnet import ModelSpec, ModNetRegressor
        >>> ModNetRegressor.from_spec(ModelSpec(layers=["tanh"]), random_state=0)
        ModNetRegressor(layers=(Tanh(),), random_state=0)
        """
        return cls(**{**cls._said_of(ModelSpec.of(spec), params), **params})

    @classmethod
    def _said_of(cls, spec: ModelSpec, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters that say what a spec does; `params` are given beside them."""
        training = {name: getattr(spec.training, name) for name in field_names(TrainingSettings)}
        training["batch_size"] = training["batch_size"] or "auto"
        usual = cls(**params).get_params(deep=False)
        mine = {name: getattr(spec, name) for name in _SPEC}
        for name, slot in _SPEC.items():  # a default stays as it is written, so that repr shows what differs
            if mine[name] is not None and mine[name] == understood(usual[name], slot):
                del mine[name]
        return {**mine, **training}


for _field in fields(NestedParameters):
    # A default is one of __init__, not an attribute of the class: the drop-ins have parameters of their own.
    delattr(NestedParameters, _field.name)


def slots_among(params: Mapping[str, Any]) -> dict[str, Slot]:
    """Return the slots of those parameters that hold components; the drop-ins for scikit-learn's MLP have none."""
    found = {**SLOTS, "layers": LayerSlot(params.get("activation", "relu"))} if "layers" in params else {}
    return {name: slot for name, slot in found.items() if name in params}


def invalid_parameter(estimator: BaseEstimator, key: str) -> str:
    """Say that an estimator has no parameter of that name, which ones it has, and which may be meant."""
    close = suggestions(key, estimator.get_params(), 1)
    hint = f" Did you mean {close[0]!r}?" if close and close[0] != key else ""
    own = sorted(estimator.get_params(deep=False))
    return f"Invalid parameter {key!r} for estimator {estimator}. Valid parameters are: {own!r}.{hint}"


def chosen_accelerator(estimator: Any) -> Accelerator | None:
    """Return the accelerator that the parameter of an estimator means.

    Raises
    ------
    InvalidSpecError
        If it means none.
    """
    given, path = estimator.accelerator, "accelerator"
    if given == "auto" and (asked := os.environ.get("MODNET_ACCELERATOR", estimator._accelerator_unasked)) != "auto":
        given, path = (None if asked == "none" else asked), "MODNET_ACCELERATOR"
    if given is None:
        return None
    if given == "auto":
        return installed_accelerator()

    def find() -> Accelerator:
        found: Accelerator = parse(SLOTS["accelerator"], given, subject=type(estimator).__name__, path=path)
        return found

    return registry.remembered(("accelerator", given), find) if isinstance(given, str) else find()


def chosen_loss(estimator: Any) -> Loss | None:
    """Return the loss of an estimator: once fitted, the one that was used; None while it is "auto" or not valid."""
    found = estimator.spec_.loss if hasattr(estimator, "theta_") else understood(estimator.loss, SLOTS["loss"])
    return found if isinstance(found, Loss) else None


def loss_of(estimator: Any) -> Loss:
    """Return the loss that a fitted estimator was trained on."""
    assert isinstance(estimator.spec_.loss, Loss)  # never "auto" once it is fitted
    return estimator.spec_.loss
