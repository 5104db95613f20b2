"""Layers that say they are fixed, or adapt, and do it wrong: each is caught by the check that is meant to."""

from typing import ClassVar

import numpy as np
import pytest

from modnet import Module, Parameter
from modnet.layers import Clip, Standardize


class Shift(Module):
    """y = x + m, with m whatever a class below says."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        return input_shape

    def parameters(self, input_shape):
        return {"m": Parameter((1, *input_shape), "ones", trainable=False)}

    def forward(self, ctx, x):
        return x + ctx.s.m

    def grad_input(self, ctx, dy):
        return dy


class AdaptsToWhatItDidNotCopy(Shift):
    """Keeps the blocks as they are, and takes their mean."""

    adapts: ClassVar[bool] = True

    def adapt(self, ctx, blocks):
        rows, weights = zip(*blocks, strict=True)
        weight = None if weights[0] is None else np.concatenate(weights)
        ctx.s.m[...] = np.average(np.concatenate(rows), axis=0, weights=weight)


class AdaptsToTheLastBlock(Shift):
    """Takes the mean of the last block."""

    adapts: ClassVar[bool] = True

    def adapt(self, ctx, blocks):
        for x, weight in blocks:
            ctx.s.m[...] = np.average(x, axis=0, weights=weight)


class FixedNoise(Shift):
    """Draws in training."""

    fixed: ClassVar[bool] = True

    def forward(self, ctx, x):
        return x + ctx.rng.normal(size=x.shape).astype(x.dtype) if ctx.training else x + ctx.s.m


class FixedThatMoves(Shift):
    """Moves its state in training."""

    fixed: ClassVar[bool] = True

    def forward(self, ctx, x):
        y = x + ctx.s.m
        if ctx.training:
            ctx.s.m *= 0.9
        return y


class FixedThatLearns(Shift):
    """Has a trainable parameter."""

    fixed: ClassVar[bool] = True

    def parameters(self, input_shape):
        return {"b": Parameter((1, *input_shape), "zeros", regularized=False)}

    def forward(self, ctx, x):
        return x + ctx.p.b

    def grad_params(self, ctx, dy):
        ctx.g.b[...] = dy.sum(axis=0, keepdims=True)


ADAPTING, FIXED = "adapting_in_blocks_is_adapting_at_once", "fixed_layers_do_in_training_what_they_do_in_prediction"


@pytest.mark.parametrize(
    ("module", "check"),
    [
        (AdaptsToWhatItDidNotCopy(), ADAPTING),
        (AdaptsToTheLastBlock(), ADAPTING),
        (FixedNoise(), FIXED),
        (FixedThatMoves(), FIXED),
        (FixedThatLearns(), FIXED),
    ],
    ids=repr,
)
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, module, check):
    assert check in failures(module)


@pytest.mark.parametrize("module", [Shift(), Standardize(), Clip(-1.0, 1.0)], ids=repr)
def test_what_is_right_passes(failures, module):
    assert failures(module) == {}
