"""Modules that are right on a few rows of the usual width and wrong elsewhere, and the checks that find them."""

from typing import ClassVar

import numpy as np
import pytest

from modnet import Module, Parameter
from modnet.base import TableShape
from modnet.component import Count
from modnet.errors import ShapeError
from modnet.initializers import GlorotUniform, Ones, Zeros
from modnet.layers import Dense


class Linear(Module):
    """Y = x W, as it should be; others change a line."""

    units: Count = 4
    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def output_shape(self, input_shape):
        if len(input_shape) != 1:
            raise ShapeError(f"takes rows of one axis, got {input_shape}")
        return (self.units,)

    def parameters(self, input_shape):
        return {"W": Parameter((input_shape[-1], self.units), GlorotUniform())}

    def forward(self, ctx, x):
        return np.matmul(x, ctx.p.W, out=ctx.out)

    def grad_params(self, ctx, dy):
        np.matmul(ctx.x.T, dy, out=ctx.g.W)

    def grad_input(self, ctx, dy):
        return np.matmul(dy, ctx.p.W.T, out=ctx.dx)


class Centred(Module):
    """Y = x, and in prediction x − a running mean, as it should be; others change a line."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        if len(input_shape) != 1:
            raise ShapeError(f"takes rows of one axis, got {input_shape}")
        return input_shape

    def parameters(self, input_shape):
        shape = (1, input_shape[-1])
        return {
            "mean": Parameter(shape, Zeros(), trainable=False),
            "variance": Parameter(shape, Ones(), trainable=False),
        }

    def remember(self, ctx, x):
        if ctx.training and len(x):
            ctx.s.mean[...] = 0.9 * ctx.s.mean + 0.1 * x.mean(axis=0)
            ctx.s.variance[...] = 0.9 * ctx.s.variance + 0.1 * x.var(axis=0)

    def forward(self, ctx, x):
        y = np.subtract(x, 0 if ctx.training else ctx.s.mean, out=ctx.out)
        self.remember(ctx, x)
        return y

    def grad_input(self, ctx, dy):
        return dy


# State


class StateRebound(Centred):
    """Binds the new mean to the name."""

    def remember(self, ctx, x):
        if ctx.training and len(x):
            ctx.s.mean = 0.9 * ctx.s.mean + 0.1 * x.mean(axis=0, keepdims=True)


class StateReboundInAdapt(Centred):
    """Binds what it notes of the data to the name."""

    adapts: ClassVar[bool] = True

    def remember(self, ctx, x):
        return

    def adapt(self, ctx, blocks):
        x, weight = next(iter(blocks))
        ctx.s.mean = np.average(x, axis=0, weights=weight)[np.newaxis]


class VarianceOfOneRow(Centred):
    """Divides the running variance by n − 1."""

    def remember(self, ctx, x):
        if ctx.training and len(x):
            with np.errstate(all="ignore"):
                variance = np.square(x - x.mean(axis=0)).sum(axis=0) / np.float64(len(x) - 1)
            ctx.s.variance[...] = 0.9 * ctx.s.variance + 0.1 * variance


class MovesOnLargeBatches(Centred):
    """Moves its mean in prediction, too, if there are enough rows for one."""

    def remember(self, ctx, x):
        if ctx.training or len(x) > 16:
            ctx.s.mean[...] = 0.9 * ctx.s.mean + 0.1 * x.mean(axis=0) if len(x) else ctx.s.mean


# Orders of memory


class RavelK(Linear):
    """Doubles x as it lies in memory."""

    def forward(self, ctx, x):
        doubled = (2 * x.ravel("K")).reshape(x.shape)
        return np.matmul(0.5 * doubled, ctx.p.W, out=ctx.out)


class StridesOfDy(Linear):
    """Takes dy as it lies in memory."""

    def grad_input(self, ctx, dy):
        return np.matmul(dy.ravel("K").reshape(dy.shape), ctx.p.W.T, out=ctx.dx)


# Widths


class ShapeOfOneFeature(Linear):
    """Announces no axis for one feature."""

    def output_shape(self, input_shape):
        super().output_shape(input_shape)
        return (1,) if input_shape == (1,) else (self.units,)


class SquareW(Linear):
    """Forgets to transpose W where that raises no error."""

    def grad_input(self, ctx, dy):
        W = ctx.p.W
        return np.matmul(dy, W if W.shape[0] == W.shape[1] else W.T, out=ctx.dx)


class OneUnit(Linear):
    """Has a way of its own for one unit, which is wrong."""

    def grad_params(self, ctx, dy):
        super().grad_params(ctx, dy)
        if dy.shape[-1] == 1:
            ctx.g.W[...] = ctx.x.sum(axis=0)[:, np.newaxis] * dy.mean()


class SeveralAxes(Linear):
    """Takes rows of any number of axes, and sums their gradient over the first only."""

    def output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def grad_params(self, ctx, dy):
        ctx.g.W[...] = np.einsum("n...i,n...j->...ij", ctx.x, dy).reshape(-1, *ctx.g.W.shape)[0]


class CentresWholeRows(Module):
    """Y = x − the mean of a row, taken over all its axes in place of the last."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        return x - x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)

    def grad_input(self, ctx, dy):
        return self.forward(ctx, dy)


# Numbers of rows


class SecondGhostBatch(Linear):
    """Goes back through the first block of 32 rows, and treats the next as if they were in it."""

    def grad_input(self, ctx, dy):
        dx = super().grad_input(ctx, dy)
        if ctx.training:
            dx[32:] *= 0.5
        return dx


class NoiseOnLargeBatches(Linear):
    """Adds noise in prediction, where there are enough rows to hide it."""

    def forward(self, ctx, x):
        y = super().forward(ctx, x)
        return y + 1e-3 * ctx.rng.normal(size=y.shape).astype(y.dtype) if ctx.training or len(x) > 50 else y


class PositionOfRow(Linear):
    """Y = x W, halved behind the fifth row."""

    def forward(self, ctx, x):
        y = super().forward(ctx, x)
        y[5:] *= 0.5
        return y

    def grad_params(self, ctx, dy):
        super().grad_params(ctx, self.halved(dy))

    def grad_input(self, ctx, dy):
        return super().grad_input(ctx, self.halved(dy))

    def halved(self, dy):
        dy = dy.copy()
        dy[5:] *= 0.5
        return dy


# Y on the way back


class WritesIntoY(Linear):
    """Takes y as scratch memory on the way back."""

    reads: ClassVar[frozenset[str]] = frozenset({"x", "y"})

    def grad_params(self, ctx, dy):
        ctx.y[...] = 2 * dy
        np.matmul(ctx.x.T, 0.5 * ctx.y, out=ctx.g.W)


# Columns


class ReadsBesideItsChain(Module):
    """Y = [x, f(x)], where f alone is said to read columns."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        if len(input_shape) != 1:
            raise ShapeError(f"takes rows of one axis, got {input_shape}")
        return (input_shape[0] + 2,)

    def chains(self):
        return ((("f", Dense(2)),),)

    def forward(self, ctx, x):
        return np.concatenate([x, ctx.children[0].forward(x)], axis=-1, out=ctx.out)

    def grad_params(self, ctx, dy):
        ctx.children[0].grad_params(dy[..., -2:])

    def grad_input(self, ctx, dy):
        return np.add(dy[..., :-2], ctx.children[0].grad_input(), out=ctx.dx)


class MixesNamedColumns(Module):
    """The first column plus the last, under the name of the first."""

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def output_shape(self, input_shape):
        if len(input_shape) > 1:
            raise ShapeError("expected rows of one axis")
        return TableShape(input_shape.columns[:1]) if isinstance(input_shape, TableShape) else (1,)

    def forward(self, ctx, x):
        return np.add(x[:, :1], x[:, -1:], out=ctx.out)

    def grad_input(self, ctx, dy):
        dx = np.zeros(ctx.x.shape, dy.dtype)
        dx[:, :1] += dy
        dx[:, -1:] += dy
        return dx


class HeightForWidth(Module):
    """Mirrors images, with a slip that squares hide: the axes of y are exchanged, and not announced so."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def example_rows(self, rng, n):
        return rng.normal(size=(n, 3, 3, 2))

    def output_shape(self, input_shape):
        if len(input_shape) != 3:
            raise ShapeError(f"takes images, got {input_shape}")
        return input_shape

    def forward(self, ctx, x):
        return x.swapaxes(1, 2).copy()

    def grad_input(self, ctx, dy):
        return dy.swapaxes(1, 2).copy()


BROKEN = [
    (ReadsBesideItsChain(), "columns_that_count_as_unread_are_not_read"),
    (MixesNamedColumns(), "columns_that_count_as_unread_are_not_read"),
    (StateRebound(), "views_are_written_into"),
    (StateReboundInAdapt(), "adapting_in_blocks_is_adapting_at_once"),
    (VarianceOfOneRow(), "one_row_is_enough"),
    (MovesOnLargeBatches(), "prediction_is_a_function_of_the_rows"),
    (RavelK(), "memory_order_makes_no_difference"),
    (StridesOfDy(), "memory_order_makes_no_difference"),
    (ShapeOfOneFeature(), "shapes_and_gradients_are_right_at_any_width"),
    (SquareW(), "shapes_and_gradients_are_right_at_any_width"),
    (OneUnit(), "shapes_and_gradients_are_right_at_any_width"),
    (HeightForWidth(), "other_lengths_of_axes_are_refused_or_right"),
    (SeveralAxes(), "rows_of_several_axes_are_refused_or_right", "the_last_axis_is_that_of_features"),
    (CentresWholeRows(), "the_last_axis_is_that_of_features"),
    (SecondGhostBatch(), "gradients_agree_for_many_rows"),
    (NoiseOnLargeBatches(), "prediction_is_a_function_of_the_rows", "rows_do_not_depend_on_each_other_in_prediction"),
    (PositionOfRow(), "rows_do_not_depend_on_each_other_in_prediction"),
    (WritesIntoY(), "arguments_are_only_read"),
]


@pytest.mark.parametrize(
    ("module", "by"), [(each[0], each[1:]) for each in BROKEN], ids=[type(each[0]).__name__ for each in BROKEN]
)
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, module, by):
    assert set(failures(module)) == {*by}


@pytest.mark.parametrize("module", [Linear(), Centred(), Linear(1)], ids=repr)
def test_what_is_right_passes(failures, module):
    assert failures(module) == {}


class EndsElsewhere(Linear):
    """Its links end in more numbers than its output_shape says."""

    def links(self):
        return ("", Linear(self.units)), ("wider", Linear(self.units + 1))


def test_links_that_end_in_another_shape_are_caught(failures):
    assert "should end in rows of shape" in failures(EndsElsewhere())["shapes_are_those_announced"].found


def test_the_width_is_named(failures):
    failed = failures(OneUnit())["shapes_and_gradients_are_right_at_any_width"]
    assert failed.found.startswith("W[")
    assert failed.example.splitlines()[0].startswith("OneUnit(units=1), 3 rows of 5 features")


def test_among_many_rows_the_smallest_number_that_fails_is_shown(failures):
    failed = failures(PositionOfRow())["rows_do_not_depend_on_each_other_in_prediction"]
    assert failed.example.startswith("6 rows of 1 feature")
