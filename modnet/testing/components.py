"""The contract of components of every kind: fields that are checked and frozen, JSON, pickle, repr, a docstring.

Then what users do with one: fit an estimator that has it, and search over it, here and in worker processes.
"""

import contextlib
import copy
import dataclasses
import inspect
import json
import pickle
import types
import typing
import warnings
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Union, cast

import numpy as np
from pydantic.fields import FieldInfo
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from modnet.base import Array, DensityLoss, Inputs, Loss, Module, Output, QuantileLoss, served
from modnet.component import Component, dump, dump_fields, field_names, walk
from modnet.errors import InvalidSpecError
from modnet.estimators import ModNetClassifier, ModNetRegressor
from modnet.registry import registry
from modnet.slot import Slot, parse
from modnet.spec import ModelSpec
from modnet.testing.comparing import CheckFailed, expect, expect_same
from modnet.testing.rules import Rules

RULES, USES = Rules(), Rules()


@RULES.add(of_the_class=True)
def the_docstring_says_what_it_is(component: Component) -> None:
    """The class has a docstring, and its first paragraph ends with a full stop.

    Usually: no docstring: its first line is what the catalogue of components shows
    """
    cls = type(component)
    text = inspect.cleandoc(vars(cls).get("__doc__") or "").split("\n\n")[0]
    made = text.startswith(f"{cls.__name__}(")  # by dataclasses, from the signature
    expect(text and not made, f"{cls.__name__} has no docstring")
    expect(text.endswith("."), f"it begins {text.splitlines()[0]!r}, which does not end with '.'")


@RULES.add()
def components_are_equal_by_value(component: Component) -> None:
    """Components with the same fields are equal and have the same hash; with another value they are not.

    Usually: a field without annotation, which is no field; or state beside the fields
    """
    fields = {name: getattr(component, name) for name in field_names(type(component))}
    again = type(component)(**fields)
    _expect_equal(again, component, "made anew from the same fields")
    expect(vars(again) == vars(component), f"its memory is {vars(component)}, that of a new one {vars(again)}")
    expect(component != object(), "it equals an object of another class")


@RULES.add(of_the_class=True)
def fields_are_frozen(component: Component) -> None:
    """No attribute of a component can be set.

    Usually: a __setattr__ of its own, or an array as a field
    """
    for name in (*field_names(type(component)), "something_new"):
        with contextlib.suppress(AttributeError):
            setattr(component, name, getattr(component, name, None))
            raise CheckFailed(f"component.{name} = … was possible")


@RULES.add()
def pickle_brings_it_back(component: Component) -> None:
    """Pickle gives an equal component, as joblib's workers and saved models need it.

    Usually: a class inside a function, or a lambda in a field: put the class at the top of a module
    """
    _expect_equal(pickle.loads(pickle.dumps(component)), component, "out of pickle")


@RULES.add(of_the_class=True)
def copies_are_equal(component: Component) -> None:
    """copy, deepcopy and dataclasses.replace give equal components.

    Usually: a field that is changed when it is validated, so that validating it again changes it again
    """
    copies: tuple[Callable[[Any], object], ...] = (copy.copy, copy.deepcopy, dataclasses.replace)
    for copied in copies:
        _expect_equal(copied(component), component, f"out of {copied.__name__}")


@RULES.add()
def json_brings_it_back(component: Component) -> None:
    """A component survives JSON: {"type": name, **fields}; so specs can be written and read.

    Usually: a field that is no number, text, tuple or component
    """
    if registry.entry_of(type(component)) is None:  # it has no name yet: its fields at least
        again = type(component)(**json.loads(json.dumps(dump_fields(component))))
    else:
        text = json.dumps(dump(component))
        again = parse(Slot(component.kind), json.loads(text), subject=type(component).__name__)
    _expect_equal(again, component, "out of JSON")
    fields = {"layer": "layers", "solver": "optimizer"}
    if component.kind in ("inputs", "layer", "output", "loss", "optimizer", "solver") and registry.entry_of(
        type(component)
    ):
        value: Any = [component] if component.kind == "layer" else component
        spec = ModelSpec(**{fields.get(component.kind, component.kind): value})
        expect(ModelSpec.from_json(spec.to_json()) == spec, "a spec with it does not come back from JSON")


@RULES.add()
def repr_is_the_call_that_makes_it(component: Component) -> None:
    """`repr` is the call that makes the component.

    Usually: a __repr__ of its own that leaves something out
    """
    classes, text = {type(each) for _, each in walk(component)}, repr(component)
    for cls in classes:  # one that is inside another, or a function, is named with it
        text = text.replace(cls.__qualname__, cls.__name__)
    names = {cls.__name__: cls for cls in classes}
    try:
        again = eval(text, {**names, "inf": float("inf"), "nan": float("nan")})
    except Exception as error:
        raise CheckFailed(f"{component!r} is no call: {type(error).__name__}: {error}") from error
    _expect_equal(again, component, "made by its repr")


@RULES.add(of_the_class=True)
def hyper_parameters_are_checked(component: Component) -> None:
    """Numbers refuse True, text and, unless allow_inf_nan=True says otherwise, NaN, when the component is made.

    Usually: bounds left out: Annotated[float, Field(gt=0, allow_inf_nan=False)]; or a field without a type
    """
    hints = typing.get_type_hints(type(component), include_extras=True)
    for field in dataclasses.fields(component):  # type: ignore[arg-type]
        marks = tuple(field.default.metadata) if isinstance(field.default, FieldInfo) else ()
        leaves = list(_leaves(hints[field.name], marks))
        kinds = {kind for kind, _ in leaves}
        if not kinds & {int, float} or Any in kinds:
            continue
        infinite = any(getattr(each, "allow_inf_nan", None) is True for _, marks in leaves for each in marks)
        bad = {True: bool not in kinds, "1": str not in kinds, float("nan"): float in kinds and not infinite}
        for value in (value for value, refused in bad.items() if refused):
            with contextlib.suppress(InvalidSpecError):
                dataclasses.replace(component, **{field.name: value})  # type: ignore[type-var]
                raise CheckFailed(f"{type(component).__name__}({field.name}={value!r}) was possible")


@RULES.add(of_the_class=True)
def examples_are_of_the_class_and_differ(component: Component) -> None:
    """`examples` returns different instances of the class.

    Usually: two examples that are the same, or of another class
    """
    cls = type(component)
    if cls.examples.__func__ is Component.examples.__func__:  # type: ignore[attr-defined]
        return
    examples = tuple(cls.examples())
    expect(examples, "examples() is empty")
    for example in examples:
        expect(type(example) is cls, f"examples() has {example!r}, which is no {cls.__name__}")
        expect(examples.count(example) == 1, f"examples() has {example!r} twice")


def _expect_equal(again: object, component: Component, how: str) -> None:
    expect(again == component, f"{how} it is {again!r}, which does not equal {component!r}")
    expect(hash(again) == hash(component), f"{how} it is equal, but has another hash")
    expect(repr(again) == repr(component), f"{how} its repr is {again!r}")


def _leaves(hint: Any, marks: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Return the types that a value of an annotation may have, with the marks on each."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        inner = [mark for each in args[1:] for mark in (each.metadata if isinstance(each, FieldInfo) else [each])]
        if any(isinstance(mark, Slot) for mark in inner):
            yield str, ()  # names are text
        else:
            yield from _leaves(args[0], (*marks, *inner))
    elif origin in (Union, types.UnionType):
        for each in args:
            yield from _leaves(each, marks)
    elif origin is Literal:
        for each in args:
            yield type(each), marks
    elif origin is None:
        yield hint, marks
    else:
        yield origin, marks


# What users do with it

_ROWS = 30
_DENSE = {"type": "modnet-layers:dense", "units": 3}
_SEARCHED = ("layer", "activation", "loss", "optimizer", "solver")


def uses(component: Component) -> Iterator[tuple[Any, str, Array, Array]]:
    """Return estimators that users put a component into, the parameter it is in, and data; for a loss, of each task."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(_ROWS, 5))
    settings: dict[str, Any] = {"layers": (3,), "inputs": None, "max_iter": 2, "random_state": 0}
    if isinstance(component, Loss):
        for task, loss in served(component).items():
            t = loss.example_truth(task, rng, _ROWS)
            if task == "regression":
                yield ModNetRegressor(loss=component, **settings), "loss", X, t
            else:
                y = (t[:, 0] if task == "binary" else t).astype(int)
                yield ModNetClassifier(loss=component, **settings), "loss", X, y
        return
    if component.kind in ("inputs", "layer"):
        X = cast("Inputs | Module", component).example_rows(rng, _ROWS)
    parameter, value = {
        "inputs": ("inputs", component),
        "layer": ("layers", (component, "modnet-layers:flatten")),  # rows of several axes may come out
        "output": ("output", component),
        "activation": ("activation", component),
        "optimizer": ("optimizer", component),
        "solver": ("optimizer", component),
        "initializer": ("layers", ({**_DENSE, "kernel_initializer": component},)),
        "constraint": ("layers", ({**_DENSE, "kernel_constraint": component},)),
        "schedule": ("optimizer", {"type": "modnet-layers:sgd", "schedule": component}),
    }[component.kind]
    yield ModNetRegressor(**{**settings, parameter: value}), parameter, X, rng.normal(size=_ROWS)


def _is_for_tables(component: Component) -> bool:
    """Whether it takes rows of one axis where it is the end of a network, behind layers that make such."""
    return not isinstance(component, Output) or all(len(shape) == 1 for shape, _ in component.example_shapes())


@USES.add(applies=_is_for_tables)
def it_works_in_an_estimator(component: Component) -> None:
    """Two epochs of an estimator that has it go through, and it predicts finite numbers.

    Usually: a shape, a field or a task that the network it stands in does not have
    """
    for estimator, _, X, y in uses(component):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = clone(estimator).fit(X, y)
        predicted = model.predict(X)
        expect(predicted.shape == y.shape, f"{estimator} predicts shape {predicted.shape} for y of {y.shape}")
        expect(np.isfinite(predicted).all(), f"{estimator} predicts {predicted[~np.isfinite(predicted)][:1]}")
        expect(np.isfinite(model.loss_curve_).all(), f"{estimator} has losses {model.loss_curve_}")


@USES.add(applies=lambda component: isinstance(component, Loss) and component.target_scale != "none")
def an_estimator_learns_numbers_in_any_units(component: Loss) -> None:
    """Fitted on a y + b with "affine", or a y with "scale", it predicts the same, in these units; deviations are a σ.

    Usually: "affine" on a loss of positive numbers: what it sees are numbers around 0
    """
    estimator, _, X, y = next(uses(component))
    a, b = 1e3, 5e4 if component.target_scale == "affine" else 0.0
    models = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for t in (y, a * y + b):
            try:
                models.append(clone(estimator).fit(X, t))
            except ValueError as error:
                raise CheckFailed(f"{estimator} does not fit y from {t.min():.3g} to {t.max():.3g}: {error}") from error
    found = [{"ŷ": model.predict(X)} for model in models]
    for each, model in zip(found, models, strict=True):
        if isinstance(component, QuantileLoss):
            each["the quantiles"] = model.predict_quantiles(X)
        if isinstance(component, DensityLoss):
            each["σ"] = model.predict(X, return_std=True)[1]
    for name, here in found[1].items():
        expected = a * found[0][name] + (0 if name == "σ" else b)
        expect_same(name, here, expected, f"fitted on {a:g} y + {b:g}", "changed alike", rtol=1e-6, atol=1e-6)


@USES.add(applies=lambda component: component.kind in _SEARCHED and _is_for_tables(component), of_the_class=True)
def it_works_in_a_grid_search(component: Component) -> None:
    """A grid search over it gives the same scores here and in joblib's worker processes.

    Usually: what no process but this one knows: a class in a test file or inside a function (put it into a module that
    can be imported), or a global that was changed
    """
    estimator, parameter, X, y = next(uses(component))  # one task and one split are enough, as workers take their time
    grid, halves = {parameter: [getattr(estimator, parameter)]}, np.split(np.arange(_ROWS), 2)
    scores = []
    for n_jobs in (1, 2):
        search = GridSearchCV(estimator, grid, cv=[halves], n_jobs=n_jobs, refit=False, error_score="raise")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            scores.append(search.fit(X, y).cv_results_["mean_test_score"])
    expect(np.isfinite(scores[0]).all(), f"{estimator} has the score {scores[0]}")
    expect_same("the score", scores[1], scores[0], "in a worker process", "here", rtol=1e-6, atol=1e-9)
