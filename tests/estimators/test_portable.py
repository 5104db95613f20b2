"""The state of a fitted estimator is a model file; copies and pickles are made from its attributes."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from support.model_files import CODES, NAMES, X, classifier

from modnet import ModNetClassifier, ModNetTransformer, load, save
from modnet.callbacks import EpochCallback
from modnet.errors import ModelFileError
from modnet.neural_network import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore")  # few epochs
MODELS = (
    classifier(),
    classifier(inputs="table", optimizer="lbfgs"),
    ModNetTransformer((3,), max_iter=3, random_state=0),
    MLPClassifier((5,), max_iter=3, random_state=0),
)


class Named(ModNetClassifier):
    """Of no registered class."""


def from_state(model: Any) -> Any:
    """What skops makes of an estimator."""
    made = type(model).__new__(type(model))
    made.__setstate__(model.__getstate__())
    return made


def with_requests(model: Any) -> Any:
    with config_context(enable_metadata_routing=True):
        return model.set_fit_request(sample_weight=True)


def output(model: Any) -> Any:
    return model.transform(X) if hasattr(model, "transform") else model.predict_proba(X)


def is_a_file(model: Any) -> bool:
    return [type(each) for each in model.__getstate__().values()] == [bytes]


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_the_state_of_a_fitted_estimator_is_a_file_that_gives_it_back(model: Any):
    model = clone(model).fit(X, NAMES)
    again = from_state(model)
    assert is_a_file(model)
    np.testing.assert_array_equal(output(again), output(model))
    for each in (model, again):
        each.set_params(warm_start=True).fit(X, NAMES)
    np.testing.assert_array_equal(again.theta_, model.theta_)


@pytest.mark.parametrize(
    "model",
    [
        classifier(scoring=lambda *_: 0.0),
        classifier().set_callbacks(EpochCallback()),
        with_requests(classifier()),
        Named((4,), max_iter=2),
    ],
    ids=["a function", "callbacks", "requests", "no registered class"],
)
def test_what_a_file_does_not_hold_stays_in_the_state(model: Any):
    for each in (model, copy.deepcopy(model).fit(X, NAMES)):
        assert vars(from_state(each)).keys() == vars(each).keys()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_have_every_attribute_and_draw_what_the_first_would(copied: Callable[[Any], Any]):
    model = MLPRegressor(hidden_layer_sizes=(5,), solver="sgd", random_state=np.random.RandomState(3)).partial_fit(
        X, CODES
    )
    model.note = EpochCallback()
    again = copied(copy.deepcopy(model))
    assert vars(again).keys() == vars(model).keys()
    for each in (model, again):
        each.partial_fit(X, CODES)
    np.testing.assert_array_equal(again.coefs_[0], model.coefs_[0])


def test_a_state_of_another_class_is_refused():
    state = MLPClassifier((3,), max_iter=2).fit(X, NAMES).__getstate__()
    with pytest.raises(ModelFileError, match="file of a ModNetClassifier, got a MLPClassifier"):
        ModNetClassifier().__setstate__(state)


def test_pickle_takes_the_state_that_a_derived_class_defines():
    class Short(ModNetClassifier):
        def __getstate__(self) -> dict[str, Any]:
            return {"layers": (7,)}

    assert copy.deepcopy(Short()).layers == (7,)


def test_an_estimator_that_has_warned_of_unknown_categories_can_be_saved(tmp_path: Any):
    table = pd.DataFrame({"size": X[:, 0], "town": NAMES})
    model = classifier(inputs="table").partial_fit(table, CODES, classes=np.unique(CODES))
    model.partial_fit(table.assign(town="?"), CODES)
    save(model, tmp_path / "model.npz")
    np.testing.assert_array_equal(load(tmp_path / "model.npz").predict(table), model.predict(table))
