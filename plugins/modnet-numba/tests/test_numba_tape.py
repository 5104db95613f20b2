"""Tapes: kernels write themselves down, and one loop calls them with what stands at their arguments' addresses."""

import itertools
from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from modnet_numba import products
from modnet_numba.compiling import Kernel
from modnet_numba.randomness import draw
from modnet_numba.tape import Tape, play

from modnet import Array

DTYPES = [np.float32, np.float64]


def uncached(function: Any) -> Kernel:
    """Return a kernel that is not kept on disk: a test's module goes by different names."""
    return Kernel(lambda: numba.njit(nogil=True)(function))


@uncached
def _scale(x: Array, factor: float, shift: int, doubled: bool, mask: Array | None) -> None:
    """Set x ← factor x + shift, doubled or not, with a mask or without."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y = factor * x[i, j] + shift
            y = 2 * y if doubled else y
            x[i, j] = y if mask is None or mask[j] else 0


@uncached
def _judge(x: Array, value: Array, clock: Array) -> None:
    """Let the loss be the first element, and write the learning rate into the last."""
    value[0] = x[0, 0]
    value[2] = 1
    x[-1, -1] = clock[1]


@uncached
def _fail(x: Array) -> None:
    """Raise an error."""
    raise IndexError("out of range")


def played(tape: Tape, judged: int, rates: Any, value: Array, clock: Array) -> tuple[int, Array]:
    """Play a tape as one epoch, longer than it is played; return how many steps were made, and the sums."""
    sums, nothing = np.zeros(2), np.empty(0, np.uint8)
    marks = np.array([judged, len(tape), 0, len(tape), len(tape), 1, 0])
    rule, count = np.array([0, 1, 0, 0, len(rates) + 1.0]), np.array([np.inf, 0, 0, 0])
    numbers = np.array(rates, float), clock, value, np.zeros(2), rule, count, sums, np.zeros((1, 2))
    return play.compiled(*tape.arrays(), marks, *numbers, *[nothing] * 4), sums


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tape_does_what_the_calls_do(dtype: Any):
    layouts = [np.ones((3, 4), dtype), np.ones((4, 3), dtype).T, np.ones((6, 8), dtype)[::2, ::2]]
    masks = (None, np.array([True, False, True, True]))
    for x, doubled, mask in itertools.product(layouts, (True, False), masks):
        x[...] = 1
        expected, tape = x.copy(), Tape()
        for _ in range(3):
            _scale(expected, 0.5, -3, doubled, mask)
        with tape.recording():
            assert _scale(x, 0.5, -3, doubled, mask) is None
        np.testing.assert_array_equal(x, 1)  # written down, not run
        assert len(tape) == 1
        assert played(tape, 1, [0.1] * 3, np.zeros(3), np.zeros(3))[0] == 3
        np.testing.assert_array_equal(x, expected)


def test_numbers_that_change_are_read_where_they_stand():
    x, value, clock, tape = np.ones((2, 2)), np.zeros(3), np.array([7.0, 0, 0]), Tape()
    with tape.recording():
        _scale(x, 2.0, 0, False, None)
        _judge(x, value, clock)
    steps, totals = played(tape, 2, [0.1, 0.2, 0.3], value, clock)
    assert (steps, *clock) == (3, 10, 0.3, 3)
    assert x[-1, -1] == 0.3
    np.testing.assert_array_equal(totals, [2 + 4 + 8, 3])


def test_a_loss_that_is_not_finite_ends_it_before_anything_moves():
    x, value, clock, tape = np.full((2, 2), 1e300), np.zeros(3), np.zeros(3), Tape()
    after = np.ones((1, 1))
    with tape.recording():
        _scale(x, 1e5, 0, False, None)
        _judge(x, value, clock)
        _scale(after, 2.0, 0, False, None)
    steps, totals = played(tape, 2, [0.1] * 10, value, clock)
    assert steps == 1  # 1e305, then inf
    assert after[0, 0] == 2
    np.testing.assert_allclose(totals, [1e305, 1])


def test_a_kernel_that_fails_is_no_silent_success():
    tape = Tape()
    with tape.recording():
        _fail(np.ones(1))
    assert played(tape, 0, [0.1], np.zeros(3), np.zeros(3))[0] == -1


def test_arrays_on_a_tape_stay_alive():
    def recorded() -> tuple[Tape, Array]:
        value, tape = np.zeros(3), Tape()
        with tape.recording():
            _judge(np.full((1, 1), 5.0), value, np.array([0.0, 5.0]))
        return tape, value

    tape, value = recorded()
    np.full((1, 1), 9.0)  # takes the memory, if it was given back
    played(tape, 1, [0.1], value, np.zeros(3))
    assert value[0] == 5


def test_what_cannot_be_written_down_is_named():
    tape = Tape()
    with tape.recording(), pytest.raises(TypeError, match="an array, a number or None, got 'word'"):
        _scale("word", 0.5, -3, True, None)


def test_recording_ends_with_its_block():
    x, tape = np.ones((1, 1)), Tape()
    with pytest.raises(ZeroDivisionError), tape.recording():
        raise ZeroDivisionError
    _scale(x, 2.0, 0, False, None)
    assert (x[0, 0], len(tape)) == (2, 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_noise_on_a_tape_is_the_generators(dtype: Any):
    one, other = np.random.default_rng(5), np.random.default_rng(5)
    uniform, tape = np.empty((3, 7), dtype), Tape()
    with tape.recording():
        draw(one, uniform)
    for _ in range(3):
        played(tape, 1, [0.1], np.zeros(3), np.zeros(3))
        expected = np.empty_like(uniform)
        draw(other, expected)
        np.testing.assert_array_equal(uniform, expected)
    assert one.bit_generator.state == other.bit_generator.state


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("own", [True, False], ids=["NumPy's BLAS", "SciPy's"])
def test_products_on_a_tape_are_products(dtype: Any, own: bool, monkeypatch: pytest.MonkeyPatch):
    if not own:
        monkeypatch.setattr(products, "_gemm_of_numpy", lambda char: None)
    rng = np.random.default_rng(0)
    for m, k, n in itertools.product((1, 2, 17), (1, 3, 40), (1, 2, 33)):
        x, W, dz = (rng.normal(size=shape).astype(dtype) for shape in ((m, k), (k, n), (m, n)))
        outs = [np.full(shape, np.nan, dtype) for shape in ((m, n), (k, n), (m, k))]
        tape = Tape()
        with tape.recording():
            products.product(x, W, out=outs[0])
            products.transposed_product(x, dz, out=outs[1])
            products.product(dz, W.T, out=outs[2])
        assert played(tape, 0, [0.1], np.zeros(3), np.zeros(3))[0] == 1
        for found, expected in zip(outs, (x @ W, x.T @ dz, dz @ W.T), strict=True):
            tolerance = 1e-5 if dtype == np.float32 else 1e-12
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
