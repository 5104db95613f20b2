"""Model files: a fitted estimator as numbers and text, and nothing else.

A file is an ``.npz`` archive: arrays, and a header in JSON that says what they are. Nothing in it is executed. What it
names are components, which the registry looks up among those that are installed; a name leads nowhere else.
"""

import dataclasses
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from modnet.base import Array, Average, Column, OptimizerState
from modnet.component import Component, dump
from modnet.errors import ModNetError
from modnet.estimators.fitting import CALLBACKS, Streams
from modnet.estimators.parameters import chosen_accelerator
from modnet.estimators.preparation import Table, encoder_of
from modnet.estimators.target import Classes, Numbers
from modnet.files import as_json, write_whole
from modnet.registry import registry
from modnet.slot import Slot, parse
from modnet.spec import ModelSpec
from modnet.training import History

__all__ = ["ModelFileError", "load", "save"]

FORMAT = 1
"""Version of the format."""

_ESTIMATORS = {
    **dict.fromkeys(("ModNetClassifier", "ModNetRegressor", "ModNetTransformer"), "modnet.estimators"),
    **dict.fromkeys(("MLPClassifier", "MLPRegressor"), "modnet.neural_network"),
}
"""What a file may hold, and where the class is."""

_HEADER = "header"

_NOT_WRITTEN = (*CALLBACKS, "_metadata_request", "spec_", "network_")
"""Callbacks and requests, which scikit-learn keeps on an estimator and which are code; and what is made of the spec,
which stands in the header by itself."""


class ModelFileError(ModNetError, ValueError):
    """A file is no model file or not a whole one, or a model cannot be written to one."""


def save(model: Any, path: str | Path, *, optimizer_state: bool = True) -> None:
    """Write a fitted estimator to a file.

    Parameters
    ----------
    model : ModNetClassifier, ModNetRegressor, ModNetTransformer, MLPClassifier or MLPRegressor
        A transformer only if it is an autoencoder: of one that reads an estimator, save the estimator.
    path : str or Path
        The file; its name is taken as it is. One that is there already is replaced, by a whole one or not at all.
    optimizer_state : bool
        Whether to write what the optimizer remembers, so that `partial_fit` goes on as if nothing had happened. It is
        several times as large as the weights.

    Raises
    ------
    ModelFileError
        If a parameter is something that text and numbers cannot say, such as a function.
    RegistryError
        If the class of a component has no registered name.
    NotFittedError
        If the estimator has not been fitted.

    Notes
    -----
    Callbacks and metadata requests are not written.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from modnet import ModNetClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ModNetClassifier(layers=(8, "relu"), optimizer="lbfgs", max_iter=1000, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     save(model, Path(directory, "iris.npz"))
    ...     again = load(Path(directory, "iris.npz"))
    >>> again
    ModNetClassifier(layers=(8, 'relu'), max_iter=1000, optimizer='lbfgs',
                     random_state=0)
    >>> bool((again.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    name = type(model).__name__
    if name not in _ESTIMATORS or type(model) is not _class_of(name):
        raise ModelFileError(f"a model file holds one of {', '.join(_ESTIMATORS)}, got {model!r}")
    check_is_fitted(model)
    if getattr(model, "estimator", None) is not None:
        raise ModelFileError("this transformer reads a layer of an estimator: save that, it is its estimator_")
    model.to_spec()  # A parameter that is not valid is better reported now than when the file is read.
    writer = _Writer()
    params = model.get_params(deep=False)
    # The drop-ins for scikit-learn's MLP draw from new streams in every training, as scikit-learn does.
    old_streams = [] if isinstance(model._streams.shuffle, np.random.Generator) else ["_streams"]
    left_out = {*params, *_NOT_WRITTEN, *old_streams, *([] if optimizer_state else ["optimizer_state_"])}
    learnt = {name: each for name, each in vars(model).items() if name not in left_out}
    header = {
        "format": FORMAT,
        "estimator": name,
        "spec": as_json(model.spec_.to_dict()),
        "outputs": next(link.output_shape[-1] for link in model.network_.links if link.path == "output"),
        "params": {name: writer.write(each, name) for name, each in params.items()},
        "learnt": {name: writer.write(each, name) for name, each in learnt.items()},
    }
    text = json.dumps(header, ensure_ascii=False, allow_nan=False).encode()
    arrays = {_HEADER: np.frombuffer(text, np.uint8), **writer.arrays}
    # mypy takes a name among the arrays for `allow_pickle`.
    write_whole(Path(path), lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def load(path: str | Path, allow: Iterable[str] | None = None) -> Any:
    """Return the fitted estimator in a file that `save` has written.

    Parameters
    ----------
    path : str or Path
    allow : iterable of str, optional
        The distributions, beside modnet-layers, whose components the file may name; None: any that is installed.

    Returns
    -------
    ModNetClassifier, ModNetRegressor, ModNetTransformer, MLPClassifier or MLPRegressor
        It predicts what the one that was saved predicts, to the last bit.

    Raises
    ------
    ModelFileError
        If it is no model file, not a whole one, or one that a later modnet has written.
    InvalidSpecError, RegistryError
        If a distribution that it requires is not installed, or not allowed; the message says which.
    OSError
        If it cannot be read.
    """
    allowed = None if allow is None else tuple(allow)
    try:
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise ModelFileError("no model file, or not the whole of one; save() writes .npz archives")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive, registry.allowing(allowed):
                return _model(_header(archive), _Reader(archive), allowed)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
    except (ModNetError, OSError):
        raise
    except Exception as error:
        # It comes from outside: there is no end to what may be wrong, nor to what NumPy, zipfile and json raise then.
        raise ModelFileError(f"{path}: no model file, or a damaged one ({type(error).__name__}: {error})") from error


def _header(archive: Any) -> Mapping[str, Any]:
    """Return the header of an archive that may be read."""
    if any(member.compress_type != zipfile.ZIP_STORED for member in archive.zip.infolist()):
        raise ModelFileError("its members are compressed, which save() never does: they might unfold to any size")
    if _HEADER not in archive:
        raise ModelFileError("an .npz archive, but no model file: there is no header in it")
    header: Mapping[str, Any] = json.loads(archive[_HEADER].tobytes())
    got = header["format"]
    if not isinstance(got, int) or got > FORMAT:
        raise ModelFileError(f"this modnet reads format {FORMAT}, got {got!r}: upgrade the distribution modnet-layers")
    return header


def _model(header: Mapping[str, Any], reader: "_Reader", allow: Iterable[str] | None) -> Any:
    """Return the estimator that a header describes."""
    name = header["estimator"]
    if name not in _ESTIMATORS:
        raise ModelFileError(f"the estimator should be one of {', '.join(_ESTIMATORS)}, got {name!r}")
    cls = _class_of(name)
    spec = ModelSpec.from_dict(header["spec"], allow=allow)
    model = cls(**{name: reader.read(each) for name, each in header["params"].items()})
    # Names among the parameters are otherwise looked up by `fit`, when the allow list is no longer there.
    model.to_spec()
    if model.accelerator != "auto":
        chosen_accelerator(model)
    for name, each in header["learnt"].items():
        if not re.fullmatch(r"_?[A-Za-z]\w*", name) or hasattr(cls, name) or name in header["params"]:
            raise ModelFileError(f"{name!r} is no attribute that fitting a {cls.__name__} makes")
        setattr(model, name, reader.read(each))
    columns = None if model.table_ is None else model.table_.columns
    model.spec_, model.network_ = spec, spec.network(model.n_features_in_, header["outputs"], columns)
    if not hasattr(model, "optimizer_state_"):
        model.optimizer_state_ = spec.optimizer.init(model.theta_)
    if not hasattr(model, "_streams"):
        model._streams = model._new_streams()
    _check_vectors(model)
    return model


def _class_of(name: str) -> Any:
    return getattr(import_module(_ESTIMATORS[name]), name)


def _check_vectors(model: Any) -> None:
    """Check that θ, the state and what the optimizer remembers are as long as the network says."""
    network, state = model.network_, model.optimizer_state_
    theta, size = network.layout.size, network.state_layout.size
    vectors = [("theta_", model.theta_, theta), ("state_", model.state_, size)]
    vectors += [(f"optimizer_state_.vectors[{name!r}]", each, theta) for name, each in state.vectors.items()]
    if mean := state.average:
        vectors += [("the mean of theta_", mean.theta, theta), ("the mean of state_", mean.state, size)]
    for name, vector, length in vectors:
        floats = vector.dtype == model.theta_.dtype and vector.dtype in (np.float32, np.float64)
        if vector.shape != (length,) or not floats:
            raise ModelFileError(f"{name} should be {length} floats for this spec, got {vector.dtype} {vector.shape}")


# Values as JSON: what JSON does not have becomes {"what it is": [of what it is made]}


class _Form(NamedTuple):
    """How the values of a class are written."""

    cls: Any
    parts: Callable[[Any], Iterable[Any]]
    made: Callable[..., Any]


def _record(cls: Any) -> _Form:
    """Return the form of a dataclass: its fields by name."""
    names = [field.name for field in dataclasses.fields(cls)]
    return _Form(cls, lambda value: [{name: getattr(value, name) for name in names}], lambda fields: cls(**fields))


def _component(kind: str, value: Any) -> Any:
    return parse(Slot(kind), value, subject="a parameter")


def _objects(shape: tuple[int, ...], values: list[Any]) -> Array:
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def _generator(state: Any) -> np.random.Generator:
    bits = np.random.PCG64()
    bits.state = state
    return np.random.Generator(bits)


def _random_state(state: Mapping[str, Any]) -> np.random.RandomState:
    made = np.random.RandomState()
    made.set_state(dict(state))
    return made


_FORMS = {
    "float": _Form(float, lambda value: [str(value)], float),
    "tuple": _Form(tuple, list, lambda *items: items),
    "list": _Form(list, list, lambda *items: list(items)),
    "mapping": _Form(Mapping, lambda value: value.items(), lambda *items: dict(items)),
    "component": _Form(Component, lambda value: [value.kind, dump(value)], _component),
    "objects": _Form(np.ndarray, lambda value: [value.shape, value.ravel().tolist()], _objects),
    "generator": _Form(np.random.Generator, lambda value: [value.bit_generator.state], _generator),
    "random state": _Form(np.random.RandomState, lambda value: [value.get_state(legacy=False)], _random_state),
    "classes": _Form(Classes, lambda value: [value.columns, value.kind, value.min_classes], Classes),
    "table": _Form(
        Table,
        lambda value: [value.columns, {name: each.categories_[0] for name, each in value.encoders.items()}],
        lambda columns, known: Table(columns, {name: encoder_of([each], each) for name, each in known.items()}),
    ),
    "numbers": _record(Numbers),
    "column": _record(Column),
    "streams": _record(Streams),
    "history": _record(History),
    "optimizer state": _record(OptimizerState),
    "average": _record(Average),
}


class _Writer:
    """Writes values as JSON, and puts arrays aside.

    Attributes
    ----------
    arrays : dict of str to ndarray
    """

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}

    def write(self, value: Any, name: str) -> Any:
        """Return what JSON says for a value; `name` is that of the parameter or attribute that it belongs to."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
            return value
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufUSMm":
            key = name if name not in self.arrays else f"{name}.{len(self.arrays)}"
            self.arrays[key] = value
            return {"array": [key]}
        if isinstance(value, type) and issubclass(value, Component) and (given := registry.name_of(value)):
            return given  # the type of a mapping, which may be a class where a name could be
        for what, form in _FORMS.items():
            if isinstance(value, form.cls):
                return {what: [self.write(each, name) for each in form.parts(value)]}
        raise ModelFileError(
            f"{name}: {value!r} is a {type(value).__name__}, which text and numbers cannot say: set it to a name, a "
            "number or its default before saving"
        )


class _Reader:
    """Makes values of what a `_Writer` has written.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays, self._unread = arrays, set(arrays)

    def read(self, written: Any) -> Any:
        """Return the value."""
        if not isinstance(written, dict):
            return written
        ((what, parts),) = written.items()
        if what != "array":
            return _FORMS[what].made(*map(self.read, parts))
        (name,) = parts
        self._unread.remove(name)  # raises the second time: no array has two owners
        array = self._arrays[name]
        if array.dtype.kind not in "biufUSMm":
            raise ModelFileError(f"{name} should be an array of numbers or text, got {array.dtype}")
        return array
