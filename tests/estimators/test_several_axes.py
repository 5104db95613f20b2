"""X of more than two axes: taken where the layers make rows of one axis of it, and scikit-learn's error elsewhere."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer, load, save
from modnet.diagnosis import diagnose
from modnet.errors import ShapeError
from modnet.layers import Dense, Flatten, Reshape
from modnet.neural_network import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs do

X, y = load_digits(n_class=3, return_X_y=True)
X, IMAGES = X / 16, X.reshape(-1, 8, 8) / 16
SETTINGS = {"max_iter": 3, "random_state": 0}
BY_ROW = (Dense(4, "relu"), "layer_norm", Flatten())


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"optimizer": "lbfgs"}, {"batch_size": 16}])
def test_images_that_are_flattened_first_are_what_flat_rows_are(settings):
    model = ModNetClassifier((Flatten(), 8), inputs=None, **SETTINGS, **settings)
    images = clone(model).fit(IMAGES, y, X_val=IMAGES[:9], y_val=y[:9])
    flat = clone(model).fit(X, y, X_val=X[:9], y_val=y[:9])
    np.testing.assert_array_equal(images.theta_, flat.theta_)
    np.testing.assert_array_equal(images.predict_proba(IMAGES), flat.predict_proba(X))
    assert images.score(IMAGES, y) == flat.score(X, y)
    assert images.validation_loss_curve_ == flat.validation_loss_curve_


def test_shapes_are_known_by_name():
    model = ModNetClassifier(BY_ROW, **SETTINGS).fit(IMAGES, y)
    assert (model.input_shape_, model.n_features_in_) == ((8, 8), 8)
    assert model.network_.parameters(model.theta_)["layers[0].W"].shape == (8, 4)
    assert str(model.summary()) == str(ModNetClassifier(BY_ROW).summary(n_features=(8, 8), n_outputs=3))
    assert "8 × 8 → 8 × 4" in model._repr_html_()


def test_images_of_several_channels_as_a_list_in_float32_with_weights():
    channels = np.stack([IMAGES, IMAGES**2], axis=-1).astype(np.float32)
    model = ModNetRegressor((Dense(3, "tanh"), "batch_norm", Flatten()), **SETTINGS)
    weight = np.r_[np.ones(len(y) - 5), np.zeros(5)]
    assert model.fit(channels, y, sample_weight=weight).theta_.dtype == np.float32
    assert model.predict(channels).shape == y.shape
    as_list = channels[:40].tolist()
    assert model.fit(as_list, y[:40]).predict(as_list).shape == (40,)


def test_training_goes_on_from_images():
    model = ModNetClassifier(BY_ROW, warm_start=True, **SETTINGS)
    losses = [model.fit(IMAGES, y).loss_curve_[-1] for _ in range(2)]
    assert losses[1] < losses[0]
    model = ModNetClassifier(BY_ROW, random_state=0)
    for _ in range(2):
        model.partial_fit(IMAGES, y, classes=[0, 1, 2])
    assert model.n_iter_ == 2
    with pytest.raises(ValueError, match=r"X should have rows of shape \(8, 8\), as in fit"):
        model.partial_fit(IMAGES[:, :7], y)


def test_files_and_pickles_keep_the_shape(tmp_path):
    model = ModNetClassifier(BY_ROW, **SETTINGS).fit(IMAGES, y)
    save(model, tmp_path / "model.npz")
    for again in (load(tmp_path / "model.npz"), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert again.input_shape_ == (8, 8)
        np.testing.assert_array_equal(again.predict_proba(IMAGES), model.predict_proba(IMAGES))
        again.partial_fit(IMAGES, y)


def test_a_search_over_images():
    search = GridSearchCV(ModNetClassifier(BY_ROW, **SETTINGS), {"layers__0__units": [1, 4]}, cv=2).fit(IMAGES, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_transformer_reads_a_layer_of_images():
    classifier = ModNetClassifier((*BY_ROW, Dense(5, "relu", name="code")), **SETTINGS)
    reader = ModNetTransformer(estimator=classifier, layer="code").fit(IMAGES, y)
    assert reader.transform(IMAGES).shape == (len(IMAGES), 5)
    assert ModNetTransformer(estimator=classifier, layer=0).fit_transform(IMAGES, y).shape == (len(IMAGES), 8 * 4)


def test_images_are_diagnosed():
    images = 1e4 * IMAGES
    images[5, 2, 1] = np.nan
    found = {each.check: each for each in diagnose(ModNetClassifier(BY_ROW, **SETTINGS), images, y)}
    assert found["missing-values"].found.endswith("column 17 (1)")
    assert "scale-size" in found


# What is refused

REFUSED = "Found array with dim 3, while dim <= 2 is required by "


@pytest.mark.parametrize("target", [IMAGES, IMAGES.copy()], ids=["X", "a copy"])
def test_images_are_no_target_though_they_are_x_itself(target):
    with pytest.raises(ValueError, match="Found array with dim 3"):
        ModNetRegressor((Flatten(), 8), **SETTINGS).fit(IMAGES, target)


@pytest.mark.parametrize("model", [MLPClassifier(), ModNetTransformer((4,))], ids=repr)
def test_where_no_layer_could_take_it_the_error_is_scikit_learns(model):
    with pytest.raises(ValueError, match=f"^{REFUSED}{type(model).__name__}.$"):
        model.fit(IMAGES, y)


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ((), r"output.*: should end in rows of shape \(3,\), got \(8, 3\).*Flatten\(\)"),
        ((16,), r"output.*: should end in rows of shape \(3,\), got \(8, 3\).*Flatten\(\)"),
        ((Reshape((5, 3)), Flatten()), r"layers\[0\] \(Reshape\): rows of shape \(8, 8\) have 64 elements"),
    ],
)
def test_rows_that_do_not_become_one_axis_are_refused_with_the_reason(layers, reason):
    model = ModNetClassifier(layers, **SETTINGS)
    with pytest.raises(ShapeError, match=f"^{REFUSED}ModNetClassifier, .*{reason}"):
        model.fit(IMAGES, y)
    assert not hasattr(model, "input_shape_")


@pytest.mark.parametrize("axis", [1, 2])
def test_rows_without_elements_are_refused(axis):
    with pytest.raises(ValueError, match="have no elements"):
        ModNetClassifier((Flatten(),)).fit(np.zeros((10, *((0, 3) if axis == 1 else (3, 0)))), np.arange(10) % 2)


@pytest.mark.parametrize("other", [IMAGES[:, :7], IMAGES[..., :7], X, IMAGES[0], IMAGES[..., np.newaxis]], ids=np.shape)
def test_rows_of_another_shape_name_both(other):
    model = ModNetClassifier(BY_ROW, **SETTINGS).fit(IMAGES, y)
    shape = str(other.shape).replace("(", r"\(").replace(")", r"\)")
    for method in (model.predict, lambda X: model.score(X, y[: len(X)])):
        with pytest.raises(ValueError, match=rf"rows of shape \(8, 8\), as in fit, got an X of shape {shape}"):
            method(other)


def test_images_are_refused_by_a_model_of_flat_rows():
    with pytest.raises(ValueError, match="Found array with dim 3"):
        ModNetClassifier((8,), **SETTINGS).fit(X, y).predict(IMAGES)


def test_missing_values_are_found_in_images():
    images = IMAGES.copy()
    images[3, 2, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        ModNetClassifier(BY_ROW, **SETTINGS).fit(images, y)
