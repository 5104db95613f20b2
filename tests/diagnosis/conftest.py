"""Data that networks learn well from, and networks that have."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, make_moons
from sklearn.preprocessing import scale

from modnet import ModNetClassifier

Data = tuple[Any, Any]


@pytest.fixture(scope="session")
def digits() -> Data:
    """Handwritten digits, scaled: 64 columns, some of them 0 throughout."""
    X, y = load_digits(return_X_y=True)
    return scale(X[:800]), y[:800]


@pytest.fixture(scope="session")
def diabetes() -> Data:
    """A regression, columns and target scaled."""
    X, y = load_diabetes(return_X_y=True)
    return scale(X), scale(y)


@pytest.fixture(scope="session")
def moons() -> Data:
    """Two classes that no line separates."""
    return make_moons(500, noise=0.2, random_state=0)


@pytest.fixture
def weights():
    """Return a function that gives a fitted network's parameters by name, as views to make it sick by."""

    def of(model: ModNetClassifier) -> dict[str, np.ndarray]:
        return dict(model.network_.parameters(model.theta_))

    return of
