"""Analytic gradients against central differences.

`check_gradient` holds a scalar function against its gradient; `check_network` runs modules as a network and holds what
comes back through them, for every parameter and for the input, against differences of Σ dy ∘ y.
"""

from collections.abc import Callable, Sequence

import numpy as np

from modnet import Array, Module, Network, Shape
from modnet.network import Pass

STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
"""6e-6: where the truncation error of a central difference, of order h², meets its rounding error, of order ε/h."""

FLOOR = 1e-2
"""Smaller gradients are compared as if they were this large: rounding leaves about 1e-10 in a difference quotient."""


def numeric_gradient(f: Callable[[Array], float], x: Array) -> Array:
    """Return the central differences (f(x + h) − f(x − h)) / 2h along every element of x."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        h = STEP * max(1.0, abs(x[index]))
        left, right = x.copy(), x.copy()
        left[index] -= h
        right[index] += h
        gradient[index] = (f(right) - f(left)) / (right[index] - left[index])
    return gradient


def check_gradient(
    f: Callable[[Array], float], x: Array, analytic: Array, *, rtol: float = 1e-6, subject: str = "gradient"
) -> None:
    """Compare the gradient of f at x with central differences.

    Parameters
    ----------
    f : callable
        Takes an array like x, returns a float.
    x : ndarray, float64, not empty
    analytic : ndarray, shape of x
    rtol : float
        Largest error, relative to the larger of the two values and of `FLOOR`.
    subject : str
        What the error message calls the gradient.

    Raises
    ------
    AssertionError
        Naming the element with the largest error, its numeric and its analytic value.
    """
    if x.dtype != np.float64 or x.size == 0:
        raise AssertionError(f"{subject}: differences need float64 and at least one element, got {x.dtype}, {x.shape}")
    if analytic.shape != x.shape:
        raise AssertionError(f"{subject}: should have shape {x.shape}, got {analytic.shape}")
    numeric = numeric_gradient(f, x)
    error = np.abs(numeric - analytic) / np.maximum(np.maximum(np.abs(numeric), np.abs(analytic)), FLOOR)
    wrong = ~(error <= rtol)  # NaN is wrong, too
    if wrong.any():
        worst = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), x.shape)
        index = ", ".join(map(str, worst))
        raise AssertionError(
            f"{subject}[{index}]: numeric {numeric[worst]:.9g}, analytic {analytic[worst]:.9g}, relative error "
            f"{error[worst]:.1e} ({wrong.sum()} of {x.size} elements are off by more than {rtol:g})"
        )


def check_network(
    layers: Module | Sequence[Module],
    input_shape: Shape,
    *,
    rows: int = 4,
    x: Array | None = None,
    training: bool = True,
    rtol: float = 1e-6,
    seed: int = 0,
) -> None:
    """Compare the gradients of all parameters and of the input of a network with central differences of Σ dy ∘ y.

    Parameters
    ----------
    layers : Module or sequence of Module
    input_shape : tuple of int
        Shape per row.
    rows : int
    x : ndarray, shape (n, *input_shape), optional
        The input; default: `rows` rows of normal numbers.
    training : bool
        Whether links run in training mode. Every evaluation sees the same noise and the same state.
    rtol : float
    seed : int
        Of θ, x, dy and the noise.

    Raises
    ------
    AssertionError
        Naming the parameter and the element: ``layers[0].W[2, 1]: numeric …, analytic …``.
    """
    network = Network([layers] if isinstance(layers, Module) else layers, input_shape)
    rng = np.random.default_rng(seed)
    theta, state = network.initialize(rng)
    theta += rng.normal(scale=0.1, size=theta.size)  # biases start at zero, where their slips would not show
    x = rng.normal(size=(rows, *input_shape)) if x is None else x
    dy = rng.normal(size=(len(x), *network.output_shape))

    def prepared(theta: Array, gradient: Array | None = None) -> Pass:
        noise = np.random.default_rng(seed)
        return Pass(network, theta, state.copy(), gradient=gradient, rows=len(x), training=training, rng=noise)

    gradient = np.full_like(theta, np.nan)
    running = prepared(theta, gradient)
    running.forward(x)
    running.backward(dy)
    dx = running.input_gradient()

    check_gradient(lambda x: float(np.sum(dy * prepared(theta).forward(x))), x, dx, rtol=rtol, subject="dx")
    for name, place in network.layout.places.items():

        def J(parameter: Array, place: slice = slice(place.start, place.stop)) -> float:
            moved = theta.copy()
            moved[place] = parameter.ravel()
            return float(np.sum(dy * prepared(moved).forward(x)))

        check_gradient(J, place.view(theta), place.view(gradient), rtol=rtol, subject=name)
