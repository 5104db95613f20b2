"""The contract of modules: gradients, shapes and dtypes, buffers, what may be read; and all that at other sizes.

Those are few and many rows, widths of one and two, extreme numbers and other orders of memory.
"""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from modnet.base import Module
from modnet.errors import ContractError, InputError, InvalidSpecError, ModNetError, ShapeError
from modnet.spec import ModelSpec
from modnet.testing.comparing import CheckFailed, element, expect
from modnet.testing.problems import Problem, check_along_lines, check_problem, for_problems
from modnet.testing.rules import Rules, for_cases, guarded, tried

RULES = Rules()
FLOATS = (np.float32, np.float64)
MANY = 70
"""So many rows are more than two blocks of 32, in which statistics may be taken."""

REFUSED = contextlib.suppress(ShapeError, InputError)
"""A context in which a module may refuse rows that it cannot take."""

_EXTREMES = np.array([1e4, -1e4, 0.0, 700.0, -700.0, 89.0, -89.0, 1e-30, 30.0, -30.0])


@RULES.add(for_problems(rows=(4, 1)))
def gradients_agree_with_central_differences(problem: Problem) -> None:
    """∂J/∂x and ∂J/∂θ are the derivatives of J = Σ dy ∘ y, to 1e-6 in float64; along codes they are zero.

    Usually: a factor or a sign left out, a transposed product, rows not summed for a bias, dy not passed through, or a
    path from x to y (a mean, a norm) that the derivative forgets
    """
    check_problem(problem)


@RULES.add(for_problems(rows=(3,), scale=(1e-3, 30.0)), applies=lambda module: not module.takes_codes)
def gradients_agree_for_small_and_large_inputs(problem: Problem) -> None:
    """The gradients are right for inputs of size 1e-3 and 30 as well, where the module takes them.

    Usually: a factor or a sign left out, a transposed product, rows not summed for a bias, dy not passed through, or a
    path from x to y (a mean, a norm) that the derivative forgets
    """
    with REFUSED:
        check_problem(problem)


@RULES.add(for_problems(rows=(4, 1)))
def shapes_are_those_announced(problem: Problem) -> None:
    """The shape of y is (n, *output_shape), and that of dx is the shape of x.

    Usually: output_shape and forward disagree, or an axis was summed away: sums over rows need keepdims=True
    """
    expect_shapes(problem)


@RULES.add(for_problems())
def every_gradient_is_written(problem: Problem) -> None:
    """grad_params writes every element of ctx.g.<name>; what was there before does not count.

    Usually: a name that was bound anew (ctx.g.W = …) in place of written to, or ctx.g.W += …: it holds no zeros before
    """
    gradient = problem.run().gradient
    for name, place in problem.network.layout.places.items():
        unwritten = np.isnan(place.view(gradient)).sum()
        expect(not unwritten, f"{problem.short(name)}: {unwritten} elements of the gradient are not written")


@RULES.add(for_problems(dtype=FLOATS))
def dtype_is_kept(problem: Problem) -> None:
    """y, ∂J/∂θ and dx have the dtype of θ, float32 or float64.

    Usually: a np.float64 among float32 arrays, np.zeros(shape) without a dtype, or an axis of x turned into integers
    """
    dtype = problem.theta.dtype
    for results in (problem.run(), problem.run(buffers=False)):
        for name, array in problem.named(results).items():
            expect(array.dtype == dtype, f"{name} has dtype {array.dtype}, θ and x have {dtype}")


@RULES.add(for_problems(dtype=(np.float32,)))
def float32_agrees_with_float64(problem: Problem) -> None:
    """In float32 results are those of float64 to 1e-3; where training is random, in prediction.

    Usually: numbers that cancel, a power or exponential that leaves float32's range (3e38), or an epsilon below its
    1e-7
    """
    y, other = (problem.run(rng=np.random.default_rng(seed)).y for seed in (1, 2))
    if problem.training and not np.array_equal(y, other, equal_nan=True):
        return
    exact = problem.astype(np.float64).run()
    problem.expect_same(problem.run(), exact, "in float32", "in float64", rtol=1e-3, atol=1e-3)


@RULES.add(for_problems())
def arguments_are_only_read(problem: Problem) -> None:
    """x, dy and the parameters are only read, and so is y on the way back.

    Usually: x or dy taken as scratch memory (x -= …, out=x, np.exp(dy, out=dy)): write into ctx.out, ctx.dx or
    ctx.scratch
    """
    for buffers in (True, False):
        with guarded(problem.x, problem.dy, problem.theta):
            _, chain, contexts, _, _ = problem.running(buffers=buffers)
            y = chain.forward(problem.x)
            links = zip(problem.network.links, contexts, strict=True)
            with guarded(y, *(getattr(ctx, name) for link, ctx in links for name in link.module.reads)):
                chain.grad_params(problem.dy)
                chain.grad_input()


@RULES.add(for_problems())
def views_are_written_into(problem: Problem) -> None:
    """ctx.p, ctx.g and ctx.s hold the same arrays after a pass as before: they are views of the network's vectors.

    Usually: ctx.s.mean = …, which binds a new array to the name; the network's stays as it was: ctx.s.mean[...] = …
    """
    running = problem.running()
    spaces = {f"ctx.{name}": getattr(ctx, name) for ctx in running.contexts for name in ("p", "g", "s")}
    before = {name: dict(vars(space)) for name, space in spaces.items()}
    running.run(problem.x, problem.dy)
    for name, arrays in before.items():
        for key, array in arrays.items():
            expect(getattr(spaces[name], key) is array, f"{name}.{key} is another array after the pass")


@RULES.add(for_problems())
def buffers_make_no_difference(problem: Problem) -> None:
    """With ctx.out and ctx.dx to write into, whatever they hold, and without them the results are the same.

    Usually: a result in an array of its own where another is returned, or a buffer that is expected to hold zeros
    """
    with_, without = problem.run(), problem.run(buffers=False)
    problem.expect_same(with_, without, "with buffers of NaN", "without buffers", rtol=1e-12, atol=1e-14)


@RULES.add(for_problems())
def reads_names_what_the_gradients_look_at(problem: Problem) -> None:
    """Gradients look at x and y only where `reads` names them; the memory of the others is used again.

    Usually: reads leaves out what a gradient looks at, or an array that a method was given is kept beyond the call
    """
    reads = problem.network.links[0].module.reads
    expect(reads <= {"x", "y"}, f"reads should hold nothing but 'x' and 'y', got {set(reads)}")
    try:
        expected = problem.run()
    except ContractError as error:
        if error.__cause__ is not None:  # the module raised something of its own
            raise
        raise CheckFailed(f"reads is {set(reads) or '{}'}, and {error}") from error
    pass_ = problem.running()
    if len(pass_.contexts) > 1 or pass_.contexts[0].children:
        return  # links in between read what is theirs
    x = problem.x.copy()
    y = pass_.chain.forward(x)
    if y is not x:
        for name, array in {"x": x, "y": y}.items():
            if name not in reads:
                array.fill(np.nan)
    pass_.chain.grad_params(problem.dy)
    dx = pass_.chain.grad_input()
    used = f"with {' and '.join(sorted({'x', 'y'} - reads))} overwritten"
    found = expected._replace(gradient=pass_.gradient, dx=dx)
    problem.expect_same(found, expected, used, "as they were", rtol=1e-12)


@RULES.add(for_problems(rows=(0,)))
def no_rows_are_fine(problem: Problem) -> None:
    """An empty batch gives an empty output and gradients of zero, and leaves the state finite.

    Usually: a mean over rows that divides by zero, or x.reshape(-1, …), which cannot tell how wide no rows are
    """
    results = problem.run()
    expect_shapes(problem)
    zero = results._replace(gradient=np.zeros_like(results.gradient))
    problem.expect_same(results, zero, "for no rows", "should be")
    expect(np.isfinite(results.state).all(), f"the state became {results.state}")


def _extreme(module: Module, dtype: Any, training: bool, row: int | None) -> Problem:
    """Return a problem whose rows are extreme, or one of the rows alone."""
    problem = Problem.of(module, len(_EXTREMES) + 2, dtype=dtype, training=training)
    problem.x[:-2].T[...] = _EXTREMES
    problem.x[-2:] = np.resize(_EXTREMES, problem.x[-2:].shape)
    chosen = slice(row, None if row is None else row + 1)
    return problem.replaced(x=problem.x[chosen], dy=problem.dy[chosen])


_FOR_EXTREMES = for_cases(
    _extreme,
    lambda module: {"dtype": FLOATS, "training": (False, True), "row": (None,)},
    lambda module, case: [{"row": row} for row in range(len(_EXTREMES) + 2)],
)


@RULES.add(_FOR_EXTREMES)
def extreme_values_stay_finite(problem: Problem) -> None:
    """Inputs up to ±1e4 give finite results and no warnings, in float32, too; or an error of modnet's.

    Usually: exp of a large number, 0 · inf or inf − inf: work with exp(−|x|), subtract the maximum, clip before the
    power
    """
    with REFUSED:
        expect_finite(problem)


def expect_finite(problem: Problem) -> None:
    """Expect that all results are finite."""
    for name, array in problem.named(problem.run()).items():
        wrong = np.argwhere(~np.isfinite(array))
        if len(wrong):
            raise CheckFailed(f"{element(name, tuple(wrong[0]))} is {array[tuple(wrong[0])]}")


def expect_shapes(problem: Problem) -> None:
    """Expect that y has the shape that was announced, and dx the shape of x."""
    results = problem.run()
    for name, array, shape in (("y", results.y, problem.dy.shape), ("dx", results.dx, problem.x.shape)):
        expect(array.shape == shape, f"{name} has shape {array.shape}, not {shape}")


@RULES.add(applies=lambda module: module.takes_codes or module.takes_columns, of_the_class=True)
def no_plan_for_columns_stands_in_front_of_it(module: Module) -> None:
    """A layer that takes codes goes by the user's columns and says so: a plan for columns in front stands aside.

    Usually: takes_codes without takes_columns: behind a plan there are numbers near zero in place of codes
    """
    expect(module.takes_columns, "takes_codes is set, and takes_columns is not")
    spec = ModelSpec(layers=(module,)).without_plan()
    expect(spec.inputs is None, f"{spec.inputs!r} stays in front of it")


# Other sizes


@RULES.add(for_problems(rows=(1,)))
def one_row_is_enough(problem: Problem) -> None:
    """A batch of one row, such as the last of an epoch may be, gives finite results and leaves the state finite.

    Usually: a variance with n − 1, a correction n / (n − 1) or a mean of the other rows: a single row has none
    """
    expect_finite(problem)


@RULES.add(for_problems())
def memory_order_makes_no_difference(problem: Problem) -> None:
    """The results are the same however x and dy lie in memory: what users pass reaches the first layer as it is.

    Usually: x.ravel("K"), order="A", or strides taken for granted: np.ascontiguousarray(x) where the order matters
    """
    expected, x, dy = problem.run(), problem.x, problem.dy
    for how, laid_x, laid_dy in (
        ("in Fortran order", np.asfortranarray(x), np.asfortranarray(dy)),
        ("cut out of larger ones", np.repeat(x, 2, axis=-1)[..., ::2], np.repeat(dy, 2, axis=-1)[..., ::2]),
    ):
        found = problem.replaced(x=laid_x, dy=laid_dy).run()
        problem.expect_same(found, expected, f"for x and dy {how}", "in C order", rtol=1e-12, atol=1e-13)


@RULES.add(for_problems(rows=(MANY,)))
def gradients_agree_for_many_rows(problem: Problem) -> None:
    """The gradients are right for batches of 70 rows as well.

    Usually: blocks of rows that are joined in a wrong way, or a sum over the first block only
    """
    check_along_lines(problem)


@RULES.add()
def shapes_and_gradients_are_right_at_any_width(module: Module) -> None:
    """With one or two features, one or two units, or as many features as units, shapes and gradients are right.

    Usually: output_shape and forward that disagree, `units` and features mixed up, np.squeeze, or a branch of its own
    for one unit: the axes are (rows, features)
    """
    for variant in _variants(module):
        try:
            with REFUSED:
                example = variant.example_rows(np.random.default_rng(0), 1)
                widths = (None, 1, 2, variant.output_shape(example.shape[1:])[-1])
                for width, training in itertools.product(widths, (False, True)):
                    with REFUSED:
                        case = {"rows": 3, "features": width, "training": training}
                        tried(_right, partial(Problem.of, variant), case, [{"rows": 1}])
        except CheckFailed as failed:
            failed.example = f"{variant!r}, {failed.example}"
            raise


@RULES.add(applies=lambda module: module.example_rows(np.random.default_rng(0), 1).ndim > 2)
def other_lengths_of_axes_are_refused_or_right(module: Module) -> None:
    """Where its rows have several axes, shapes and gradients are right at other lengths than those of `example_rows`.

    Usually: height and width mixed up, which nobody sees of squares, or windows that leave something over at the end
    """
    rows = module.example_rows(np.random.default_rng(3), 24)
    for axis, training in itertools.product(range(1, rows.ndim - 1), (False, True)):
        for length in (1, 2, rows.shape[axis] + 1):
            x = np.concatenate(np.split(rows, 2), axis=axis).take(np.arange(length), axis=axis)
            with REFUSED:
                case = {"x": x[:3], "training": training}
                tried(_right, partial(Problem, [module], data=x[3:]), case, [{"x": x[:1]}])


@RULES.add()
def rows_of_several_axes_are_refused_or_right(module: Module) -> None:
    """Where `output_shape` accepts rows of shape (2, n), shapes and gradients are right for them.

    Usually: only rows of one axis in mind: let output_shape raise ShapeError where len(input_shape) is not 1
    """
    rng = np.random.default_rng(1)
    rows = module.example_rows(rng, 18)
    x = rows.reshape(9, 2, *rows.shape[1:])
    try:
        module.output_shape(x.shape[1:])
    except ModNetError:
        return
    for training in (False, True):
        case = {"x": x[:3], "training": training}  # others than those it adapts to: kinks may lie there
        tried(_right, partial(Problem, [module], data=x[3:]), case, [{"x": x[:1]}])


@RULES.add()
def the_last_axis_is_that_of_features(module: Module) -> None:
    """Rows of shape (2, n) are to it what two rows of shape (n,) are each, if it takes both with the same parameters.

    Usually: a mean, a sum or a norm over axis 0 or over a whole row: features are axis −1, rows are all the others
    """
    x = module.example_rows(np.random.default_rng(2), 12)
    x = x.reshape(6, 2, *x.shape[1:])
    for training in (False, True):
        with REFUSED:
            case = {"x": x, "training": training}
            tried(_alike_at_every_position, partial(Problem, [module]), case, [{"x": x[:2]}])


def _alike_at_every_position(problem: Problem) -> None:
    """Expect of a problem, if its module works on features, what it gives for all positions as rows."""
    x, training = problem.x, problem.training
    flat = Problem(problem.modules, x.reshape(-1, *x.shape[2:]), training=training)
    several, one = problem.network, flat.network
    layouts = [(each.layout.places, each.state_layout.places) for each in (several, one)]
    if several.output_shape != (x.shape[1], *one.output_shape) or layouts[0] != layouts[1]:
        return  # it works on whole rows
    y, other = (problem.run(rng=np.random.default_rng(seed)).y for seed in (1, 2))
    if training and not np.array_equal(y, other, equal_nan=True):
        return
    expected = flat.replaced(dy=problem.dy.reshape(flat.dy.shape)).run()
    expected = expected._replace(y=expected.y.reshape(y.shape), dx=expected.dx.reshape(x.shape))
    shapes = (f"for rows of shape {network.input_shape}" for network in (several, one))
    problem.expect_same(problem.run(), expected, *shapes, rtol=1e-9, atol=1e-11)


def _right(problem: Problem) -> None:
    expect_shapes(problem)
    check_along_lines(problem)


def _variants(module: Module) -> Iterator[Module]:
    """Return a module, and what it is with 1 or 2 in place of each whole number among its fields."""
    yield module
    for field in dataclasses.fields(module):
        value = getattr(module, field.name)
        for other in {1, 2} - {value} if type(value) is int else ():
            with contextlib.suppress(InvalidSpecError):
                changes: dict[str, Any] = {field.name: other}
                yield dataclasses.replace(module, **changes)
