"""Layers for sequences in estimators: rows of several axes as they are, and flat rows that inputs reshape."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import modnet
from modnet import ModNetClassifier, ModNetRegressor
from modnet.errors import ShapeError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs do

X, y = load_digits(return_X_y=True)
X, y = X[:300], y[:300]
CONV = {"type": "conv2d", "filters": 8, "activation": "relu"}
LAYERS = (CONV, "max_pool", "flatten")
IMAGES = {"type": "reshape", "shape": (8, 8, 1)}
FEW = {"max_iter": 4, "early_stopping": False, "batch_size": 32, "random_state": 0}


def series(n=240):
    """A wave whose past eight hours, as rows of shape (8, 1), tell the next one."""
    wave = np.sin(np.arange(n + 8) / 3)
    return np.lib.stride_tricks.sliding_window_view(wave[:-1], 8)[..., np.newaxis], wave[8:]


def test_images_as_they_are_and_flat_rows_that_inputs_reshape_give_the_same():
    images = ModNetClassifier(LAYERS, inputs=None, **FEW).fit(X.reshape(-1, 8, 8, 1), y)
    flat = ModNetClassifier(LAYERS, inputs=IMAGES, **FEW).fit(X, y)
    np.testing.assert_array_equal(flat.theta_, images.theta_)
    # One link more makes smaller blocks of rows, and so other last bits.
    np.testing.assert_allclose(flat.predict_proba(X), images.predict_proba(X.reshape(-1, 8, 8, 1)), rtol=1e-12)
    with pytest.raises(ValueError, match=r"X should have rows of shape \(8, 8, 1\), as in fit, got an X of shape"):
        images.predict(X)


def test_a_data_frame_of_pixels_is_reshaped_too():
    frame = pd.DataFrame(X).add_prefix("pixel ")
    of_frame, of_array = (ModNetClassifier(LAYERS, inputs=IMAGES, **FEW).fit(each, y) for each in (frame, X))
    np.testing.assert_array_equal(of_frame.predict_proba(frame), of_array.predict_proba(X))


@pytest.mark.slow
def test_a_pipeline_scales_flat_rows_and_a_search_reaches_inside():
    net = ModNetClassifier(LAYERS, inputs=IMAGES, **FEW)
    pipeline = make_pipeline(MinMaxScaler(), net)
    grid = {"modnetclassifier__layers__0__kernel_size": [1, 3], "modnetclassifier__layers__0__filters": [4]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise").fit(X, y)
    assert search.best_estimator_[-1].network_.links[1].module.filters == 4
    assert len(search.cv_results_["mean_test_score"]) == 2


def test_time_series_are_split_in_order():
    rows, target = series()
    net = ModNetRegressor(({"type": "lstm", "units": 8},), **{**FEW, "max_iter": 30})
    net.set_params(optimizer__learning_rate=0.01)
    scores = cross_val_score(net, rows, target, cv=TimeSeriesSplit(3), error_score="raise")
    assert scores[-1] > 0.95
    flat = net.set_params(inputs={"type": "reshape", "shape": (8, 1)})
    np.testing.assert_array_equal(
        cross_val_score(flat, rows[..., 0], target, cv=TimeSeriesSplit(3), error_score="raise"), scores
    )


def test_a_table_with_text_becomes_tokens_of_its_columns():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=120), "town": rng.choice(["Ulm", "Bonn", "Rome"], 120)})
    layers = ({"type": "tokens", "units": 8}, {"type": "transformer_block", "heads": 2}, "global_pool")
    model = ModNetRegressor(layers, **FEW).fit(frame, frame["size"] * (frame["town"] == "Ulm"))
    assert model.network_.layer("layers[0]").output_shape == (4, 8)  # a number, and three towns
    assert np.isfinite(model.predict(frame)).all()


def test_what_does_not_fit_is_an_error_with_its_path():
    with pytest.raises(
        ShapeError, match=r'layers\[0\] \(Conv2D\): .* inputs=\{"type": "reshape", "shape": \(8, 8, 1\)\}'
    ):
        ModNetClassifier(LAYERS, inputs=None, **FEW).fit(X, y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_keep_the_dtype_and_do_not_depend_on_the_rows_beside(dtype):
    rows, target = (each.astype(dtype) for each in series())
    conv = {"type": "conv1d", "filters": 4}
    layers = (conv, "positional_encoding", {"type": "transformer_block", "heads": 2}, {"type": "lstm", "units": 3})
    model = ModNetRegressor(layers, **FEW).fit(rows, target)
    predicted = model.predict(rows)
    assert predicted.dtype == dtype
    np.testing.assert_allclose([model.predict(rows[[i]])[0] for i in range(5)], predicted[:5], rtol=1e-4, atol=1e-5)


def test_a_model_file_brings_it_back(tmp_path):
    rows, target = series()
    layers = ({"type": "lstm", "units": 3, "return_sequences": True}, {"type": "global_pool", "pool": "max"})
    model = ModNetRegressor(layers, **FEW).fit(rows, target)
    modnet.save(model, tmp_path / "model.npz")
    np.testing.assert_array_equal(modnet.load(tmp_path / "model.npz").predict(rows), model.predict(rows))
