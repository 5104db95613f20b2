"""What ModNetTransformer promises about the network of another estimator: fitted by it, or taken as it is."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_iris, make_circles
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.layers import Dense
from modnet.neural_network import MLPClassifier
from modnet.optimizers import LBFGS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)

CODED = (5, Dense(2, name="code"), 5)


def short(layers: Any = CODED, **params: Any) -> ModNetTransformer:
    return ModNetTransformer(layers, **{"max_iter": 5, "random_state": 0, **params})


def classifier(layers: Any = CODED[:2], **params: Any) -> ModNetClassifier:
    return ModNetClassifier(layers, **{"max_iter": 5, "random_state": 0, **params})


def test_the_code_of_a_classifier_makes_its_classes_linearly_separable() -> None:
    rings, ring = make_circles(300, factor=0.5, noise=0.1, random_state=0)
    network = ModNetClassifier((16, 2), "tanh", optimizer=LBFGS(), random_state=0)
    linear = LogisticRegression()
    assert cross_val_score(linear, rings, ring).mean() < 0.6
    assert cross_val_score(make_pipeline(ModNetTransformer(estimator=network), linear), rings, ring).mean() > 0.95


@pytest.mark.parametrize(
    "estimator",
    [
        classifier(),
        ModNetRegressor((3,), max_iter=5, random_state=0),
        MLPClassifier((4, 2), max_iter=5, random_state=0),
    ],
)
def test_fit_fits_a_clone_of_the_estimator(estimator: Any) -> None:
    reader = ModNetTransformer(estimator=estimator).fit(X, y, sample_weight=1.0 + y)
    assert not hasattr(estimator, "theta_")
    estimator.fit(X, y, sample_weight=1.0 + y)
    np.testing.assert_array_equal(reader.theta_, estimator.theta_)
    assert reader.score(X, y) == estimator.score(X, y)


def test_a_frozen_estimator_is_read_as_it_is_even_after_a_clone() -> None:
    fitted = classifier().fit(X, y)
    theta = fitted.theta_.copy()
    reader = clone(ModNetTransformer(estimator=FrozenEstimator(fitted), layer="code")).fit(X[:10], y[:10])
    assert reader.estimator_.estimator is fitted
    np.testing.assert_array_equal(reader.theta_, theta)
    link = fitted.network_.layer("layers[1]")
    np.testing.assert_array_equal(
        reader.transform(X), fitted.network_.outputs_of(link, fitted.theta_, fitted.state_, X)
    )


def test_a_frozen_estimator_has_to_be_fitted() -> None:
    with pytest.raises(NotFittedError):
        ModNetTransformer(estimator=FrozenEstimator(classifier())).fit(X, y)


def test_sparse_rows_are_read_by_an_estimator_and_refused_by_an_autoencoder() -> None:
    reader = ModNetTransformer(estimator=classifier()).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(reader.transform(sparse.csc_array(X)), reader.transform(X))
    with pytest.raises(TypeError, match=r"dense data is required.*toarray"):
        short().fit(sparse.csr_array(X))


def test_with_an_estimator_there_is_nothing_to_decode_or_to_go_on_from() -> None:
    reader = ModNetTransformer(estimator=classifier()).fit(X, y)
    assert not hasattr(reader, "inverse_transform")
    assert not hasattr(reader, "partial_fit")


def test_nothing_of_an_estimator_is_left_once_it_is_gone() -> None:
    reader = short(estimator=classifier(early_stopping=True), warm_start=True).fit(X, y)
    reader.set_params(estimator=None).fit(X)
    assert not hasattr(reader, "estimator_")
    assert not hasattr(reader, "validation_loss_curve_")
    np.testing.assert_array_equal(reader.theta_, short().fit(X).theta_)


def test_callbacks_of_the_estimator_see_its_epochs() -> None:
    monitor = ScoringMonitor(scoring="accuracy")
    ModNetTransformer(estimator=classifier().set_callbacks(monitor)).fit(X, y)
    assert len(monitor.get_logs().data_as_pandas) == 6  # and the fit as a whole
