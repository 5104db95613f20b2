"""Model files: what is loaded is what was saved, to the last bit; what cannot be saved is refused."""

import copy
import functools
import importlib.util
import os
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from support.distributions import Site, run_python
from support.model_files import CODES, NAMES, SETTINGS, X, classifier, header_of

from modnet import Activation, ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.callbacks import EpochCallback
from modnet.errors import InvalidSpecError, RegistryError
from modnet.estimators.persistence import ModelFileError, load, save
from modnet.layers import Columns, Dense, Dropout, Embedding, Parallel, Sequential
from modnet.neural_network import MLPClassifier, MLPRegressor
from modnet.optimizers import Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TOWNS = np.array(["Bonn", "Ulm", None], object)[CODES]
BRANCHES = (
    Parallel([Columns(dtype="number"), Sequential([Columns(dtype="category"), Embedding(2, categories=2)])]),
    Dense(4, "tanh"),
)
TABLE = {"size": X[:, 0], "town": TOWNS, "age": X[:, 1]}


def regressor(**params: Any) -> ModNetRegressor:
    return ModNetRegressor(**{**SETTINGS, **params})


CASES: dict[str, tuple[Any, Any, Any]] = {
    "strings": (classifier(), X, NAMES),
    "string objects": (classifier(), X, NAMES.astype(object)),
    "ints": (classifier(), X, CODES + 5),
    "floats": (classifier(), X, CODES + 0.0),
    "bools": (classifier(), X, CODES > 0),
    "multilabel": (classifier(), X, (X > 0).astype(int)),
    "several columns of classes": (classifier(), X, np.stack([CODES, CODES % 2], axis=1)),
    "class weights": (classifier(class_weight={0: 1, 1: 2.5, 2: 1}), X, CODES),
    "regression": (regressor(), X, X[:, 0]),
    "several targets": (regressor(), X, X[:, :2]),
    "one column of targets": (regressor(), X, X[:, :1]),
    "quantiles": (regressor(loss={"type": "quantile", "quantiles": (0.1, 0.5, 0.9)}), X, X[:, 0]),
    "float32": (classifier(layers=("standardize", 5, "batch_norm")), X.astype(np.float32), NAMES),
    "sparse": (classifier(), sparse.csr_array(np.maximum(X, 0)), NAMES),
    "pandas": (regressor(layers=BRANCHES), pd.DataFrame(TABLE), X[:, 2]),
    "pandas categories": (regressor(layers=BRANCHES), pd.DataFrame(TABLE).astype({"town": "category"}), X[:, 2]),
    "codes": (classifier(layers=(Embedding(2, categories=3), 4)), CODES[:, np.newaxis], NAMES),
    "components as instances": (classifier(layers=[Dense(3, "tanh"), Dropout(0.1)], optimizer=Adam(0.1)), X, NAMES),
    "infinite and missing settings": (regressor(optimizer=Adam(clip_norm=float("inf")), tol=float("inf")), X, X[:, 0]),
    "momentum": (regressor(optimizer={"type": "sgd", "momentum": 0.9, "schedule": "adaptive"}), X, X[:, 0]),
    "a mean of weights": (regressor(optimizer=Adam(ema=0.9)), X, X[:, 0]),
    "early stopping": (classifier(early_stopping=True, scoring="accuracy", max_iter=5), X, NAMES),
    "first weights": (regressor(layers=(3,), initial_weights={"output.b": np.array([[2.0]])}), X, X[:, 0]),
    "a random state": (regressor(random_state=np.random.RandomState(3)), X, X[:, 0]),
    "autoencoder": (ModNetTransformer(**{**SETTINGS, "layers": (3, 2, 3)}), X, None),
    "MLPClassifier": (MLPClassifier((5,), max_iter=3, random_state=0), X, NAMES),
    "MLPRegressor": (MLPRegressor(hidden_layer_sizes=[5, 3], max_iter=3, random_state=0), X, X[:, 0]),
}
if importlib.util.find_spec("polars"):
    import polars as pl

    CASES |= {
        "polars": (regressor(layers=BRANCHES), pl.DataFrame(TABLE | {"town": TOWNS.tolist()}), X[:, 2]),
        "polars enum": (
            regressor(layers=BRANCHES),
            pl.DataFrame(TABLE | {"town": pl.Series(TOWNS.tolist(), dtype=pl.Enum(["Ulm", "Bonn"]))}),
            X[:, 2],
        ),
    }


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    """A fitted model with its data."""
    return copy.deepcopy(fitted(request.param)), *CASES[request.param][1:]


@functools.cache
def fitted(name: str) -> Any:
    model, X, y = CASES[name]
    return copy.deepcopy(model).fit(X, y)


def through(model: Any, path: Path) -> Any:
    save(model, path)
    return load(path)


def assert_same(found: Any, expected: Any) -> None:
    """Equal, down to type and dtype, whatever it is made of."""
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    elif isinstance(expected, list | tuple):
        assert type(found) is type(expected)
        for pair in zip(found, expected, strict=True):
            assert_same(*pair)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            assert_same(found[key], expected[key])
    else:
        assert found == expected


def written(model: Any) -> str:
    """An estimator as it shows itself, without the addresses of objects."""
    return re.sub(" at 0x[0-9A-F]+", "", repr(model))


# Round trip


def test_predictions_are_the_same_to_the_last_bit(case: Any, file: Path):
    model, X, _ = case
    again = through(model, file)
    methods = ("predict", "predict_proba", "predict_log_proba", "decision_function", "predict_quantiles", "transform")
    there = [name for name in methods if hasattr(model, name)]
    assert there == [name for name in methods if hasattr(again, name)]
    for name in there:
        assert_same(getattr(again, name)(X), getattr(model, name)(X))


def test_parameters_and_what_was_learnt_are_the_same(case: Any, file: Path):
    model, _, _ = case
    again = through(model, file)
    assert type(again) is type(model)
    assert written(again) == written(model)
    learnt = {name: each for name, each in vars(model).items() if name not in model.get_params(deep=False)}
    assert vars(again).keys() - {"_earlier"} == vars(model).keys() - {"_earlier"}
    plain = (np.ndarray, list, int, float, str, bool, type(None))
    for name, each in learnt.items():
        if isinstance(each, plain):
            assert_same(getattr(again, name), each)
    assert again.spec_ == model.spec_
    assert again.network_.layout.places == model.network_.layout.places
    assert again.network_.input_shape == model.network_.input_shape


def test_partial_fit_goes_on_as_if_nothing_had_happened(case: Any, file: Path):
    model, X, y = case
    again = through(model, file)
    for each in (model, again):
        for _ in range(2):
            each.partial_fit(X, y)
    np.testing.assert_array_equal(again.theta_, model.theta_)
    np.testing.assert_array_equal(again.state_, model.state_)
    assert again.loss_curve_ == model.loss_curve_
    assert again.learning_rate_curve_ == model.learning_rate_curve_


@pytest.mark.parametrize("name", ["strings", "pandas", "MLPClassifier", "autoencoder"])
def test_a_warm_start_goes_on_as_well(name: str, file: Path):
    model, X, y = copy.deepcopy(CASES[name])
    model.set_params(warm_start=True).fit(X, y)
    again = through(model, file)
    np.testing.assert_array_equal(again.fit(X, y).theta_, model.fit(X, y).theta_)


def test_a_solver_has_nothing_to_remember(file: Path):
    model = regressor(optimizer="lbfgs", layers=(4,)).fit(X, X[:, 0])
    np.testing.assert_array_equal(through(model, file).predict(X), model.predict(X))


def test_without_the_optimizer_state_a_file_is_smaller_and_partial_fit_starts_anew(tmp_path: Path):
    model = classifier(layers=(200,)).fit(X, NAMES)
    save(model, tmp_path / "whole.npz")
    save(model, tmp_path / "weights.npz", optimizer_state=False)
    assert (tmp_path / "weights.npz").stat().st_size < (tmp_path / "whole.npz").stat().st_size / 2
    again = load(tmp_path / "weights.npz")
    assert_same(again.predict_proba(X), model.predict_proba(X))
    assert again.optimizer_state_.step == 0
    assert len(again.partial_fit(X, NAMES).loss_curve_) == 4


def test_unknown_and_missing_categories_are_what_they_were(file: Path):
    model, frame, y = copy.deepcopy(CASES["pandas"])
    again = through(model.fit(frame, y), file)
    other = frame.assign(town=[None, "Rome", "Ulm"] * 20)
    np.testing.assert_array_equal(again.predict(other), model.predict(other))


def test_what_is_loaded_can_be_cloned_pickled_and_saved_again(case: Any, tmp_path: Path):
    model, X, _ = case
    again = through(through(model, tmp_path / "once.npz"), tmp_path / "twice.npz")
    assert (tmp_path / "once.npz").stat().st_size == (tmp_path / "twice.npz").stat().st_size
    read = "transform" if hasattr(model, "transform") else "predict"
    assert_same(getattr(pickle.loads(pickle.dumps(again)), read)(X), getattr(model, read)(X))
    assert written(clone(again)) == written(clone(model))


def test_a_plugins_components_come_back_and_the_file_says_whose_they_are(site: Site, file: Path):
    site.wobble("acme-layers", "acme_layers")
    model = classifier(layers=(4, "wobble")).fit(X, NAMES)
    assert_same(through(model, file).predict_proba(X), model.predict_proba(X))
    assert header_of(file)["requires"]["acme-layers"] == "1.2"


def test_callbacks_are_not_written(file: Path):
    model = classifier().set_callbacks(EpochCallback()).fit(X, NAMES)
    assert not hasattr(through(model, file), "_skl_callbacks")


def test_another_process_predicts_the_same(tmp_path: Path):
    model = classifier().fit(X, NAMES)
    save(model, tmp_path / "model.npz")
    np.save(tmp_path / "X.npy", X)
    code = """
import numpy as np
from modnet.estimators.persistence import load
print(load("model.npz").predict_proba(np.load("X.npy")).tobytes().hex())
"""
    assert run_python(code, cwd=tmp_path) == model.predict_proba(X).tobytes().hex()


def test_the_file_is_an_npz_that_numpy_reads_without_pickle(case: Any, file: Path):
    model, _, _ = case
    save(model, file)
    with np.load(file, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive}
    np.testing.assert_array_equal(arrays["theta_"], model.theta_)
    assert not any(array.dtype.hasobject for array in arrays.values())


def test_a_file_is_replaced_as_a_whole_or_not_at_all(saved: Path):
    before = saved.read_bytes()
    with pytest.raises(ModelFileError):
        save(classifier(scoring=max, early_stopping=False).fit(X, NAMES), saved)
    assert saved.read_bytes() == before
    save(regressor().fit(X, X[:, 0]), saved)
    assert isinstance(load(saved), ModNetRegressor)
    assert os.listdir(saved.parent) == [saved.name]


# What cannot be saved


class Bump(Activation):
    """a = 1 / (1 + z²)."""

    def f(self, z, *, out=None):
        return np.divide(1, 1 + z * z, out=out)

    def df(self, z, a, da, *, out=None):
        return np.multiply(da, -2 * z * a * a, out=out)


class OwnClassifier(ModNetClassifier):
    """A user's own class, which no file can name."""


def test_a_component_without_a_name_is_refused_and_told_how_to_get_one(file: Path):
    with pytest.raises(RegistryError, match=r"Bump has no registered name.*modnet\.register\(Bump\).*entry point"):
        save(classifier(layers=(4, Bump())).fit(X, NAMES), file)
    assert not file.exists()


def test_a_name_given_by_hand_is_known_to_its_own_process_only(book: Any, file: Path):
    book.register(Bump)
    model = classifier(layers=(4, "bump")).fit(X, NAMES)
    assert_same(through(model, file).predict_proba(X), model.predict_proba(X))
    code = """
from modnet.errors import InvalidSpecError
from modnet.estimators.persistence import load
try: load("model.npz")
except InvalidSpecError as error: print(error)
"""
    message = run_python(code, cwd=file.parent)
    assert re.search(r"unknown layer or activation 'bump'.*modnet\.register is known to", message)


def test_functions_among_the_parameters_are_refused(file: Path):
    with pytest.raises(ModelFileError, match=r"scoring: .* which text and numbers cannot say: set it to a name"):
        save(classifier(scoring=lambda model, X, y: 0.0).fit(X, NAMES), file)


def test_other_estimators_are_refused(file: Path):
    with pytest.raises(ModelFileError, match=r"got OwnClassifier\(\): call modnet\.register\(OwnClassifier\)"):
        save(OwnClassifier().fit(X, NAMES), file)
    with pytest.raises(ModelFileError, match="got None"):
        save(None, file)
    with pytest.raises(NotFittedError):
        save(classifier(), file)
    with pytest.raises(ModelFileError, match="save that, it is its estimator_"):
        save(ModNetTransformer(estimator=classifier()).fit(X, NAMES), file)


def test_parameters_that_are_not_valid_are_reported_when_saving(file: Path):
    with pytest.raises(InvalidSpecError, match="max_iter: should be greater"):
        save(classifier().fit(X, NAMES).set_params(max_iter=-1), file)
