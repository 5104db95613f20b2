"""Parameters of an estimator: nested names, and the way to a validated spec and back.

``__init__`` stores what it is given; what it means is worked out here, when somebody asks.
"""

import difflib
from collections.abc import Mapping
from typing import Any, Self

from sklearn.base import BaseEstimator

from modnet.acceleration import installed_accelerator
from modnet.base import Accelerator
from modnet.component import Slot, field_names, parse
from modnet.errors import InvalidSpecError
from modnet.estimators.nested import LayerSlot, is_whole, listed, replaced
from modnet.spec import ModelSpec
from modnet.training import TrainingSettings

_ACTIVATION = Slot("activation")


class NestedParameters(BaseEstimator):  # type: ignore[misc]
    """An estimator whose parameters are, and hold, components."""

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
        warm_start: bool = False,
        initial_weights: Any = None,
        random_state: Any = None,
        accelerator: Any = "auto",
        verbose: bool = False,
    ) -> None:
        self.layers = layers
        self.activation = activation
        self.output_activation = output_activation
        self.loss = loss
        self.optimizer = optimizer
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.warm_start = warm_start
        self.initial_weights = initial_weights
        self.random_state = random_state
        self.accelerator = accelerator
        self.verbose = verbose

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool
            Whether to list the parameters inside layers, optimizer, … too: ``layers__0__units``.

        Returns
        -------
        dict of str to object
        """
        params: dict[str, Any] = super().get_params(deep=False)
        if deep:
            for name, slot in self._slots(params).items():
                params.update(listed(name, params[name], slot))
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, those inside components by path.

        ``layers__0__units`` is a field of the first layer, ``layers__-1__rate`` of the last, ``layers__trunk__units``
        of the layer called "trunk", ``layers__all__activation`` of every layer that has the field. Components are
        replaced, never changed. Whole parameters are set before what lies inside them.

        Raises
        ------
        ValueError
            If there is no such parameter; nothing is set then.
        """
        current: dict[str, Any] = super().get_params(deep=False)
        for key in sorted(params, key=_order):
            name, *steps = key.split("__")
            if name not in current or (steps and name not in self._slots(current)):
                raise ValueError(self._invalid_parameter(key))
            if not steps:
                current[name] = params[key]
                continue
            try:
                current[name] = replaced(name, current[name], steps, params[key], self._slots(current)[name])
            except ValueError as error:
                raise ValueError(f"{self._invalid_parameter(key)} {error}") from error
        for name in {key.partition("__")[0] for key in params}:
            setattr(self, name, current[name])
        return self

    def to_spec(self) -> ModelSpec:
        """Return the parameters as a validated spec.

        Raises
        ------
        InvalidSpecError
            With the path of every parameter that is not valid.
        """
        subject = type(self).__name__
        layers = [self.layers] if isinstance(self.layers, str | Mapping) else self.layers
        problems: list[tuple[str, str]] = []
        cause: BaseException | None = None
        activation = self.activation
        if activation is not None:
            try:
                activation = parse(_ACTIVATION, activation, subject=subject, path="activation")
            except InvalidSpecError as error:
                # Go on with none, to see what else is wrong.
                activation, cause = None, error.__cause__
                problems.extend(error.problems)
        if is_whole(layers):
            problems.append(("layers", f"should be a tuple of layers, got {layers}: write ({layers},)"))
            layers = ()
        slot = LayerSlot(activation)
        fields = {
            "layers": [slot.spelled_out(each) for each in layers] if isinstance(layers, list | tuple) else layers,
            "output_activation": self.output_activation,
            "loss": self.loss,
            "optimizer": self.optimizer,
            "training": {name: getattr(self, name) for name in field_names(TrainingSettings)},
        }
        try:
            spec = ModelSpec(**fields)
        except InvalidSpecError as error:
            cause = error.__cause__
            problems.extend((path.removeprefix("training."), text) for path, text in error.problems)
        if problems:
            raise InvalidSpecError(subject, problems) from cause
        return spec

    def _chosen_accelerator(self) -> Accelerator | None:
        """Return the accelerator that is meant."""
        if self.accelerator is None:
            return None
        if self.accelerator == "auto":
            return installed_accelerator()
        slot = Slot("accelerator")
        given: Accelerator = parse(slot, self.accelerator, subject=type(self).__name__, path="accelerator")
        return given

    @classmethod
    def from_spec(cls, spec: ModelSpec, **params: Any) -> Self:
        """Return an unfitted estimator with the parameters of a spec; `params` are those that a spec does not have.

        Examples
        --------
        >>> from modnet import ModelSpec, ModNetRegressor
        >>> ModNetRegressor.from_spec(ModelSpec(layers=["tanh"]), random_state=0)
        ModNetRegressor(layers=(Tanh(),), optimizer=Adam(), random_state=0)
        """
        training = {name: getattr(spec.training, name) for name in field_names(TrainingSettings)}
        if training["batch_size"] is None:
            training["batch_size"] = "auto"
        mine = {name: getattr(spec, name) for name in ("layers", "output_activation", "loss", "optimizer")}
        return cls(**{**mine, **training, **params})

    @staticmethod
    def _slots(params: Mapping[str, Any]) -> dict[str, Slot]:
        return {
            "layers": LayerSlot(params["activation"]),
            "activation": Slot("activation"),
            "output_activation": Slot("activation"),
            "loss": Slot("loss", keep=("auto",)),
            "optimizer": Slot("optimizer", "solver"),
            "accelerator": Slot("accelerator", keep=("auto",)),
        }

    def _invalid_parameter(self, key: str) -> str:
        known = list(self.get_params())
        close = difflib.get_close_matches(key, known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close and close[0] != key else ""
        own = sorted(super().get_params(deep=False))
        return f"Invalid parameter {key!r} for estimator {self}. Valid parameters are: {own!r}.{hint}"


def _order(key: str) -> tuple[int, bool]:
    """Whole parameters before what lies inside them, all layers before single ones."""
    steps = key.split("__")
    return len(steps), "all" not in steps
