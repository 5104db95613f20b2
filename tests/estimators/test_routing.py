"""Metadata routing: weights and validation sets reach the network through pipelines, searches and cross-validation."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object

from modnet import ModNetClassifier, ModNetRegressor
from modnet.neural_network import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(150)
TRAIN, HELD = ORDER[:110], ORDER[110:]
WEIGHT = np.random.default_rng(1).uniform(0, 2, size=150)
NET = ModNetClassifier((8,), max_iter=15, early_stopping=True, random_state=0)


@pytest.fixture(autouse=True)
def _routing() -> Iterator[None]:
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_estimators_offer_what_their_methods_take():
    requests = get_routing_for_object(clone(NET)).fit.requests
    assert set(requests) == {"sample_weight", "X_val", "y_val", "sample_weight_val"}
    assert set(get_routing_for_object(clone(NET)).partial_fit.requests) == {"classes", "sample_weight"}
    assert set(get_routing_for_object(clone(NET)).score.requests) == {"sample_weight"}
    assert set(get_routing_for_object(MLPClassifier()).fit.requests) == set(requests)


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("net", [NET, MLPClassifier((8,), max_iter=15, early_stopping=True, random_state=0)], ids=repr)
def test_a_pipeline_transforms_the_validation_set_as_it_does_the_rest(net: Any, frames: bool):
    data = pd.DataFrame(X, columns=list("abcd")) if frames else X
    train, held = (data.iloc[TRAIN], data.iloc[HELD]) if frames else (data[TRAIN], data[HELD])
    requesting = clone(net).set_fit_request(X_val=True, y_val=True, sample_weight_val=True)
    pipeline = Pipeline([("scale", StandardScaler()), ("net", requesting)], transform_input=["X_val"])
    pipeline.fit(train, y[TRAIN], X_val=held, y_val=y[HELD], sample_weight_val=WEIGHT[HELD])

    scaler = StandardScaler().fit(X[TRAIN])
    by_hand = clone(net).fit(
        scaler.transform(X[TRAIN]),
        y[TRAIN],
        X_val=scaler.transform(X[HELD]),
        y_val=y[HELD],
        sample_weight_val=WEIGHT[HELD],
    )
    # Frames lie in memory by columns, and sums in another order round differently.
    np.testing.assert_allclose(pipeline["net"].theta_, by_hand.theta_, rtol=1e-7)
    np.testing.assert_allclose(pipeline["net"].validation_loss_curve_, by_hand.validation_loss_curve_, rtol=1e-9)
    np.testing.assert_array_equal(pipeline.predict(held), by_hand.predict(scaler.transform(X[HELD])))


def test_without_transform_input_the_validation_set_would_be_on_another_scale():
    requesting = clone(NET).set_fit_request(X_val=True, y_val=True)
    given = {"X_val": X[HELD], "y_val": y[HELD]}
    curves = [
        Pipeline([("scale", StandardScaler()), ("net", clone(requesting))], transform_input=names)
        .fit(X[TRAIN], y[TRAIN], **given)["net"]
        .validation_loss_curve_
        for names in (None, ["X_val"])
    ]
    assert curves[0] != curves[1]


def test_a_grid_hands_the_same_validation_set_to_every_candidate():
    net = clone(NET).set_fit_request(X_val=True, y_val=True)
    pipeline = Pipeline([("scale", StandardScaler()), ("net", net)], transform_input=["X_val"])
    search = GridSearchCV(pipeline, {"net__layers__0__units": [2, 8]}, cv=2, error_score="raise")
    search.fit(X[TRAIN], y[TRAIN], X_val=X[HELD], y_val=y[HELD])
    by_hand = clone(pipeline).set_params(**search.best_params_).fit(X[TRAIN], y[TRAIN], X_val=X[HELD], y_val=y[HELD])
    assert search.best_estimator_["net"].theta_.tobytes() == by_hand["net"].theta_.tobytes()


def test_weights_are_cut_with_the_rows_of_each_fold():
    net = ModNetClassifier((8,), max_iter=10, random_state=0)
    weighted = clone(net).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(weighted, {"alpha": [0.0, 1.0]}, cv=[(TRAIN, HELD)], error_score="raise")
    search.fit(X, y, sample_weight=WEIGHT)
    for alpha, found in zip((0.0, 1.0), search.cv_results_["mean_test_score"], strict=True):
        by_hand = clone(net).set_params(alpha=alpha).fit(X[TRAIN], y[TRAIN], WEIGHT[TRAIN])
        assert found == by_hand.score(X[HELD], y[HELD], WEIGHT[HELD])
    refit = clone(net).set_params(**search.best_params_).fit(X, y, WEIGHT)
    assert search.best_estimator_.theta_.tobytes() == refit.theta_.tobytes()


def test_weights_that_are_asked_for_by_another_name():
    net = ModNetRegressor((4,), max_iter=5, random_state=0)
    pipeline = make_pipeline(StandardScaler(), clone(net).set_fit_request(sample_weight="importance"))
    pipeline.fit(X, y, importance=WEIGHT)
    by_hand = clone(net).fit(StandardScaler().fit_transform(X), y, WEIGHT)
    np.testing.assert_array_equal(pipeline[-1].theta_, by_hand.theta_)


def test_weights_that_nobody_asked_for_are_refused():
    with pytest.raises(UnsetMetadataPassedError, match=r"sample_weight.* not explicitly set as requested or not"):
        GridSearchCV(NET, {"alpha": [0.0]}, cv=2).fit(X, y, sample_weight=WEIGHT)


def test_weights_and_groups_in_cross_validation():
    net = ModNetClassifier((8,), max_iter=10, random_state=0).set_fit_request(sample_weight=True)
    net.set_score_request(sample_weight=False)
    groups = np.arange(150) % 3
    found = cross_validate(
        net, X, y, cv=GroupKFold(3), params={"sample_weight": WEIGHT, "groups": groups}, error_score="raise"
    )
    by_hand = [
        clone(net).fit(X[train], y[train], WEIGHT[train]).score(X[test], y[test])
        for train, test in GroupKFold(3).split(X, y, groups)
    ]
    np.testing.assert_array_equal(found["test_score"], by_hand)


def test_a_meta_estimator_streams_with_weights():
    net = ModNetRegressor((4,), random_state=0).set_partial_fit_request(sample_weight=True)
    model = MultiOutputRegressor(net)
    model.partial_fit(X[:, :3], X[:, 2:], sample_weight=WEIGHT)
    by_hand = clone(net).partial_fit(X[:, :3], X[:, 3], sample_weight=WEIGHT)
    np.testing.assert_array_equal(model.estimators_[1].theta_, by_hand.theta_)
