"""The penalty of weights: value and gradient as the formula has them, for any number of weights."""

import numpy as np
import pytest

from modnet.layers import Dense
from modnet.training import Data


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("inputs", [3, 70_000])  # more than one block of weights
@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0])
def test_it_is_the_formula_whatever_the_number_of_weights(prepared, rho, inputs, dtype):
    data = Data(np.zeros((2, inputs), dtype), np.zeros((2, 1), dtype))
    trainer = prepared([Dense(1)], data, alpha=0.5, l1_ratio=rho)
    W, dW = trainer.theta[:-1].astype(float), np.ones(inputs + 1, dtype)
    value = trainer.penalize(dW, 8.0)
    assert value == pytest.approx(0.5 / 8 * (0.5 * (1 - rho) * (W**2).sum() + rho * abs(W).sum()), rel=1e-5)
    np.testing.assert_allclose(dW[:-1], 1 + 0.5 / 8 * ((1 - rho) * W + rho * np.sign(W)), rtol=1e-6)
    assert dW[-1] == 1  # the bias is not regularized
