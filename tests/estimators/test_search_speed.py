"""What a search does again in each fit: it is remembered, in bounded memory, and an accelerator is chosen outside."""

import tracemalloc
from typing import Any, ClassVar

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import modnet
from modnet import Accelerator, ModNetClassifier, Module
from modnet.errors import InvalidSpecError
from modnet.neural_network import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)
QUICK: dict[str, Any] = {"inputs": None, "early_stopping": False, "max_iter": 1, "random_state": 0}


class Seen(Module):
    """The identity, which counts its passes over two rows: those of a trial."""

    reads: ClassVar[frozenset[str]] = frozenset()
    trials: ClassVar[list[int]] = []

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        if len(x) == 2:
            self.trials.append(1)
        return x

    def grad_input(self, ctx, dy):
        return dy


def test_a_search_tries_each_architecture_out_once():
    Seen.trials.clear()
    grid = {"layers": [(4, Seen()), (5, Seen())], "optimizer__learning_rate": [0.01, 0.1], "random_state": [0, 1]}
    GridSearchCV(ModNetClassifier(**{**QUICK, "optimizer": "adam"}), grid, cv=3).fit(X, Y)
    assert len(Seen.trials) == 2 * 2  # two architectures; forward as in training, and as in prediction


def test_what_is_equal_to_python_and_differs_to_a_spec_is_told_apart():
    assert ModNetClassifier(tol=1).to_spec() == ModNetClassifier(tol=1.0).to_spec()
    with pytest.raises(InvalidSpecError, match="tol"):
        ModNetClassifier(tol=True).to_spec()


class Named(Seen):
    """A layer that has no hash."""

    names: dict[str, float]


def test_a_layer_without_a_hash_is_trained_as_any_other():
    model = ModNetClassifier((4, Named({"a": 1.0})), accelerator=None, **QUICK)
    assert model.fit(X, Y).to_spec().layers[1].names == {"a": 1.0}


def test_a_list_that_has_been_changed_is_another_spec():
    layers: list[Any] = [3]
    model = ModNetClassifier(layers)
    before = model.to_spec()
    layers.append(4)
    assert (len(before.layers), len(model.to_spec().layers)) == (1, 2)


def test_a_name_that_means_another_class_now_is_another_spec():
    def swish(slope: float) -> type:
        class Swish(Seen):
            factor: float = slope

        return Swish

    try:
        for slope in (1.0, 2.0):
            modnet.register(swish(slope), "swish_of_this_test", override=True)
            layer: Any = ModNetClassifier((4, "swish_of_this_test")).to_spec().layers[1]
            assert layer.factor == slope
    finally:
        modnet.registry.registry.unregister(type(layer))


def test_a_search_over_many_architectures_takes_bounded_memory():
    for units in range(1, 301):
        ModNetClassifier((units % 50 + 1,), alpha=units / 1000, **QUICK).fit(X, Y)
    tracemalloc.start()
    try:
        for units in range(301, 601):
            ModNetClassifier((units % 50 + 1,), alpha=units / 1000, **QUICK).fit(X, Y)
        assert tracemalloc.get_traced_memory()[0] < 4 * 2**20
    finally:
        tracemalloc.stop()


class Watching(Accelerator):
    """Offers nothing, and remembers that it was asked."""

    asked: ClassVar[list[str]] = []

    def fuse(self, modules):
        self.asked.append("fuse")
        return


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Any:
    modnet.register(Watching)
    monkeypatch.setenv("MODNET_ACCELERATOR", "watching")
    Watching.asked.clear()
    yield
    modnet.registry.registry.unregister(Watching)


@pytest.mark.usefixtures("watching")
@pytest.mark.parametrize(
    "model", [ModNetClassifier((3,), **QUICK), MLPClassifier((3,), max_iter=1)], ids=["ours", "mlp"]
)
def test_the_environment_names_the_accelerator(model: Any):
    clone(model).fit(X, Y)
    assert Watching.asked


@pytest.mark.usefixtures("watching")
def test_an_estimator_that_names_its_own_or_none_is_left_alone():
    ModNetClassifier((3,), accelerator=None, **QUICK).fit(X, Y)
    assert not Watching.asked


def test_none_turns_an_installed_accelerator_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODNET_ACCELERATOR", "none")
    assert str(ModNetClassifier((3,)).summary(4, 2)).endswith("accelerator: none")


def test_a_name_that_is_none_is_refused_with_the_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODNET_ACCELERATOR", "gpu")
    with pytest.raises(InvalidSpecError, match="MODNET_ACCELERATOR"):
        ModNetClassifier((3,), **QUICK).fit(X, Y)


def _asked_for() -> str:
    return str(ModNetClassifier((3,)).summary(4, 2)).rpartition("\n")[2]


@pytest.mark.slow
def test_the_variable_reaches_the_workers_of_joblib(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODNET_ACCELERATOR", "none")
    assert set(Parallel(n_jobs=2)(delayed(_asked_for)() for _ in range(2))) == {"accelerator: none"}
