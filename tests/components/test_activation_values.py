"""Activations against their formulas: values by SciPy and by hand, kinks, far out, and fields out of range."""

import math

import numpy as np
import pytest
from scipy.special import erf, expit, log_expit, log_softmax

from modnet import activations as A
from modnet.errors import InvalidSpecError
from modnet.layers import Dense
from modnet.registry import registry

Z = np.concatenate([np.linspace(-30, 30, 1201), np.random.default_rng(0).normal(scale=3, size=200)])
INF = math.inf

FORMULAS = {
    A.CELU(0.5): lambda z: np.maximum(0, z) + np.minimum(0, 0.5 * np.expm1(z / 0.5)),
    A.ELU(2.0): lambda z: np.where(z > 0, z, 2 * np.expm1(z)),
    A.Exponential(): np.exp,
    A.GELU(): lambda z: 0.5 * z * (1 + erf(z / np.sqrt(2))),
    A.GELU("sigmoid"): lambda z: z * expit(1.702 * z),
    A.GELU("tanh"): lambda z: 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    A.HardShrink(0.5): lambda z: np.where(np.abs(z) > 0.5, z, 0),
    A.HardSigmoid(): lambda z: np.clip((z + 3) / 6, 0, 1),
    A.HardSwish(): lambda z: z * np.clip((z + 3) / 6, 0, 1),
    A.HardTanh(-2, 0.5): lambda z: np.clip(z, -2, 0.5),
    A.LeakyReLU(0.2): lambda z: np.where(z > 0, z, 0.2 * z),
    A.LogSigmoid(): log_expit,
    A.Mish(): lambda z: z * np.tanh(np.logaddexp(0, z)),
    A.ReLU6(): lambda z: np.clip(z, 0, 6),
    A.ReLUSquared(): lambda z: np.maximum(z, 0) ** 2,
    A.SELU(): lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
    A.SiLU(): lambda z: z * expit(z),
    A.Sine(7.0): lambda z: np.sin(7 * z),
    A.SoftShrink(0.5): lambda z: np.sign(z) * np.maximum(np.abs(z) - 0.5, 0),
    A.Softplus(2.0): lambda z: np.logaddexp(0, 2 * z) / 2,
    A.Softsign(): lambda z: z / (1 + np.abs(z)),
    A.SparsePlus(): lambda z: np.select([z <= -1, z < 1], [0, (z + 1) ** 2 / 4], z),
    A.Squareplus(0.3): lambda z: (z + np.sqrt(z * z + 0.3)) / 2,
    A.TanhShrink(): lambda z: z - np.tanh(z),
    A.Threshold(1.0, -2.0): lambda z: np.where(z > 1, z, -2),
}

AT_INFINITY = {  # (a, σ') at −∞, (a, σ') at +∞
    A.CELU(0.5): ((-0.5, 0), (INF, 1)),
    A.ELU(2.0): ((-2, 0), (INF, 1)),
    A.GELU(): ((0, 0), (INF, 1)),
    A.GELU("sigmoid"): ((0, 0), (INF, 1)),
    A.GELU("tanh"): ((0, 0), (INF, 1)),
    A.HardShrink(): ((-INF, 1), (INF, 1)),
    A.HardSigmoid(): ((0, 0), (1, 0)),
    A.HardSwish(): ((0, 0), (INF, 1)),
    A.HardTanh(-2, 0.5): ((-2, 0), (0.5, 0)),
    A.Identity(): ((-INF, 1), (INF, 1)),
    A.LeakyReLU(0.2): ((-INF, 0.2), (INF, 1)),
    A.LogSigmoid(): ((-INF, 1), (0, 0)),
    A.Mish(): ((0, 0), (INF, 1)),
    A.ReLU(): ((0, 0), (INF, 1)),
    A.ReLU6(): ((0, 0), (6, 0)),
    A.ReLUSquared(): ((0, 0), (INF, INF)),
    A.SELU(): ((-1.7580993408473766, 0), (INF, 1.0507009873554805)),
    A.Sigmoid(): ((0, 0), (1, 0)),
    A.SiLU(): ((0, 0), (INF, 1)),
    A.SoftShrink(): ((-INF, 1), (INF, 1)),
    A.Softplus(2.0): ((0, 0), (INF, 1)),
    A.Softsign(): ((-1, 0), (1, 0)),
    A.SparsePlus(): ((0, 0), (INF, 1)),
    A.Squareplus(0.3): ((0, 0), (INF, 1)),
    A.Tanh(): ((-1, 0), (1, 0)),
    A.TanhShrink(): ((-INF, 1), (INF, 1)),
    A.Threshold(1.0, -2.0): ((-2, 0), (INF, 1)),
}


def slope(chosen, z):
    """Return σ'(z), element by element."""
    z = np.asarray(z)
    a, reads = chosen.f(z), chosen.reads
    return chosen.df(z if "x" in reads else None, a if "y" in reads else None, np.ones_like(z))


def standard():
    """Return every standard activation by name, with its examples."""
    classes = {e.name: registry.get("activation", e.name) for e in registry.entries("activation")}
    return {name: cls for name, cls in classes.items() if cls.__module__.startswith("modnet_standard.")}


# Values


@pytest.mark.parametrize("chosen", FORMULAS, ids=repr)
def test_values_are_those_of_the_formula(chosen):
    np.testing.assert_allclose(chosen.f(Z), FORMULAS[chosen](Z), rtol=1e-12, atol=1e-14)


def test_every_standard_activation_has_its_formula_here():
    rowwise_or_tested_elsewhere = {A.Identity, A.LogSoftmax, A.ReLU, A.Sigmoid, A.Softmax, A.Sparsemax, A.Tanh}
    assert {*map(type, FORMULAS)} | rowwise_or_tested_elsewhere == set(standard().values())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A.CELU(), A.ELU()),
        (A.HardShrink(0.0), A.Identity()),
        (A.HardTanh(0, 6), A.ReLU6()),
        (A.LeakyReLU(0.0), A.ReLU()),
        (A.LeakyReLU(1.0), A.Identity()),
        (A.SoftShrink(0.0), A.Identity()),
        (A.Threshold(), A.ReLU()),
    ],
    ids=repr,
)
def test_relatives_are_equal_where_they_should_be(one, other):
    np.testing.assert_array_equal(one.f(Z), other.f(Z))
    np.testing.assert_allclose(slope(one, Z[Z != 0]), slope(other, Z[Z != 0]), rtol=1e-15, atol=1e-15)


def test_softplus_is_log_sigmoid_upside_down():
    np.testing.assert_array_equal(A.Softplus().f(Z), -A.LogSigmoid().f(-Z))


def test_approximations_of_gelu_are_as_close_as_promised():
    z = np.linspace(-10, 10, 20001)
    assert np.abs(A.GELU("tanh").f(z) - A.GELU().f(z)).max() < 0.0005
    assert np.abs(A.GELU("sigmoid").f(z) - A.GELU().f(z)).max() < 0.021


def test_selu_keeps_mean_and_variance():
    a = A.SELU().f(np.random.default_rng(0).normal(size=10**6))
    assert a.mean() == pytest.approx(0, abs=3e-3)
    assert a.var() == pytest.approx(1, abs=5e-3)


# Kinks


@pytest.mark.parametrize(
    ("chosen", "z", "expected"),
    [
        (A.ELU(0.5), [0.0], [0.5]),
        (A.HardShrink(), [-0.5, 0.5], [0, 0]),
        (A.HardSigmoid(), [-3.0, 3.0], [0, 0]),
        (A.HardSwish(), [-3.0, 3.0], [0, 1]),
        (A.HardTanh(), [-1.0, 1.0], [0, 0]),
        (A.LeakyReLU(0.1), [0.0], [0.1]),
        (A.ReLU6(), [0.0, 6.0], [0, 0]),
        (A.ReLUSquared(), [0.0], [0]),
        (A.SELU(), [0.0], [1.0507009873554805 * 1.6732632423543772]),
        (A.SoftShrink(), [-0.5, 0.5], [0, 0]),
        (A.SparsePlus(), [-1.0, 1.0], [0, 1]),
        (A.Threshold(1.0), [1.0], [0]),
    ],
    ids=lambda value: repr(value) if hasattr(value, "f") else "",
)
def test_slopes_at_kinks_are_those_promised(chosen, z, expected):
    for dtype in (np.float32, np.float64):
        np.testing.assert_array_equal(slope(chosen, np.array(z, dtype)), np.array(expected, dtype))


@pytest.mark.parametrize(
    "chosen",
    [A.CELU(0.3), A.ELU(), A.GELU(), A.Mish(), A.SiLU(), A.Softplus(), A.Softsign(), A.Squareplus()],
    ids=repr,
)
def test_smooth_ones_have_no_kink_at_zero(chosen):
    below, above = slope(chosen, [-1e-9, 1e-9])
    assert below == pytest.approx(above, abs=1e-7)


# Far out

PHI_12 = math.erfc(12 / math.sqrt(2)) / 2
FAR = [each for each in FORMULAS if not isinstance(each, A.Exponential | A.Sine)]


@pytest.mark.parametrize("chosen", FAR, ids=repr)
def test_far_out_values_and_slopes_are_right(chosen):
    formula, far = FORMULAS[chosen], np.array([-1e4, -300.0, -90.0, 90.0, 300.0, 1e4])
    h = 1e-3 * np.abs(far)
    absolute = 1e-8 if isinstance(chosen, A.Squareplus) else 1e-30  # its formula cancels, the class does not
    with np.errstate(over="ignore"):  # in branches that are not taken
        value, difference = formula(far), (formula(far + h) - formula(far - h)) / (2 * h)
    for dtype, rtol in ((np.float32, 1e-5), (np.float64, 1e-11)):
        z = far.astype(dtype)
        np.testing.assert_allclose(chosen.f(z), value, rtol=rtol, atol=absolute)
        np.testing.assert_allclose(slope(chosen, z), difference, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("chosen", AT_INFINITY, ids=repr)
def test_infinite_inputs_have_the_limits_of_value_and_slope(chosen):
    (a_below, slope_below), (a_above, slope_above) = AT_INFINITY[chosen]
    for dtype in (np.float32, np.float64):
        z = np.array([-INF, INF], dtype)
        with np.errstate(divide="ignore"):
            found = slope(chosen, z)
        np.testing.assert_array_equal(chosen.f(z), np.array([a_below, a_above], dtype))
        np.testing.assert_allclose(found, [slope_below, slope_above], rtol=1e-6)


def test_nan_is_passed_on():
    for chosen in (each for cls in standard().values() for each in cls.examples()):
        assert np.isnan(chosen.f(np.array([[1.0, np.nan]]))[0, 1]), chosen


@pytest.mark.parametrize(("dtype", "last"), [(np.float32, 88.0), (np.float64, 709.0)])
def test_the_exponential_stops_at_the_largest_float(dtype, last):
    z = np.array([-INF, -1e4, last, last + 1, 1e4, INF], dtype)
    a, largest = A.Exponential().f(z), np.finfo(dtype).max
    np.testing.assert_array_equal(a, [0, 0, np.exp(z[2]), largest, largest, largest])
    np.testing.assert_array_equal(slope(A.Exponential(), z), [0, 0, a[2], 0, 0, 0])


@pytest.mark.parametrize(
    ("chosen", "z", "a", "derivative"),
    [
        (A.GELU(), -12.0, -12 * PHI_12, PHI_12 - 12 * math.exp(-72) / math.sqrt(2 * math.pi)),
        (A.LogSigmoid(), 50.0, -math.exp(-50), math.exp(-50)),
        (A.Mish(), -50.0, -50 * math.exp(-50), -49 * math.exp(-50)),
        (A.Softplus(), -50.0, math.exp(-50), math.exp(-50)),
        (A.Softsign(), 1e4, 1e4 / 10001, 1 / 10001**2),
        (A.Squareplus(), -1e4, 1e-4, 1e-8),
        (A.Squareplus(), -1e8, 1e-8, 1e-16),
    ],
    ids=lambda value: repr(value) if hasattr(value, "f") else "",
)
def test_tails_keep_their_digits(chosen, z, a, derivative):
    for dtype, rtol in ((np.float32, 1e-4), (np.float64, 1e-7)):
        np.testing.assert_allclose(chosen.f(np.array([z], dtype)), a, rtol=rtol)
        np.testing.assert_allclose(slope(chosen, np.array([z], dtype)), derivative, rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_root_of_a_square_is_exact_so_that_squared_ones_need_no_z(dtype):
    z = np.abs(np.random.default_rng(0).normal(size=10**5)).astype(dtype)
    np.testing.assert_array_equal(slope(A.ReLUSquared(), z), 2 * z)


# Row by row


def test_log_softmax_is_that_of_scipy_also_far_out():
    z = np.array([[0.0, 1.0, -2.0], [1e4, -1e4, 0.0], [5.0, 5.0, 5.0]])
    np.testing.assert_allclose(A.LogSoftmax().f(z), log_softmax(z, axis=-1), rtol=1e-14)


def test_sparsemax_is_the_nearest_point_of_the_simplex():
    rng = np.random.default_rng(0)
    z = rng.normal(scale=2, size=(50, 6))
    p = A.Sparsemax().f(z)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    assert (p >= 0).all()
    assert (p == 0).any()
    others = rng.dirichlet(np.ones(6), size=(2000, 50))
    assert (np.square(p - z).sum(axis=1) <= np.square(others - z).sum(axis=2).min(axis=0)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparsemax_of_a_clear_winner_is_one_hot_and_of_equals_is_uniform(dtype):
    z = np.array([[1e4, 0.0, -1e4], [7.0, 7.0, 7.0], [-1e4, -1e4, -INF]], dtype)
    p = A.Sparsemax().f(z)
    np.testing.assert_allclose(p, [[1, 0, 0], [1 / 3] * 3, [0.5, 0.5, 0]], rtol=1e-6 if dtype == np.float32 else 1e-15)


def test_sparsemax_has_the_jacobian_of_the_paper():
    z = np.array([[1.0, 0.8, 0.1, -2.0]])
    s = np.array([1.0, 1.0, 0.0, 0.0])
    jacobian = np.diag(s) - np.outer(s, s) / s.sum()
    p = A.Sparsemax().f(z)
    np.testing.assert_allclose([A.Sparsemax().df(None, p, row[np.newaxis])[0] for row in np.eye(4)], jacobian)


# What they say about themselves

READS = {
    "": "identity",
    "x": "gelu hard_swish mish silu sine softsign tanh_shrink threshold",
}
RECOMMENDED = {
    "he": "celu elu gelu hard_swish leaky_relu mish relu relu6 relu_squared silu sine softplus sparse_plus squareplus "
    "threshold",
    "lecun": "selu",
}


def test_none_reads_more_than_it_needs():
    needed = {name: reads for reads, names in READS.items() for name in names.split()}
    assert {name: "".join(cls.reads) for name, cls in standard().items()} == {
        name: needed.get(name, "y") for name in standard()
    }


def test_rectifiers_recommend_hes_first_weights_and_selu_lecuns():
    recommended = {name: init for init, names in RECOMMENDED.items() for name in names.split()}
    assert {name: cls.recommended_init for name, cls in standard().items()} == {
        name: recommended.get(name, "glorot") for name in standard()
    }


@pytest.mark.parametrize("chosen", [A.Sine(), A.Threshold()], ids=repr)
def test_with_hes_weights_signals_survive_a_sine_and_a_threshold(chosen):
    rng = np.random.default_rng(0)
    a = rng.normal(size=(300, 200))
    for _ in range(12):
        z = a @ rng.normal(scale=np.sqrt(2 / 200), size=(200, 200))
        a = chosen.f(z)
    assert 0.5 < z.std() < 2


# Hyper-parameters

REFUSED = [
    (A.CELU, {"alpha": 0}, "alpha: should be greater than 0"),
    (A.CELU, {"alpha": -1}, "alpha: should be greater than 0"),
    (A.ELU, {"alpha": -1}, "alpha: should be greater than or equal to 0"),
    (A.ELU, {"alpha": math.inf}, "alpha: should be a finite number"),
    (A.GELU, {"approximate": "erf"}, "approximate: should be 'none', 'tanh' or 'sigmoid'"),
    (A.HardShrink, {"threshold": math.nan}, "threshold: should be a finite number"),
    (A.HardTanh, {"min_value": 1}, "min_value should be less than max_value, got 1.0 and 1.0"),
    (A.HardTanh, {"max_value": math.inf}, "max_value: should be a finite number"),
    (A.LeakyReLU, {"negative_slope": -0.1}, "negative_slope: should be greater than or equal to 0"),
    (A.LeakyReLU, {"negative_slope": 1.1}, "negative_slope: should be less than or equal to 1"),
    (A.Sine, {"omega": 0}, "omega: should be greater than 0"),
    (A.SoftShrink, {"threshold": -1}, "threshold: should be greater than or equal to 0"),
    (A.Softplus, {"beta": 0}, "beta: should be greater than 0"),
    (A.Squareplus, {"b": 0}, "b: should be greater than 0"),
    (A.Threshold, {"value": math.nan}, "value: should be a finite number"),
]


@pytest.mark.parametrize(("cls", "fields", "message"), REFUSED, ids=str)
def test_hyper_parameters_out_of_range_are_refused_by_name(cls, fields, message):
    with pytest.raises(InvalidSpecError, match=f"^{cls.__name__}: {message}"):
        cls(**fields)


@pytest.mark.parametrize(("cls", "fields", "message"), [REFUSED[0], REFUSED[6]], ids=str)
def test_in_a_layer_they_are_refused_with_the_path_to_them(cls, fields, message):
    path = r"activation\." if message.partition(":")[1] else "activation: "
    with pytest.raises(InvalidSpecError, match=f"^Dense: {path}{message}"):
        Dense(3, activation={"type": cls, **fields})
