"""What a fused version is offered of, and of what not: other classes, other fields, what has no formulas."""

import math
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Annotated

import numpy as np
import pytest

pytest.importorskip("numba")

from modnet_numba import Numba
from modnet_numba.activation import FusedActivation
from modnet_numba.cross_entropy import FusedCrossEntropy
from modnet_numba.dense import FusedDense, FusedDenseActivation
from modnet_numba.dropout import FusedDropout
from modnet_numba.embedding import FusedEmbedding
from modnet_numba.normalization import FusedNorm
from modnet_numba.optimizers import FusedOptimizer
from modnet_numba.squared_error import FusedSquaredError
from pydantic import Field

from modnet import Activation, Array, Fused, ModNetClassifier, ModNetRegressor, Module
from modnet.activations import Identity, ReLU, Sine, Softmax, Tanh
from modnet.layers import AlphaDropout, BatchNorm, Dense, Dropout, Embedding, LayerNorm, PReLU, RMSNorm
from modnet.losses import CrossEntropy, Huber, SquaredError
from modnet.optimizers import LBFGS, SGD, Adam
from modnet.registry import registry


class Cubic(Activation):
    """The cube with a slope, which offers its formulas: a = z³ + slope z."""

    slope: Annotated[float, Field(ge=0)] = 0.5

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z³ + slope z."""
        return np.add(z * z * z, self.slope * z, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (3 z² + slope) da."""
        return np.multiply(3 * z * z + self.slope, da, out=out)

    def formulas(self) -> tuple[Callable[[float], float], Callable[[float, float], float]]:
        """Return both."""
        slope = self.slope
        return lambda z: z**3 + slope * z, lambda z, a: 3 * z**2 + slope


class Quintic(Cubic):
    """A class that defines another f, and inherits formulas of which it knows nothing."""

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z⁵."""
        return np.power(z, 5, out=out)


class Swinging(Cubic):
    """A formula that would be slower than NumPy."""

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return sin z."""
        return np.sin(z, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return cos z da."""
        return np.multiply(np.cos(z), da, out=out)

    def formulas(self) -> tuple[Callable[[float], float], Callable[[float, float], float]]:
        """Return both."""
        return lambda z: math.sin(z), lambda z, a: math.cos(z)


class Wrong(Cubic):
    """Formulas of something else."""

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return 2 z."""
        return np.multiply(z, 2, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return 2 da."""
        return np.multiply(da, 2, out=out)

    def formulas(self) -> tuple[Callable[[float], float], Callable[[float, float], float]]:
        """Return others."""
        return lambda z: 3 * z, lambda z, a: 3


class Broken(Wrong):
    """Formulas that cannot be compiled."""

    def formulas(self) -> tuple[Callable[[float], float], Callable[[float, float], float]]:
        """Return what uses the object."""
        return lambda z: self.slope * z, lambda z, a: self.slope

    f, df = Wrong.f, Wrong.df


class OtherDense(Dense):
    """A subclass of which nothing is known."""


class OtherCrossEntropy(CrossEntropy):
    """A subclass of which nothing is known."""


class OtherAdam(Adam):
    """A subclass of which nothing is known."""


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        ([Dense(3)], Fused(FusedDense(Dense(3)))),
        ([Dense(3), Tanh(), Dense(1)], Fused(FusedDenseActivation(Dense(3), Tanh()), 2)),
        ([Dense(3), Identity()], Fused(FusedDense(Dense(3)), 2)),
        ([Dense(3), Softmax()], Fused(FusedDense(Dense(3)))),
        ([Dense(3), Sine()], Fused(FusedDense(Dense(3)))),
        ([Dense(3), Cubic(0.1)], Fused(FusedDenseActivation(Dense(3), Cubic(0.1)), 2)),
        ([Dense(3), Quintic()], Fused(FusedDense(Dense(3)))),
        ([Dense(3), Swinging()], Fused(FusedDense(Dense(3)))),
        ([Dense(3), BatchNorm(), ReLU()], Fused(FusedDense(Dense(3)))),
        ([ReLU()], Fused(FusedActivation(ReLU()))),
        ([Dropout(0.3)], Fused(FusedDropout(Dropout(0.3)))),
        ([BatchNorm()], Fused(FusedNorm(BatchNorm()))),
        ([LayerNorm()], Fused(FusedNorm(LayerNorm()))),
        ([RMSNorm()], Fused(FusedNorm(RMSNorm()))),
        ([Embedding(3), Dense(2)], Fused(FusedEmbedding(Embedding(3)))),
        ([OtherDense(3)], None),
        ([AlphaDropout()], None),
        ([PReLU()], None),
        ([Softmax()], None),
        ([Quintic()], None),
        ([Swinging()], None),
        ([Identity()], None),
    ],
)
def test_a_fused_module_is_offered_for_classes_that_are_known(modules: list[Module], expected: Fused | None):
    assert Numba().fuse(modules) == expected


def test_a_fused_module_has_the_parameters_of_its_original():
    for modules in ([Dense(3, kernel_initializer="he_normal")], [Dense(3), Tanh()], [BatchNorm()], [RMSNorm()]):
        fused = Numba().fuse(modules)
        assert fused.module.parameters((5,)) == modules[0].parameters((5,))
        assert fused.module.output_shape((5,)) == modules[0].output_shape((5,))


def test_fused_losses_and_optimizers_have_the_fields_of_their_originals():
    assert Numba().loss(CrossEntropy("sigmoid", 0.1)) == FusedCrossEntropy("sigmoid", 0.1)
    assert Numba().loss(SquaredError()) == FusedSquaredError()
    assert Numba().optimizer(SGD(0.3, momentum=0.5)) == FusedOptimizer.of(SGD(0.3, momentum=0.5))
    for other in (OtherCrossEntropy(), Huber()):
        assert Numba().loss(other) is None
    for other in (OtherAdam(), LBFGS()):
        assert Numba().optimizer(other) is None


def test_estimators_know_it_by_name():
    assert registry.get("accelerator", "numba") is Numba
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 3
    settings = {"early_stopping": False, "max_iter": 30, "tol": 0, "random_state": 0}
    models = [
        ModNetClassifier((8,), "tanh", **settings, accelerator=accelerator)
        for accelerator in ("numba", {"type": "numba"}, None)
    ]
    with pytest.warns(match="training stopped"):
        predictions = [model.fit(X, y).predict_proba(X) for model in models]
    np.testing.assert_allclose(predictions[0], predictions[2], rtol=1e-7)
    np.testing.assert_array_equal(predictions[0], predictions[1])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # wrong formulas learn nothing
@pytest.mark.parametrize("activation", [Wrong(), Broken()])
def test_formulas_that_are_wrong_are_not_used_and_a_warning_says_so(activation: Activation):
    X = np.random.default_rng(0).normal(size=(20, 3))
    textbook = {"inputs": None, "optimizer": "adam", "scale_target": False, "early_stopping": False}
    settings = {**textbook, "max_iter": 500, "tol": 1e-2, "n_iter_no_change": 10, "random_state": 0}
    with pytest.warns(RuntimeWarning, match=rf"modnet runs .*{re.escape(repr(activation))} itself"):
        fast = ModNetRegressor((4,), activation, accelerator="numba", **settings).fit(X, X[:, 0])
    plain = ModNetRegressor((4,), activation, accelerator=None, **settings).fit(X, X[:, 0])
    np.testing.assert_allclose(fast.theta_, plain.theta_, rtol=1e-7)


def test_modnet_alone_imports_nothing_of_numba():
    code = (
        "import modnet, modnet.layers, sys; raise SystemExit('numba' in sys.modules or 'modnet_numba' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
