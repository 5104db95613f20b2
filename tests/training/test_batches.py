"""Mini-batches: every row once per epoch, in another order each time, with its target and its weight."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import modnet.training.batches
from modnet.training import Data
from modnet.training.batches import batches, shuffled

sizes = st.integers(1, 70)


def rows(n, *, weighted=True):
    """Return n rows that can be told apart, by x, by t and by weight."""
    number = np.arange(n)
    return Data(np.stack([number, -number], axis=1).astype(float), number, number + 0.5 if weighted else None)


def batched(data, size, rng, **options):
    """Return the batches of an epoch in a shuffled order; without a generator as the rows are."""
    return batches(data, size, shuffled(len(data), size, rng), **options)


@given(n=sizes, size=sizes, shuffle=st.booleans(), chunk=st.integers(1, 2000))
def test_an_epoch_sees_every_row_once_with_its_target_and_weight(n, size, shuffle, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modnet.training.batches, "CHUNK", chunk)
        epoch = list(batched(rows(n), size, np.random.default_rng(0) if shuffle else None))
    t = np.concatenate([batch.t for batch in epoch])
    np.testing.assert_array_equal(np.sort(t), np.arange(n))
    np.testing.assert_array_equal(np.concatenate([batch.x for batch in epoch]), np.stack([t, -t], axis=1))
    np.testing.assert_array_equal(np.concatenate([batch.weight for batch in epoch]), t + 0.5)


@given(n=sizes, size=sizes, shuffle=st.booleans())
def test_all_batches_but_the_last_are_full(n, size, shuffle):
    lengths = [len(batch) for batch in batched(rows(n), size, np.random.default_rng(0) if shuffle else None)]
    assert lengths[:-1] == [size] * (len(lengths) - 1)
    assert 1 <= lengths[-1] <= size
    assert sum(lengths) == n


@given(n=sizes, size=sizes, chunk=st.integers(1, 2000))
def test_gathering_in_chunks_is_gathering_batch_by_batch(n, size, chunk):
    data = rows(n)
    order = np.random.default_rng(0).permutation(n) if size < n else np.arange(n)
    naive = [data.take(order[start : start + size]) for start in range(0, n, size)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modnet.training.batches, "CHUNK", chunk)
        chunked = list(batched(data, size, np.random.default_rng(0)))
    assert len(chunked) == len(naive)
    for ours, theirs in zip(chunked, naive, strict=True):
        np.testing.assert_array_equal(ours.x, theirs.x)
        np.testing.assert_array_equal(ours.t, theirs.t)
        np.testing.assert_array_equal(ours.weight, theirs.weight)


def test_batches_may_be_kept():
    kept = [batch.t.copy() for batch in batched(rows(50), 7, np.random.default_rng(0))]
    for copy, batch in zip(kept, list(batched(rows(50), 7, np.random.default_rng(0))), strict=True):
        np.testing.assert_array_equal(copy, batch.t)


@given(n=sizes, size=sizes, chunk=st.integers(1, 2000), order=st.sampled_from("CF"))
def test_batches_that_share_a_memory_are_the_same_one_after_the_other(n, size, chunk, order):
    data = rows(n)
    data.x = np.asarray(data.x, order=order)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modnet.training.batches, "CHUNK", chunk)
        kept = list(batched(data, size, np.random.default_rng(0)))
        for theirs, ours in zip(kept, batched(data, size, np.random.default_rng(0), reuse=True), strict=True):
            np.testing.assert_array_equal(ours.x, theirs.x)
            np.testing.assert_array_equal(ours.t, theirs.t)
            np.testing.assert_array_equal(ours.weight, theirs.weight)


def test_sparse_rows_are_gathered_beside_targets_that_share_a_memory():
    data = Data(sparse.csr_array(np.diag(np.arange(9.0))), np.arange(9))
    for batch in batched(data, 2, np.random.default_rng(0), reuse=True):
        np.testing.assert_array_equal(batch.x.toarray().sum(axis=1), batch.t)


def order(rng, n=50, size=7):
    return np.concatenate([batch.t for batch in batched(rows(n), size, rng)]).tolist()


def test_every_epoch_has_an_order_of_its_own():
    rng = np.random.default_rng(0)
    first, second = order(rng), order(rng)
    assert first != second
    assert first != sorted(first)


def test_the_seed_decides_the_order():
    assert order(np.random.default_rng(3)) == order(np.random.default_rng(3))
    assert order(np.random.default_rng(3)) != order(np.random.default_rng(4))


def test_without_a_generator_rows_keep_their_order_and_nothing_is_copied():
    data = rows(50)
    epoch = list(batched(data, 7, None))
    assert np.concatenate([batch.t for batch in epoch]).tolist() == list(range(50))
    assert all(np.shares_memory(batch.x, data.x) for batch in epoch)


@pytest.mark.parametrize("size", [50, 80])
def test_a_single_batch_is_neither_shuffled_nor_copied(size):
    rng, twin, data = np.random.default_rng(0), np.random.default_rng(0), rows(50)
    (batch,) = batched(data, size, rng)
    np.testing.assert_array_equal(batch.t, data.t)
    assert np.shares_memory(batch.x, data.x)
    assert rng.random() == twin.random()


def test_shuffling_leaves_the_data_alone():
    data = rows(50)
    for array in (data.x, data.t, data.weight):
        array.flags.writeable = False
    assert sum(len(batch) for batch in batched(data, 7, np.random.default_rng(0))) == 50


def test_batches_keep_dtypes_and_shapes_of_rows():
    data = Data(np.zeros((9, 4, 3), np.float32), np.zeros((9, 2), np.float32), np.ones(9, np.float32))
    for batch in batched(data, 4, np.random.default_rng(0)):
        assert (batch.x.dtype, batch.t.dtype, batch.weight.dtype) == (np.float32,) * 3
        assert batch.x.shape[1:] == (4, 3)
        assert batch.t.shape[1:] == (2,)


def test_rows_without_weights_have_none():
    assert all(batch.weight is None for batch in batched(rows(9, weighted=False), 4, np.random.default_rng(0)))


def test_total_weight_is_the_sum_of_weights_or_the_number_of_rows():
    assert rows(4).total_weight == 0.5 + 1.5 + 2.5 + 3.5
    assert rows(4, weighted=False).total_weight == 4.0
