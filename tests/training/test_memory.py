"""Memory of training on the NumPy engine: nothing is allocated per step, and four vectors of the size of θ are all."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from support.classic import CLASSIC
from support.memory import peak_of

from modnet import Layout, ModNetClassifier
from modnet.layers import Dense
from modnet.losses import CrossEntropy
from modnet.neural_network import MLPClassifier
from modnet.optimizers import SGD, AdaBelief, Adagrad, Adam, Adamax, Lion, RAdam, RMSprop
from modnet.training import Data

RNG = np.random.default_rng(0)
CODES = RNG.integers(10, size=4096)
X = RNG.standard_normal((4096, 64), np.float32)
HIDDEN = X[:2048].nbytes
"""Bytes of one array with 2048 rows of a layer that is 64 wide."""


def classifying(prepared, rows, **settings):
    """Return a trainer of the common net, and its data."""
    data = Data(X[:rows], CODES[:rows])
    layers = [Dense(64, "relu"), Dense(64, "relu"), Dense(10)]
    return prepared(layers, data, loss=CrossEntropy(), optimizer=Adam(), **settings), data


@pytest.mark.parametrize("alpha", [0.0, 0.1])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_a_step_allocates_no_array_of_a_batch(prepared, activation, alpha):
    # One batch that holds all rows: nothing is gathered either.
    data = Data(X[:2048], CODES[:2048])
    layers = [Dense(64, activation), Dense(64, activation), Dense(10)]
    trainer = prepared(layers, data, loss=CrossEntropy(), optimizer=Adam(), batch_size=2048, alpha=alpha)
    trainer.epoch(data)
    assert peak_of(lambda: trainer.epoch(data)) < HIDDEN / 5


def test_a_longer_epoch_needs_no_more_than_the_order_of_its_rows(prepared):
    peaks = []
    for rows in (1024, 4096):
        trainer, data = classifying(prepared, rows, batch_size=32)
        trainer.epoch(data)
        peaks.append(peak_of(lambda trainer=trainer, data=data: trainer.epoch(data)))
    # Gathered rows may fill up to a chunk of 2^18 bytes, which 1024 rows do.
    assert peaks[1] - peaks[0] < (4096 - 1024) * np.intp(0).nbytes + HIDDEN / 50


def test_memory_does_not_grow_from_epoch_to_epoch(prepared):
    trainer, data = classifying(prepared, 4096, batch_size=32)
    trainer.epoch(data)
    held, peaks = [], []
    tracemalloc.start()
    for _ in range(6):
        tracemalloc.reset_peak()
        trainer.epoch(data)
        now, peak = tracemalloc.get_traced_memory()
        held.append(now)
        peaks.append(peak)
    tracemalloc.stop()
    assert max(held[1:]) - held[1] < 1000
    assert max(peaks[1:]) - min(peaks[1:]) < 1000


WIDE, BATCH_SIZE = (256, 1024, 512, 10), 32
THETA = 4 * sum((n_in + 1) * n_out for n_in, n_out in pairwise(WIDE))
BATCH = 4 * BATCH_SIZE * sum(WIDE)


def wide_fit(model):
    """Return the fit of a net whose θ is as large as fourteen batches."""
    x, y = RNG.standard_normal((96, 256), np.float32), np.arange(96) % 10
    model.set_params(max_iter=2, batch_size=BATCH_SIZE, tol=0, n_iter_no_change=9, random_state=0)
    return lambda: model.fit(x, y)


OTHERS = [RAdam(), Adamax(), AdaBelief(), RMSprop(), Adagrad(), Lion(), SGD(0.01, 0.9)]


@pytest.mark.parametrize(
    "optimizer", [Adam(), *(pytest.param(each, marks=pytest.mark.slow) for each in OTHERS)], ids=repr
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_takes_four_vectors_of_the_size_of_theta_and_some_batches(optimizer):
    model = ModNetClassifier(layers=WIDE[1:-1], inputs=None, optimizer=optimizer, accelerator=None)
    wide_fit(ModNetClassifier(layers=(2,), accelerator=None))()  # imports what a fit imports
    assert peak_of(wide_fit(model)) < 4 * THETA + 8 * BATCH


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_so_does_a_fit_of_the_drop_in(solver):
    wide_fit(MLPClassifier((2,), solver=solver))()
    assert peak_of(wide_fit(MLPClassifier(WIDE[1:-1], solver=solver))) < 4 * THETA + 8 * BATCH


def test_adam_remembers_two_vectors():
    assert set(Adam().init(np.zeros(3), Layout.flat(3)).vectors) == {"m", "v"}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_x_is_never_copied_as_a_whole(dtype, order):
    x = np.asarray(RNG.standard_normal((20_000, 100)), dtype, order=order)
    y = np.arange(20_000) % 3
    for train in ("fit", "partial_fit"):
        model = ModNetClassifier(
            (8,), **{**CLASSIC, "max_iter": 2, "dtype": np.dtype(dtype).name}, accelerator=None, random_state=0
        )
        options = {"classes": np.arange(3)} if train == "partial_fit" else {}
        getattr(model, train)(x[:200], y[:200], **options)
        peak = peak_of(lambda model=model, train=train, options=options: getattr(model, train)(x, y, **options))
        assert peak < x.nbytes / 4
