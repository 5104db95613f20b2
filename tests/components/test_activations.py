"""Activations by themselves: saturation and kinks, without a network around them."""

import numpy as np
import pytest
import scipy.special

from modnet import activations
from modnet.activations import ReLU, Sigmoid, Softmax, Tanh
from modnet.testing import check_gradient


def derivative(activation, z, a, da):
    """Return dz; what the class does not read is None, as in a network."""
    reads = activation.reads
    return activation.df(z if "x" in reads else None, a if "y" in reads else None, da)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("saturating", "expected"),
    [(Sigmoid(), [0.0, 0.5, 1.0]), (Tanh(), [-1.0, 0.0, 1.0]), (Softmax(), [0.0, 0.0, 1.0])],
    ids=repr,
)
def test_saturation_is_exact_and_its_gradient_finite(saturating, expected, dtype):
    z = np.array([[-1e4, 0.0, 1e4]], dtype)
    a = saturating.f(z)
    np.testing.assert_array_equal(a, np.array([expected], dtype))
    dz = derivative(saturating, z, a, np.ones_like(z))
    assert dz[0, 0] == dz[0, 2] == 0
    assert np.isfinite(dz).all()


def test_softmax_of_equal_extremes_is_uniform():
    for extreme in (-1e4, 1e4):
        np.testing.assert_allclose(Softmax().f(np.full((1, 4), extreme)), 0.25, rtol=1e-15)


def test_sigmoid_and_softmax_agree_with_scipy():
    z = np.random.default_rng(0).normal(scale=10, size=(50, 7))
    np.testing.assert_allclose(Sigmoid().f(z), scipy.special.expit(z), rtol=0, atol=4e-16)
    np.testing.assert_allclose(Softmax().f(z), scipy.special.softmax(z, axis=-1), rtol=1e-13)


def test_relu_has_a_slope_on_either_side_of_its_kink():
    z = np.array([[-1e-3, 1e-3, -2.0, 2.0]])
    dz = derivative(ReLU(), z, ReLU().f(z), np.ones_like(z))
    check_gradient(lambda z: float(np.sum(ReLU().f(z))), z, dz)
    np.testing.assert_array_equal(dz, [[0.0, 1.0, 0.0, 1.0]])


def test_relu_has_slope_zero_at_its_kink():
    z = np.array([[0.0, -0.0]])
    np.testing.assert_array_equal(derivative(ReLU(), z, ReLU().f(z), np.ones_like(z)), [[0.0, 0.0]])


CLASSES = [each for each in vars(activations).values() if isinstance(each, type)]


@pytest.mark.parametrize(
    "activation", [each for cls in CLASSES for each in cls.examples() if each.formulas() is not None], ids=repr
)
def test_formulas_of_one_number_say_what_f_and_df_do(activation):
    z = np.linspace(-20, 20, 161)
    a = activation.f(z)
    f, df = activation.formulas()
    np.testing.assert_allclose([f(each) for each in z.tolist()], a, rtol=1e-12, atol=1e-12)
    slopes = [df(*each) for each in zip(z.tolist(), a.tolist(), strict=True)]
    np.testing.assert_allclose(slopes, derivative(activation, z, a, np.ones_like(z)), rtol=1e-12, atol=1e-12)


def test_few_standard_activations_have_no_formulas():
    without = {cls.__name__ for cls in CLASSES if all(each.formulas() is None for each in cls.examples())}
    assert without == {"Exponential", "Identity", "LogSoftmax", "Sine", "Softmax", "Sparsemax"}
