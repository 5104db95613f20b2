"""Modules with one slip each: the check that is there for it finds it, and no others but those that see it as well."""

from typing import ClassVar

import numpy as np
import pytest
from support.layers import Affine, Noise

from modnet import Module, Parameter
from modnet.initializers import Ones, Zeros
from modnet.layers import Dense

GRADIENTS = {
    "gradients_agree_with_central_differences",
    "gradients_agree_for_small_and_large_inputs",
    "gradients_agree_for_many_rows",
    "shapes_and_gradients_are_right_at_any_width",
}
LEFT_OUT = {"no_rows_are_fine", "one_row_is_enough", "extreme_values_stay_finite"}
AXES = {"rows_of_several_axes_are_refused_or_right"}
LAST = {"the_last_axis_is_that_of_features"}


# Gradients


class MissingFactor(Affine):
    """Half of the gradient of W."""

    def grad_params(self, ctx, dy):
        super().grad_params(ctx, dy)
        ctx.g.W *= 0.5


class ForgottenBias(Affine):
    """No gradient of b."""

    def grad_params(self, ctx, dy):
        np.matmul(ctx.x.mT, dy, out=ctx.g.W)


class FirstRowBias(Affine):
    """The gradient of b from the first row only."""

    def grad_params(self, ctx, dy):
        super().grad_params(ctx, dy)
        ctx.g.b[...] = dy[..., :1, :].sum(axis=-2, keepdims=True)


class TransposedProduct(Affine):
    """Dx = dy W."""

    def grad_input(self, ctx, dy):
        return np.matmul(dy, ctx.p.W, out=ctx.dx)


class ForgottenPath(Module):
    """Y = x − mean(x), with dx = dy."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        return np.subtract(x, x.mean(axis=-1, keepdims=True), out=ctx.out)

    def grad_input(self, ctx, dy):
        return dy


class AddedGradient(Affine):
    """Adds to the gradient that is there."""

    def grad_params(self, ctx, dy):
        ctx.g.W += ctx.x.mT @ dy
        ctx.g.b += dy.sum(axis=-2, keepdims=True)


class BoundGradient(Affine):
    """Binds the gradient to the name."""

    def grad_params(self, ctx, dy):
        ctx.g.W = ctx.x.mT @ dy
        ctx.g.b = dy.sum(axis=-2, keepdims=True)


class CodesWithGradient(Affine):
    """Says that it takes codes, and has a derivative along them."""

    takes_codes: ClassVar[bool] = True
    takes_columns: ClassVar[bool] = True

    def example_rows(self, rng, n):
        return rng.integers(3, size=(n, 2)).astype(float)


# Shapes, dtypes, arrays


class WrongShape(Affine):
    """Announces a column too many."""

    def output_shape(self, input_shape):
        return (input_shape[-1] + 1,)

    def forward(self, ctx, x):
        return x @ ctx.p.W + ctx.p.b


class NoReturn(Affine):
    """Writes into ctx.out, and returns nothing."""

    def forward(self, ctx, x):
        np.matmul(x, ctx.p.W, out=ctx.out)


class Float64(Affine):
    """Multiplies with a number of NumPy's."""

    def forward(self, ctx, x):
        return super().forward(ctx, x) * np.float64(1.0)


class Float64Inside(Module):
    """Its dx is right by luck: there is a buffer for it."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        return np.multiply(x, 2.0, out=ctx.out)

    def grad_input(self, ctx, dy):
        return np.multiply(dy, np.full(dy.shape, 2.0), out=ctx.dx)


class WritesIntoX(Affine):
    """Centres x where it lies."""

    def forward(self, ctx, x):
        x -= 1.0
        return super().forward(ctx, x)


class WritesIntoDy(Affine):
    """Doubles dy where it lies."""

    def grad_input(self, ctx, dy):
        dx = np.matmul(dy, ctx.p.W.mT, out=ctx.dx)
        dy *= 2
        return dx


class WritesIntoParameters(Affine):
    """Moves its bias while it runs."""

    def forward(self, ctx, x):
        ctx.p.b += 0.0
        return super().forward(ctx, x)


class ZeroBuffer(Affine):
    """Expects ctx.out to hold zeros."""

    def forward(self, ctx, x):
        if ctx.out is None:
            return x @ ctx.p.W + ctx.p.b
        ctx.out[ctx.out != ctx.out] = 1.0
        ctx.out[...] = x @ ctx.p.W + ctx.p.b + ctx.out * 0 + (ctx.out == 1.0)
        return ctx.out


class ReadsTooLittle(Affine):
    """Looks at x without saying so."""

    reads: ClassVar[frozenset[str]] = frozenset()


class KeepsX(Affine):
    """Keeps x on its own, in scratch memory that is x itself."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def forward(self, ctx, x):
        ctx._scratch["x"] = x
        return super().forward(ctx, x)

    def grad_params(self, ctx, dy):
        ctx.x = ctx._scratch["x"]
        super().grad_params(ctx, dy)


class NoRows(Affine):
    """Y = x − mean of the batch in training, which no rows have."""

    def forward(self, ctx, x):
        return super().forward(ctx, x - x.sum(axis=-2, keepdims=True) / x.shape[-2] * 0)


class Overflow(Module):
    """Y = log(1 + e^x), as it is written."""

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        return np.log(1 + np.exp(x))

    def grad_input(self, ctx, dy):
        return dy / (1 + np.exp(-ctx.x))


# State, randomness, rows, threads


class KeepsOnClass(Affine):
    """Keeps the last batch on the class."""

    last: ClassVar[object] = None

    def forward(self, ctx, x):
        type(self).last = x.sum()
        return super().forward(ctx, x)


class KeepsOnItself(Affine):
    """Keeps its output on itself."""

    def forward(self, ctx, x):
        object.__setattr__(self, "y", super().forward(ctx, x))
        return self.y


class KeepsForBackward(Affine):
    """Takes x for the gradient from where it was put by the last pass."""

    last: ClassVar[list] = [None]

    def forward(self, ctx, x):
        self.last[0] = x
        return super().forward(ctx, x)

    def grad_params(self, ctx, dy):
        ctx.x = self.last[0]
        super().grad_params(ctx, dy)


BUFFER = {}


class SharedBuffer(Affine):
    """Lays its rows into memory that all passes share."""

    def forward(self, ctx, x):
        BUFFER[x.shape, x.dtype] = x.copy()
        return super().forward(ctx, x)

    def grad_params(self, ctx, dy):
        ctx.x = BUFFER[ctx.x.shape, ctx.x.dtype]
        super().grad_params(ctx, dy)


class StaleScratch(Affine):
    """Sums up in scratch memory that it never clears."""

    def forward(self, ctx, x):
        seen = ctx.scratch("seen", (1,), x.dtype)
        if not ctx._scratch.get("used"):
            seen[0] = 0
            ctx._scratch["used"] = True
        seen += 1
        return super().forward(ctx, x) * seen[0] / seen[0] + (seen[0] > 1)


class GlobalNoise(Noise):
    """Draws from numpy.random."""

    def draw(self, ctx, x):
        return np.random.normal(size=x.shape) if ctx.training else 0  # noqa: NPY002


class OwnNoise(Noise):
    """Draws from a generator of its own."""

    def draw(self, ctx, x):
        return np.random.default_rng().normal(size=x.shape) if ctx.training else 0


class NoiseAlways(Noise):
    """Draws in prediction, too."""

    def draw(self, ctx, x):
        return ctx.rng.normal(size=x.shape)


class MovesInPrediction(Noise):
    """Counts rows in its state, whatever the mode."""

    def parameters(self, input_shape):
        return {"count": Parameter((1, 1), Zeros(), trainable=False)}

    def draw(self, ctx, x):
        ctx.s.count += x.shape[-2]
        return 0


class LooksAtOtherRows(Noise):
    """Takes the mean of the batch off in prediction."""

    def draw(self, ctx, x):
        return -x.mean(axis=-2, keepdims=True) if x.size else 0

    def grad_input(self, ctx, dy):
        return dy - dy.mean(axis=-2, keepdims=True) if dy.size else dy


class AdaptsAnew(Noise):
    """Takes the mean of the last block off."""

    adapts: ClassVar[bool] = True

    def parameters(self, input_shape):
        return {"mean": Parameter((1, *input_shape), Ones(), trainable=False)}

    def adapt(self, ctx, blocks):
        for x, weight in blocks:
            ctx.s.mean[...] = np.average(x, axis=-2, weights=weight)

    def draw(self, ctx, x):
        return -ctx.s.mean


class NotSparse(Affine):
    """Says that it takes sparse rows."""

    takes_sparse: ClassVar[bool] = True


class MissingThrough(Affine):
    """Says that it takes missing values."""

    takes_missing: ClassVar[bool] = True


BROKEN = [
    (MissingFactor(), GRADIENTS, set()),
    (ForgottenBias(), {"every_gradient_is_written"}, {*GRADIENTS, *LEFT_OUT}),
    (FirstRowBias(), GRADIENTS, set()),
    (TransposedProduct(), GRADIENTS, set()),
    (ForgottenPath(), GRADIENTS, AXES),
    (AddedGradient(), {"every_gradient_is_written"}, {*GRADIENTS, *LEFT_OUT}),
    (BoundGradient(), {"every_gradient_is_written", "views_are_written_into"}, {*GRADIENTS, *LEFT_OUT}),
    (CodesWithGradient(), {"gradients_agree_with_central_differences"}, set()),
    (NoReturn(), {"shapes_are_those_announced"}, None),
    (WrongShape(), {"shapes_are_those_announced"}, None),
    (Float64(), {"dtype_is_kept"}, {"float32_agrees_with_float64", "extreme_values_stay_finite"}),  # no pass ends
    (Float64Inside(), {"dtype_is_kept"}, set()),
    (WritesIntoX(), {"arguments_are_only_read"}, None),
    (WritesIntoDy(), {"arguments_are_only_read"}, None),
    (WritesIntoParameters(), {"arguments_are_only_read"}, set()),
    (ZeroBuffer(), {"buffers_make_no_difference"}, None),
    (ReadsTooLittle(), {"reads_names_what_the_gradients_look_at"}, None),
    (KeepsX(), {"reads_names_what_the_gradients_look_at"}, set()),
    (NoRows(), {"no_rows_are_fine"}, set()),
    (Overflow(), {"extreme_values_stay_finite"}, set()),
    (KeepsOnClass(), {"the_component_keeps_nothing"}, set()),
    (KeepsOnItself(), {"the_component_keeps_nothing"}, None),
    (KeepsForBackward(), {"the_component_keeps_nothing", "threads_do_not_meet"}, {"one_pass_is_like_another"}),
    (SharedBuffer(), {"threads_do_not_meet"}, set()),
    (StaleScratch(), {"one_pass_is_like_another"}, GRADIENTS),
    (GlobalNoise(), {"randomness_comes_from_the_context"}, None),
    (OwnNoise(), {"randomness_comes_from_the_context", "one_pass_is_like_another"}, None),
    (NoiseAlways(), {"prediction_is_a_function_of_the_rows"}, None),
    (MovesInPrediction(), {"prediction_is_a_function_of_the_rows"}, LAST),
    (LooksAtOtherRows(), {"rows_do_not_depend_on_each_other_in_prediction"}, LAST),
    (AdaptsAnew(), {"adapting_in_blocks_is_adapting_at_once"}, AXES | LAST),
    (NotSparse(), {"sparse_rows_give_what_dense_rows_give"}, set()),
    (MissingThrough(), {"missing_values_give_finite_results"}, set()),
]


@pytest.mark.parametrize(("module", "by", "also"), BROKEN, ids=[type(each[0]).__name__ for each in BROKEN])
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, module, by, also):
    found = set(failures(module))
    assert by <= found
    if also is not None:  # else it breaks nearly everything
        assert found <= by | also


@pytest.mark.parametrize("module", [Affine(), Noise(), Dense(3)], ids=repr)
def test_what_is_right_passes(failures, module):
    assert failures(module) == {}
