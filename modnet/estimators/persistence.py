"""Model files: a fitted estimator as numbers and text, and nothing else.

A file is an ``.npz`` archive: arrays, and a header in JSON that says what they are, down to the name and the shape of
every parameter. Nothing in it is executed. What it names are an estimator and components, which the registry looks up
among those that are installed; a name leads nowhere else. A file is checked as a whole before an estimator is made.
"""

import json
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from modnet.base import Array, Layout, Place, TargetScale
from modnet.entries import OWN, group_of
from modnet.errors import ModelFileError, ModNetError, UnknownComponentError
from modnet.estimators.base import BaseModNet
from modnet.estimators.fitting import CALLBACKS
from modnet.estimators.forms import Reader, Writer, fits
from modnet.estimators.parameters import chosen_accelerator
from modnet.estimators.preparation import input_shape
from modnet.estimators.scaling import scale_admitted
from modnet.estimators.target import Classes, Numbers
from modnet.files import as_json, write_whole
from modnet.registry import estimators, registry
from modnet.requirements import check_requirements
from modnet.spec import ModelSpec
from modnet.training.combining import first_state

__all__ = ["ModelFileError", "load", "save"]

FORMAT = 1
"""Version of the format."""

_HEADER = "header"

_KEPT_BACK = (*CALLBACKS, "_metadata_request")
"""Callbacks and requests, which scikit-learn keeps on an estimator and which are code."""

_NOT_WRITTEN = (*_KEPT_BACK, "_told_of_unknown", "spec_", "network_")
"""Those; what a warning has been given for; and what is made of the spec, which stands in the header by itself."""

_NOT_ALWAYS_WRITTEN = ("optimizer_state_", "_streams")
"""What is made anew where a file does not have it."""


def save(model: Any, path: str | Path, *, optimizer_state: bool = True) -> None:
    """Write a fitted estimator to a file.

    Parameters
    ----------
    model : estimator
        Of a registered class: ours, or one that a distribution offers in the group ``modnet.estimators``. A transformer
        only if it is an autoencoder: of one that reads an estimator, save the estimator.
    path : str or Path
        The file; its name is taken as it is. One that is there already is replaced, by a whole one or not at all.
    optimizer_state : bool
        Whether to write what the optimizer remembers, so that `partial_fit` goes on as if nothing had happened. It is
        several times as large as the weights.

    Raises
    ------
    ModelFileError
        If its class is not registered, a parameter is something that text and numbers cannot say, such as a function,
        or a weight is not finite.
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
    arrays = _arrays(model, optimizer_state=optimizer_state)
    write_whole(Path(path), lambda file: np.savez(file, **arrays))


def keeps_back(model: Any) -> bool:
    """Return whether an estimator has what is not written: callbacks or metadata requests."""
    return bool(vars(model).keys() & {*_KEPT_BACK})


def to_bytes(model: Any) -> bytes:
    """Return what `save` writes to a file."""
    file = BytesIO()
    np.savez(file, **_arrays(model, optimizer_state=True))
    return file.getvalue()


def _arrays(model: Any, *, optimizer_state: bool) -> dict[str, Any]:
    """Return what a model file consists of."""
    writer = Writer(partial(_described, optimizer_state=False))  # of members: nobody trains them on
    header = {"format": FORMAT, **_described(model, writer, optimizer_state=optimizer_state)}
    text = json.dumps(header, ensure_ascii=False, allow_nan=False).encode()
    return {_HEADER: np.frombuffer(text, np.uint8), **writer.arrays}


def _described(model: Any, writer: Writer, *, optimizer_state: bool) -> dict[str, Any]:
    """Return what a header says of a fitted estimator; arrays are put aside by the writer."""
    entry = estimators.entry_of(type(model))
    if entry is None:
        cls = type(model).__name__
        if isinstance(model, BaseEstimator) and not isinstance(model, BaseModNet):
            raise ModelFileError(
                f"a model file holds an estimator of modnet, got a {cls}: write it with joblib.dump or skops.io.dump, "
                "or give the network the table as it is: inputs= does what steps in front would do"
            )
        raise ModelFileError(
            f"a model file holds an estimator of a registered class, got {model!r}: call modnet.register({cls}), or "
            f"give the class an entry point in group {group_of('estimator')}; it should derive from modnet.BaseModNet"
        )
    check_is_fitted(model)
    if getattr(model, "estimator", None) is not None:
        raise ModelFileError("this transformer reads a layer of an estimator: save that, it is its estimator_")
    model.to_spec()  # A parameter that is not valid is better reported now than when the file is read.
    params = model.get_params(deep=False)
    left_out = {*params, *_NOT_WRITTEN, *([] if optimizer_state else ["optimizer_state_"])}
    requires = {entry.distribution: entry.version} if entry.distribution else {}
    network: dict[str, Any] = {}
    if isinstance(model, BaseModNet):
        _check_weights(model.theta_, model.state_)
        # The drop-ins for scikit-learn's MLP draw from new streams in every training, as scikit-learn does.
        left_out |= set() if isinstance(model._streams.shuffle, np.random.Generator) else {"_streams"}
        spec = model.spec_.to_dict()
        requires = {**spec.pop("requires"), **requires}
        layouts = {"parameters": model.network_.layout, "state": model.network_.state_layout}
        network = {"spec": as_json(spec), **{name: _places(each) for name, each in layouts.items()}}
    learnt = {name: each for name, each in vars(model).items() if name not in left_out}
    return {
        "estimator": estimators.name_of_entry(entry),
        "requires": requires,
        **network,
        "params": {name: writer.write(each, name) for name, each in params.items()},
        "learnt": {name: writer.write(each, name) for name, each in learnt.items()},
    }


def load(path: str | Path, allow: Iterable[str] | None = None) -> Any:
    """Return the fitted estimator in a file that `save` has written.

    Parameters
    ----------
    path : str or Path
        The file.
    allow : iterable of str, optional
        The distributions, beside modnet-layers, whose estimators and components the file may name; None: any that is
        installed.

    Returns
    -------
    estimator
        It predicts what the one that was saved predicts, to the last bit.

    Raises
    ------
    ModelFileError
        If it is no model file, not a whole one, one that a later modnet has written, or if its parameters are not those
        of the network that its spec describes here; those in another order are put right.
    InvalidSpecError, RegistryError
        If a distribution that it requires is not installed, is older than the one that wrote it, or not allowed; the
        message says which.
    OSError
        If it cannot be opened.
    """
    with open(path, "rb") as file:
        try:
            return read(file, allow)
        except (ModelFileError, UnknownComponentError) as error:
            raise ModelFileError(f"{path}: {error}") from error
        except ModNetError:
            raise
        except Exception as error:
            # It comes from outside: there is no end to what may be wrong, nor to what NumPy, zipfile and json raise.
            found = f"{type(error).__name__}: {error}"
            raise ModelFileError(f"{path}: no model file, or a damaged one ({found})") from error


def read(file: IO[bytes], allow: Iterable[str] | None = None) -> Any:
    """Return the fitted estimator in an opened file; `load` says more of what it raises."""
    if not zipfile.is_zipfile(file):
        raise ModelFileError("no model file, or not the whole of one; save() writes .npz archives")
    length = file.seek(0, 2)
    file.seek(0)
    allowed = None if allow is None else tuple(allow)
    with np.load(file, allow_pickle=False) as archive, registry.allowing(allowed):
        return _model(_header(archive, length), Reader(archive, length, partial(_model, allow=allowed)), allowed)


def _header(archive: Any, length: int) -> Mapping[str, Any]:
    """Return the header of an archive that may be read; `length`: bytes of the file."""
    members = archive.zip.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ModelFileError("its members are compressed, which save() never does: they might unfold to any size")
    if (total := sum(member.file_size for member in members)) > length:
        raise ModelFileError(f"its members have {total} bytes, and the file {length}: they overlap, or are damaged")
    if _HEADER not in archive:
        raise ModelFileError("an .npz archive, but no model file: there is no header in it")
    header: Mapping[str, Any] = json.loads(archive[_HEADER].tobytes())
    got = header["format"]
    if type(got) is not int or not 1 <= got <= FORMAT:
        check_requirements(header.get("requires", {}), strict=True)  # says which version reads it
        raise ModelFileError(f"this modnet reads format {FORMAT}, got {got!r}: upgrade the distribution {OWN}")
    return header


def _model(header: Mapping[str, Any], reader: Reader, allow: Iterable[str] | None) -> Any:
    """Return the estimator that a header describes; everything is checked before it is made."""
    check_requirements(header["requires"], strict=True)
    cls = estimators.get("estimator", header["estimator"])
    params = {name: reader.read(each) for name, each in header["params"].items()}
    learnt = {name: reader.read(each) for name, each in header["learnt"].items()}
    _check_attributes(cls, learnt, params)
    if not issubclass(cls, BaseModNet):
        return _checked(cls(**params), learnt)
    spec = ModelSpec.from_dict(header["spec"], allow=allow)
    _check_learnt(learnt)
    loss: Any = spec.loss  # never "auto" in a file
    if isinstance(target := learnt["_target"], Classes) and not (loss.ordinal or target.sorted):
        raise ModelFileError(f"classes should be sorted where the loss is not ordinal, got {target.classes}")
    _check_scale(learnt["_target"], scale_admitted(spec, loss))
    network = spec.network(input_shape(SimpleNamespace(**learnt)), loss.width(learnt["_target"].width))
    theta, state = learnt["theta_"], learnt["state_"]
    _check_weights(theta, state)
    in_order = _order(header["parameters"], theta, network.layout)
    state_in_order = _order(header["state"], state, network.state_layout)
    learnt["theta_"], learnt["state_"] = in_order("theta_", theta), state_in_order("state_", state)
    began = first_state(network, spec.optimizer, learnt["theta_"])
    if remembered := learnt.get("optimizer_state_"):
        for name, each in vars(remembered).items():
            if isinstance(each, np.ndarray):
                order = state_in_order if name.endswith("state") else in_order
                setattr(remembered, name, order(f"optimizer_state_.{name}", each))
        remembered.vectors = {
            name: in_order(f"optimizer_state_.vectors[{name!r}]", each) for name, each in remembered.vectors.items()
        }
        if missing := began.vectors.keys() - remembered.vectors.keys():
            raise ModelFileError(f"optimizer_state_.vectors should have {min(missing)!r}, got {[*remembered.vectors]}")
        remembered.layout = began.layout
    model = _checked(cls(**params), {"optimizer_state_": began, **learnt, "spec_": spec, "network_": network})
    if model.accelerator != "auto":
        chosen_accelerator(model)
    if not hasattr(model, "_streams"):
        model._streams = model._new_streams()
    return model


def _checked(model: Any, learnt: Mapping[str, Any]) -> Any:
    """Return an estimator with what it has learnt.

    Names among its parameters are otherwise looked up by `fit`, when the allow list is no longer there.
    """
    model.to_spec()
    vars(model).update(learnt)
    return model


# What a file has to have


def _check_attributes(cls: Any, learnt: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Check that there is what fitting the class leaves, of the right types, and nothing in its way."""
    for name in learnt:
        if not re.fullmatch(r"_?[A-Za-z]\w*", name) or hasattr(cls, name) or name in params:
            raise ModelFileError(f"{name!r} is no attribute that fitting a {cls.__name__} makes")
    for name, type_ in cls.fitted_attributes.items():
        if name not in learnt and name in _NOT_ALWAYS_WRITTEN:
            continue
        if name not in learnt or not fits(learnt[name], type_) or (type_ is int and learnt[name] < 0):
            found = repr(learnt[name]) if name in learnt else "none"
            raise ModelFileError(f"a fitted {cls.__name__} has {name}, of type {type_}, and here is {found}")


def _check_learnt(learnt: Mapping[str, Any]) -> None:
    """Check that what fitting a network leaves has the right sizes."""
    target, n, table = learnt["_target"], learnt["n_features_in_"], learnt["table_"]
    if learnt["input_shape_"][:1] != (n,):
        raise ModelFileError(f"n_features_in_ is {n}, and input_shape_ {learnt['input_shape_']}")
    names = [*learnt.get("feature_names_in_", ())]
    columns = names if table is None else [column.name for column in table.columns]
    called = names if table is None or table.named else [*map(str, range(n))]
    if len(names) not in (0, n) or columns != called:
        raise ModelFileError(f"feature_names_in_ should be those of the {n} columns, got {names}")
    if isinstance(target, Classes):
        shown = learnt["classes_"] if target.kind == "multioutput" else [learnt["classes_"]]
        if len(shown) != len(target.columns) or not all(map(np.array_equal, shown, target.columns)):
            raise ModelFileError(f"classes_ should be those of the target, {target.classes}, got {learnt['classes_']}")


def _check_scale(target: Any, kind: TargetScale) -> None:
    """Check that numbers have the scale that the spec asks for, finite and with positive factors."""
    if not isinstance(target, Numbers):
        return
    scale, shape = target.scale, (1, target.width)
    numbers = [] if scale is None else [scale.shift, scale.factor]
    floats = all(each.dtype == np.float64 and each.shape == shape and np.isfinite(each).all() for each in numbers)
    if scale is None or scale.kind != kind or not floats or not (scale.factor > 0).all():
        wanted = f"of kind {kind!r}, with a finite shift and a finite, positive factor of shape {shape}"
        raise ModelFileError(f"the target's scale should be {wanted}, got {scale}")


# Parameters by name


def _places(layout: Layout) -> list[Any]:
    return [[name, place.shape] for name, place in layout.places.items()]


def _check_weights(theta: Array, state: Array) -> None:
    """Check that θ and the state are finite floats of one type."""
    for name, vector in (("theta_", theta), ("state_", state)):
        if vector.ndim != 1 or vector.dtype != theta.dtype or vector.dtype not in (np.float32, np.float64):
            raise ModelFileError(f"{name} should be floats of the type of theta_, got {vector.dtype} {vector.shape}")
        if not np.isfinite(vector).all():
            raise ModelFileError(f"{name} should be finite, but there is inf or NaN in it")


def _order(written: Any, vector: Array, layout: Layout) -> Callable[[str, Array], Array]:
    """Return what puts θ or the state, or what has its length, in the order of a network.

    Parameters
    ----------
    written : list of [str, list of int]
        Names and shapes of the parameters, in the order of the file.
    vector : ndarray
        θ or the state, as the file has it.
    layout : Layout

    Raises
    ------
    ModelFileError
        If the names and shapes are not those of the layout, or do not fit the vector.
    """
    shapes = {name: tuple(shape) for name, shape in written}
    if len(shapes) != len(written) or not all(type(length) is int for shape in shapes.values() for length in shape):
        raise ModelFileError(f"parameters should be named once each, with shapes in whole numbers, got {written}")
    wanted = {name: place.shape for name, place in layout.places.items()}
    for name in {**wanted, **shapes}:
        there, here = (f"shape {found[name]}" if name in found else "none" for found in (shapes, wanted))
        if there != here:
            raise ModelFileError(
                f"{name}: {there} in the file, {here} in the network that the file's spec describes here; install the "
                "versions of the distributions that the file requires"
            )
    places: dict[str, Place] = {}
    stop = 0
    for name, shape in shapes.items():
        start, stop = stop, stop + math.prod(shape)
        places[name] = Place(start, stop, shape)

    def in_order(what: str, each: Array) -> Array:
        if each.shape != (layout.size,) or each.dtype != vector.dtype:
            found = f"got {each.dtype} {each.shape}, and theta_ is {vector.dtype}"
            raise ModelFileError(f"{what} should be {layout.size} floats for this spec, {found}")
        ordered = np.empty_like(each)
        for name, place in layout.places.items():
            place.view(ordered)[...] = places[name].view(each)
        return ordered

    return in_order
