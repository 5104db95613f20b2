"""Memory of predicting: blocks of rows, whatever their number, and what is returned."""

import gc
import weakref

import numpy as np
import pytest
from support.memory import peak_of

from modnet import ModNetClassifier, ModNetRegressor
from modnet.inputs import Table

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ROWS, UNITS = 100_000, 64
BLOCKS = 4 * 2**20
"""Bytes that blocks take: of the widest layer a MiB, four times; all rows of it would be 25 MB."""

rng = np.random.default_rng(0)
X = rng.standard_normal((ROWS, 10), np.float32)
SETTINGS = {"layers": (UNITS,), "max_iter": 1, "accelerator": None, "random_state": 0}


@pytest.fixture(scope="module")
def classifier():
    return ModNetClassifier(**SETTINGS).fit(X[:400], np.arange(400) % 20)


@pytest.mark.parametrize("method", ["predict", "decision_function", "predict_proba"])
def test_a_hundred_thousand_rows_are_classified_in_bounded_memory(classifier, method):
    kept = []
    peak = peak_of(lambda: kept.append(getattr(classifier, method)(X)))
    assert len(kept[0]) == ROWS
    # The blocks of labels are joined, and so are there twice; probabilities are there beside what they are made of.
    assert peak < 3 * kept[0].nbytes + BLOCKS


def test_a_hundred_thousand_rows_are_predicted_in_bounded_memory():
    model = ModNetRegressor(**SETTINGS).fit(X[:400], X[:400, 0])
    assert peak_of(lambda: model.predict(X)) < X[:, 0].nbytes + BLOCKS


@pytest.mark.parametrize("inputs", [None, "standardize"])
def test_a_cool_down_needs_no_more_memory_than_keeping_the_best_weights(inputs):
    settings = {**SETTINGS, "inputs": inputs, "max_iter": 2, "batch_size": 256, "early_stopping": True}
    kept, cooled = (
        peak_of(lambda cooldown=cooldown: ModNetRegressor(**settings, cooldown=cooldown).fit(X[:40_000], X[:40_000, 0]))
        for cooldown in (0, 1)
    )
    assert cooled < kept + X[:2_000].nbytes


def test_labels_of_many_rows_are_those_of_each(classifier):
    rows = X[:20_000]
    codes = classifier.decision_function(rows).argmax(axis=1)
    np.testing.assert_array_equal(classifier.predict(rows), classifier.classes_[codes])


@pytest.mark.parametrize("inputs", [None, "standardize"])
def test_rows_in_a_file_are_learnt_from_without_all_of_them_in_memory(tmp_path, inputs):
    rows = np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", dtype=np.float32, shape=(ROWS, 50))
    rows[:] = np.tile(X, 5)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = ModNetRegressor(**{**SETTINGS, "layers": (8,)}, inputs=inputs, inputs_budget=0, early_stopping=False)
    assert peak_of(lambda: model.fit(mapped, X[:, 0])) < mapped.nbytes / 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_table_in_a_file_is_in_memory_twice_for_a_moment(tmp_path, dtype):
    np.save(tmp_path / "X.npy", np.tile(X[:40_000], 2).astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    settings = {**SETTINGS, "layers": (8,), "inputs_budget": 0, "early_stopping": False}
    scaled = ModNetRegressor(**settings, inputs=Table(numbers=None))
    assert peak_of(lambda: Table().choose((20,), mapped, None)) < 2.5 * mapped.nbytes
    assert peak_of(lambda: scaled.fit(mapped, X[:40_000, 0])) < 2.5 * mapped.nbytes


def test_a_deep_network_predicts_a_few_rows_at_a_time():
    model = ModNetRegressor(**{**SETTINGS, "layers": (UNITS,) * 40}).fit(X[:40], X[:40, 0])
    assert peak_of(lambda: model.predict(X[:2_000])) < 2 * 40 * 2_000 * UNITS * 4 / 5  # layers and activations


def test_predicting_keeps_no_rows(classifier):
    for n in (1, 10 * 2048 + 1):  # the last block is of one row, for which buffers are kept
        rows = X[:n].copy()
        kept = weakref.ref(rows)
        classifier.predict(rows)
        del rows
        gc.collect()
        assert kept() is None
