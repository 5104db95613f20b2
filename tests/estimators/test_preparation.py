"""Preparing data: what the network and the loss see of X, y and weights; and parameters that are described once."""

import inspect
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.estimators.preparation import prepared, raw_output, rows_of, with_first_weights
from modnet.layers import Embedding

X = np.random.default_rng(0).normal(size=(20, 3))
NAMES = np.array(["ant", "bee"] * 10)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_a_sample_has_codes_for_the_loss_and_labels_for_scorers():
    model = ModNetClassifier((4,), max_iter=1).fit(X, NAMES)
    sample = prepared(model, X, NAMES, np.arange(20))
    assert sample.target.task == "binary"
    np.testing.assert_array_equal(sample.data.t[:, 0], [1, 0] * 9 + [1])  # the first row has no weight
    np.testing.assert_array_equal(sample.y, NAMES[1:])
    np.testing.assert_array_equal(sample.data.x, X[1:])


def test_rows_that_are_their_own_target_are_prepared_without_y():
    sample = prepared(ModNetTransformer((2,), max_iter=1).fit(X), X)
    np.testing.assert_array_equal(sample.data.t, X)
    with pytest.raises(ValueError, match="requires y to be passed"):
        prepared(ModNetRegressor((2,), max_iter=1).fit(X, X[:, 0]), X)


def test_rows_have_the_dtype_of_theta_and_codes_in_place_of_categories():
    frame = pd.DataFrame({"town": ["Bonn", "Ulm"] * 10})
    model = ModNetClassifier((Embedding(2, categories=2),), max_iter=1).fit(frame, NAMES)
    np.testing.assert_array_equal(rows_of(model, frame[:3]), [[0.0], [1.0], [0.0]])
    narrow = ModNetClassifier((4,), inputs=None, max_iter=1).fit(X.astype(np.float32), NAMES)
    assert rows_of(narrow, X).dtype == raw_output(narrow, X).dtype == np.float32


def test_first_weights_are_those_that_fit_starts_from_and_the_estimator_stays_as_it_is():
    model = ModNetRegressor((4,), max_iter=1, optimizer={"type": "sgd", "learning_rate": 1e-300}, random_state=0)
    started, sample = with_first_weights(model, X, X[:, 0])
    np.testing.assert_allclose(started.theta_, model.fit(X, X[:, 0]).theta_, atol=1e-200)
    np.testing.assert_array_equal(sample.data.x, X)
    assert not hasattr(started, "loss_curve_")
    with pytest.raises(NotFittedError):
        raw_output(ModNetRegressor(), X)


@pytest.mark.parametrize("cls", [ModNetClassifier, ModNetRegressor, ModNetTransformer])
def test_every_parameter_is_described_once_in_the_order_of_the_signature(cls: type):
    doc = inspect.getdoc(cls) or ""
    section = doc.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    assert re.findall(r"^(\w+) : ", section, re.MULTILINE) == list(inspect.signature(cls).parameters)
    assert doc.count("\ntheta_, state_ : ") == 1
