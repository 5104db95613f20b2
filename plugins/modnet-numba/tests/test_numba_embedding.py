"""Embeddings: the same rows and gradients as the original's, and tables with many categories in compiled loops."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from modnet_numba import Numba

from modnet import Array, ModNetClassifier, ModNetRegressor, Network
from modnet.base import Column, TableShape
from modnet.errors import InputError
from modnet.layers import Dense, Embedding
from modnet.network import Pass

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
TABLE = TableShape([Column("a"), Column("b", "category", 3), Column("c", "bool"), Column("d", "category", 50)])
CODES = np.column_stack([RNG.normal(size=60), RNG.integers(-1, 4, 60), RNG.integers(2, size=60), np.arange(60)])
CODES[::7, 1], CODES[3, 3] = np.nan, 1.5
"""Rows of it: numbers, codes, codes of no category, and what is none."""

SETTINGS: dict[str, Any] = {"max_iter": 10, "batch_size": 32, "tol": 0, "n_iter_no_change": 99, "random_state": 0}


def passed(network: Network, x: Array, theta: Array) -> list[Array]:
    """Return what a network puts out, and both gradients."""
    gradient = np.full_like(theta, np.nan)
    running = Pass(network, theta, theta[:0], gradient=gradient, rows=len(x), training=True)
    y = running.forward(x).copy()
    running.backward(np.sin(np.arange(y.size, dtype=y.dtype)).reshape(y.shape))
    return [y, gradient, running.input_gradient().copy()]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n", [0, 1, 60])
def test_rows_and_gradients_are_the_originals(n: int, order: Any, dtype: Any):
    x = np.asarray(CODES[:n], dtype, order=order)
    wrong = Embedding(5, categories=(3, 50), handle_unknown="missing", remainder="passthrough")
    several = Embedding(2, categories=4, handle_unknown="missing")
    for embedding, shape, rows in [(wrong, TABLE, x), (several, (4,), x), (several, (2, 2), x.reshape(n, 2, 2))]:
        network = Network([embedding], shape)
        theta = RNG.normal(size=network.layout.size).astype(dtype)
        fused = Network([Numba().fuse([embedding]).module], shape)
        for found, expected in zip(passed(fused, rows, theta), passed(network, rows, theta), strict=True):
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_table_of_columns_with_many_categories_is_trained_without_python(early_stopping: bool, runs: list[int]):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(RNG.normal(size=(400, 3))).add_prefix("c")
    X["town"] = pd.Categorical(RNG.integers(60, size=400))
    X["zone"] = pd.Categorical.from_codes(RNG.integers(-1, 50, 400), range(50))
    y = X["c0"] + X["town"].cat.codes % 3
    plain, fast = (
        ModNetRegressor(
            (8,), inputs="table", early_stopping=early_stopping, dtype="float64", accelerator=each, **SETTINGS
        ).fit(X, y)
        for each in (None, "numba")
    )
    assert sum(runs) > 50
    np.testing.assert_allclose(fast.theta_, plain.theta_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(fast.loss_curve_, plain.loss_curve_, rtol=1e-8)


def test_a_wrong_code_is_the_same_error_in_a_compiled_loop(runs: list[int]):
    X = RNG.integers(3, size=(200, 2)).astype(float)
    messages = []
    for accelerator in (None, "numba"):
        model = ModNetClassifier((Embedding(3, categories=3), Dense(4)), inputs=None, accelerator=accelerator)
        model.set_params(**SETTINGS, early_stopping=False).fit(X, X[:, 0] > 1)
        wrong = X.copy()
        wrong[150, 1] = 3
        with pytest.raises(InputError) as error:
            model.fit(wrong, X[:, 0] > 1)
        messages.append(str(error.value))
    assert runs
    assert messages[1] == messages[0]
