"""Compiled loops: a model trained by one is the model that NumPy trains, to rounding."""

from typing import Any

import joblib
import numpy as np
import pytest

pytest.importorskip("numba")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from modnet import ModNetClassifier, ModNetRegressor
from modnet.activations import GELU, Softmax
from modnet.layers import BatchNorm, Dense, Dropout, LayerNorm, Reshape, Residual
from modnet.optimizers import SGD, Adam, AdamW, NAdam, RAdam
from modnet.registry import registry

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 4))
SETTINGS: dict[str, Any] = {"max_iter": 25, "batch_size": 9, "tol": 0, "n_iter_no_change": 1000, "random_state": 0}
CLASSES = np.digitize(X[:, 0], [-0.5, 0.5])
LABELS = (X[:, :3] > 0).astype(int)


def pair(cls: Any, y: Any, layers: Any = (6, 5), dtype: Any = float, weight: Any = None, **params: Any) -> list[Any]:
    """Return a model trained by NumPy, and one by Numba."""
    return [
        cls(layers, accelerator=accelerator, **{**SETTINGS, **params}).fit(X.astype(dtype), y, weight)
        for accelerator in (None, "numba")
    ]


def expect_same(models: list[Any], rtol: float = 1e-8) -> None:
    plain, fast = models
    np.testing.assert_allclose(fast.theta_, plain.theta_, rtol=rtol, atol=rtol / 10)
    np.testing.assert_allclose(fast.loss_curve_, plain.loss_curve_, rtol=rtol)
    np.testing.assert_allclose(fast.state_, plain.state_, rtol=rtol)
    for name, vector in plain.optimizer_state_.vectors.items():
        if name in ("m", "v", "u", "mean", "largest", "b"):
            np.testing.assert_allclose(fast.optimizer_state_.vectors[name], vector, rtol=1e3 * rtol, atol=rtol)


def test_rows_of_several_axes_are_trained_on_without_python(runs: list[int]):
    images = RNG.normal(size=(100, 4, 3))
    layers = (Dense(5, "relu"), "batch_norm", "tanh", Dropout(0.1), Reshape((2, -1)), "layer_norm", "flatten", 6)
    models = [
        ModNetClassifier(layers, accelerator=accelerator, **SETTINGS).fit(images, CLASSES)
        for accelerator in (None, "numba")
    ]
    assert sum(runs) > 200
    expect_same(models, rtol=1e-6)


OPTIMIZERS = [
    example
    for name in registry.names("optimizer")
    for example in registry.get("optimizer", name).examples()
    if not isinstance(example, NAdam)
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_every_optimizer_leads_to_the_same_model(optimizer: Any, runs: list[int]):
    # From seed 0 a last bit of X grows to 2e-7 of θ on the way of RMSprop with momentum, from seed 2 to 5e-12.
    expect_same(
        pair(ModNetRegressor, X[:, 0], activation="tanh", optimizer=optimizer, random_state=2, scale_target=False)
    )
    assert runs


@pytest.mark.parametrize(
    ("cls", "y"),
    [
        (ModNetClassifier, CLASSES),
        (ModNetClassifier, CLASSES > 0),
        (ModNetClassifier, LABELS),
        (ModNetRegressor, X[:, 0]),
        (ModNetRegressor, X[:, :2]),
    ],
    ids=["multiclass", "binary", "multilabel", "one target", "two targets"],
)
@pytest.mark.parametrize("weight", [None, np.linspace(0.5, 2, 100)], ids=["alike", "weighted"])
def test_every_task_leads_to_the_same_model(cls: Any, y: Any, weight: Any, runs: list[int]):
    expect_same(pair(cls, y, weight=weight))
    expect_same(pair(cls, y, weight=weight, dtype=np.float32), rtol=2e-4)
    assert runs


@pytest.mark.parametrize(
    "params",
    [
        {"alpha": 0.0},
        {"alpha": 0.5, "l1_ratio": 0.3},
        {"optimizer": AdamW(0.01, weight_decay=0.1)},
        {"optimizer": Adam(0.01, clip_norm=0.1, clip_value=0.05)},
        {"optimizer": SGD(0.05, momentum=0.9, nesterov=True, schedule="cosine")},
        {"optimizer": RAdam(0.01, swa=0.5)},
        {"optimizer": Adam(0.01), "early_stopping": True},
        {"optimizer": Adam(0.01), "early_stopping": True, "n_iter_no_change": 2, "tol": 1e-3},
        {"optimizer": Adam(0.01), "n_iter_no_change": 2, "tol": 1e-2},
        {"optimizer": SGD(0.1, schedule="adaptive"), "n_iter_no_change": 2, "tol": 1e-2, "max_iter": 60},
        {"optimizer": Adam(0.01, groups=[{"layers": "layers[0]", "factor": 0.1}], clip_norm=0.1)},
        {"optimizer": Adam(0.01, groups=[{"layers": "layers[1]", "factor": 0}])},
        {
            "layers": (Dense(6, "relu", kernel_constraint="max_norm"), Dense(5, kernel_constraint="unit_norm")),
            "alpha": 1,
        },
        {"layers": (Dense(6, kernel_constraint="non_negative"), Dense(5, kernel_constraint="min_max_norm"))},
        {"batch_size": 10},
        {"optimizer": Adam(0.01, schedule="coslog")},
        {"shuffle": False},
        {"batch_size": 100, "max_iter": 250},
        {"layers": (6, LayerNorm(), Dropout(0.3), BatchNorm(), GELU(), 5)},
        {"layers": (Dense(6, "gelu", use_bias=False), "softplus", Dense(4, "silu"))},
        {"layers": ()},
    ],
    ids=repr,
)
def test_every_setting_leads_to_the_same_model(params: dict[str, Any], runs: list[int]):
    expect_same(pair(ModNetClassifier, CLASSES, **params))
    assert runs


def test_rows_in_any_order_of_memory_are_gathered(runs: list[int]):
    plain = ModNetRegressor((6,), accelerator=None, **SETTINGS).fit(X, X[:, 0])
    for rows in (np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], np.repeat(X, 2, axis=1)[:, ::2]):
        fast = ModNetRegressor((6,), accelerator="numba", **SETTINGS).fit(rows, X[:, 0])
        np.testing.assert_allclose(fast.theta_, plain.theta_, rtol=1e-9)
    assert runs


@pytest.mark.parametrize(
    "params",
    [
        {"layers": (6, Softmax())},
        {"layers": (6, Residual([Dense(6)]))},
        {"loss": "focal"},
        {"optimizer": NAdam()},
    ],
    ids=repr,
)
def test_what_has_no_kernel_is_left_to_single_steps(params: dict[str, Any], runs: list[int]):
    expect_same(pair(ModNetClassifier, CLASSES, **params))
    assert not runs


def test_training_twice_gives_the_same_bits(runs: list[int]):
    first, second = (ModNetClassifier((6, 5), accelerator="numba", **SETTINGS).fit(X, CLASSES) for _ in range(2))
    np.testing.assert_array_equal(first.theta_, second.theta_)
    assert runs


@pytest.mark.parametrize("mean", [{"swa": 0.3}, {"ema": 0.9}], ids=str)
def test_a_mean_that_predicts_and_its_running_statistics_are_the_same(mean: dict[str, float], runs: list[int]):
    models = pair(ModNetRegressor, X[:, 0], (6, BatchNorm(), Dropout(0.2), 5), optimizer=Adam(0.01, **mean))
    expect_same(models)
    plain, fast = (model.optimizer_state_ for model in models)
    np.testing.assert_allclose(fast.moving, plain.moving, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(fast.moving_state, plain.moving_state, rtol=1e-8)
    assert runs


def test_a_search_in_threads_finds_what_it_finds_alone(runs: list[int]):
    search = GridSearchCV(ModNetClassifier(**SETTINGS), {"layers": [(8,), (16, 8)], "alpha": [0, 1e-3]}, cv=3)
    with joblib.parallel_config("threading", n_jobs=4):
        together = clone(search).fit(X, CLASSES)
    alone = search.fit(X, CLASSES)
    assert runs
    np.testing.assert_array_equal(together.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(together.best_estimator_.theta_, alone.best_estimator_.theta_)
