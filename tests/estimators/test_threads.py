"""Threads of BLAS: a small network trains on one, a large one on those that there are, workers share the cores."""

import os
import threading
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info

from modnet import ModNetRegressor, Network
from modnet.estimators.threads import SMALL, few_threads
from modnet.layers import Dense

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(60, 4))
SMALL_NET, LARGE_NET = (Network([Dense(units)], (1024,)) for units in (4, 2048))


def threads() -> int:
    """Return the most threads that a BLAS library here may use."""
    return max((each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"), default=1)


@pytest.fixture(autouse=True)
def _two_threads() -> None:
    if threads() < 2:
        pytest.skip("this BLAS has one thread, or none that can be counted")


def test_a_small_network_has_one_thread_and_a_large_one_has_all():
    assert 256 * SMALL_NET.layout.size < SMALL < 256 * LARGE_NET.layout.size
    before = threads()
    with few_threads(LARGE_NET, 256):
        assert threads() == before
    with few_threads(SMALL_NET, 256):
        assert threads() == 1
    assert threads() == before


def test_threads_come_back_when_training_fails():
    before = threads()
    with pytest.raises(ZeroDivisionError), few_threads(SMALL_NET, 1):
        raise ZeroDivisionError
    assert threads() == before


def test_threads_come_back_when_trainings_overlap():
    before, first_is_in, second_is_in, first_is_out = threads(), *(threading.Event() for _ in range(3))

    def first() -> None:
        with few_threads(SMALL_NET, 1):
            first_is_in.set()
            second_is_in.wait(30)
        first_is_out.set()

    def second() -> None:
        first_is_in.wait(30)
        with few_threads(SMALL_NET, 1):
            second_is_in.set()
            first_is_out.wait(30)

    workers = [threading.Thread(target=each) for each in (first, second)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert threads() == before


def test_fit_trains_a_small_network_on_one_thread():
    seen = []

    def noted(estimator: Any, X: Any, y: Any) -> float:
        seen.append(threads())
        return 0.0

    before = threads()
    settings: dict[str, Any] = {"max_iter": 2, "early_stopping": True, "scoring": noted}
    ModNetRegressor((8,), **settings).fit(X, X[:, 0])
    assert set(seen) == {1}
    assert threads() == before


def threads_of_a_worker(estimator: Any, X: Any, y: Any) -> float:
    """Score by the number of threads that the process may use when nobody trains."""
    return float(threads())


@pytest.mark.skipif("OPENBLAS_NUM_THREADS" in os.environ, reason="the environment says how many threads there are")
def test_workers_of_a_search_share_the_cores():
    search = GridSearchCV(
        ModNetRegressor(max_iter=2), {"layers": [(4,), (8,)]}, cv=2, n_jobs=2, scoring=threads_of_a_worker, refit=False
    )
    most = search.fit(X, X[:, 0]).cv_results_["mean_test_score"].max()
    assert most <= max(1, (os.cpu_count() or 1) // 2)
