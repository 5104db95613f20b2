"""What an estimator offers: methods that some parameters take away, and arguments that belong elsewhere.

Both errors begin as Python's and scikit-learn's do, and go on with the reason and the remedy.
"""

import functools
import inspect
from collections.abc import Callable
from operator import methodcaller
from types import MethodType
from typing import Any, TypeVar

from modnet.component import without_annotations
from modnet.docstrings import complete
from modnet.words import elsewhere, suggestions

makes_steps = methodcaller("_makes_steps")
"""Whether an estimator has `partial_fit`."""


class _Offered:
    """A method that is there only while a check finds nothing against it."""

    def __init__(self, method: Callable[..., Any], check: Callable[[Any], object]) -> None:
        self._method, self._check = method, check
        self.__doc__ = method.__doc__

    def __get__(self, estimator: Any, cls: type) -> Any:
        if estimator is None:
            return self._method
        try:
            self._check(estimator)
        except Exception as error:
            name = self._method.__name__
            raise AttributeError(f"This {cls.__name__!r} has no attribute {name!r}: {error}") from error
        return MethodType(self._method, estimator)


def offered_if(check: Callable[[Any], object]) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator: the method is an attribute of those estimators for which `check` does not raise.

    scikit-learn's `available_if` does the same, and keeps the reason to itself.

    Parameters
    ----------
    check : callable
        Takes the estimator and raises AttributeError with the reason why it has no such method.

    Examples
    --------
    >>> from modnet import ModNetClassifier
    >>> ModNetClassifier(loss="hinge").predict_proba  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AttributeError: This 'ModNetClassifier' has no attribute 'predict_proba': there are no probabilities with ...
    """
    return lambda method: _Offered(method, check)


_ADAM = 'optimizer={{"type": "adam", "{}": {!r}}}, which grids and set_params call optimizer__{}'
_PLACES = {
    **dict.fromkeys(("learning_rate", "learning_rate_init", "lr", "eta"), _ADAM.replace("{}", "learning_rate")),
    **{name: _ADAM.replace("{}", name) for name in ("beta_1", "beta_2", "epsilon", "weight_decay", "schedule")},
    **{name: _ADAM.replace("{}", name) for name in ("clip_norm", "clip_value", "ema", "swa", "groups")},
    **dict.fromkeys(("grad_clip", "gradient_clip_val", "max_grad_norm"), _ADAM.replace("{}", "clip_norm")),
    "label_smoothing": 'loss={{"type": "cross_entropy", "label_smoothing": {!r}}}',
    "kernel_initializer": 'layers=({{"type": "dense", "units": 64, "kernel_initializer": {!r}}},)',
    "momentum": 'optimizer={{"type": "sgd", "momentum": {!r}}}',
    "nesterovs_momentum": 'optimizer={{"type": "sgd", "momentum": 0.9, "nesterov": {!r}}}',
    **dict.fromkeys(("power_t", "lr_scheduler"), 'optimizer={{"type": "sgd", "schedule": "inverse_scaling"}}'),
    "max_fun": 'optimizer={{"type": "lbfgs", "max_fun": {!r}}}',
    **dict.fromkeys(("dropout", "dropout_rate"), 'layers=(64, {{"type": "dropout", "rate": {!r}}}, 32)'),
    **dict.fromkeys(("batch_norm", "batchnorm", "use_batch_norm"), 'layers=(64, "batch_norm", 32)'),
    **dict.fromkeys(("layer_norm", "use_layer_norm"), 'layers=(64, "layer_norm", 32)'),
    **dict.fromkeys(("residual", "skip"), 'layers=(64, Residual([Dense(64, activation="relu")]))'),
    **dict.fromkeys(("n_layers", "num_layers", "depth"), "layers=(64,) * {!r}, a number of units for each"),
    **dict.fromkeys(("units", "n_units", "neurons", "hidden_size", "hidden_dim"), "layers=({!r},)"),
    **dict.fromkeys(("l2", "l2_reg", "l2_regularization", "reg_lambda"), "alpha={!r}"),
    **dict.fromkeys(("l1", "l1_reg", "reg_alpha"), "alpha={!r}, l1_ratio=1.0"),
    **dict.fromkeys(("metrics", "metric", "eval_metric"), "early_stopping=True, scoring={!r}"),
}
"""Where in an estimator goes what elsewhere is an argument, with its value; what has another name only is not here."""


def place_of(name: str, value: Any, known: Any) -> str:
    """Return where an argument goes that an estimator does not have, as the end of a sentence.

    Parameters
    ----------
    name : str
    value : object
        What was given for it.
    known : iterable of str
        The arguments that the estimator has.

    Examples
    --------
    >>> place_of("hidden_layer_sizes", (64, 32), ["layers", "loss"])
    'write layers=(64, 32)'
    >>> place_of("lr", 0.1, ["learning_rate_init"])
    'write learning_rate_init=0.1'
    >>> place_of("learning_rate", 0.1, ["layers"])
    'write optimizer={"type": "adam", "learning_rate": 0.1}, which grids and set_params call optimizer__learning_rate'
    >>> place_of("qq", 1, ["layers", "loss"])
    'there are layers, loss'
    """
    known = tuple(known)
    name = name.rpartition("__")[2]  # a path is for set_params and grids
    if "layers" in known and (place := _PLACES.get(name.lower())):
        return f"write {place.format(value)}"
    close, place = suggestions(name, known[::-1], 1), elsewhere(name)  # learning_rate_init before learning_rate
    if place and not close:
        return place
    if close == ["layers"] and isinstance(value, int):
        value = (value,)
    return f"write {close[0]}={value!r}" if close else f"there are {', '.join(known)}"


def telling(cls: Any) -> Any:
    """Return the `__init__` of an estimator's class with an error for unknown arguments that says where they go."""
    init, known = cls.__init__, tuple(cls._get_param_names())

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        unknown = [name for name in kwargs if name not in known]
        if unknown:
            told = f"{cls.__name__}.__init__() got an unexpected keyword argument {unknown[0]!r}"
            raise TypeError(f"{told}: {place_of(unknown[0], kwargs[unknown[0]], known)}")
        init(self, *args, **kwargs)

    return __init__


_Class = TypeVar("_Class", bound=type)


def completed(cls: _Class) -> _Class:
    """Complete an estimator's class: its docstrings by what its bases say, its `__init__` by where arguments go.

    Usable as a decorator.
    """
    init = telling(cls)
    init.__signature__ = without_annotations(inspect.signature(init))
    cls.__init__ = init  # type: ignore[misc]
    complete(cls, "Parameters", "Attributes")
    return cls
