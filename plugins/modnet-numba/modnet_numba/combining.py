"""What any optimizer can be combined with, as kernels: parameter groups, constraints, and a running mean of θ."""

import numpy as np

from modnet import Array, Constraint
from modnet.constraints import MaxNorm, MinMaxNorm, NonNegative, UnitNorm
from modnet_numba.compiling import kernel


@kernel
def remember(theta: Array, before: Array) -> None:
    """Copy a part of θ as it is before a step."""
    before[:] = theta


@kernel
def freeze(gradient: Array) -> None:
    """Set the gradient of a part of θ that learns nothing to 0."""
    gradient[:] = 0


@kernel
def scale_step(theta: Array, before: Array, factor: float) -> None:
    """Make a step of a part of θ shorter or longer: θ ← θ_before + factor · (θ − θ_before)."""
    by = theta.dtype.type(factor)
    for i in range(theta.size):
        theta[i] = before[i] + by * (theta[i] - before[i]) if factor else before[i]


@kernel
def include(theta: Array, mean: Array, count: Array, share: float) -> None:
    """Take θ into the mean: mean ← mean + share · (θ − mean); the first is the mean."""
    count[0] += 1
    by = theta.dtype.type(1 if count[0] == 1 else share)
    for i in range(theta.size):
        mean[i] = theta[i] if count[0] == 1 else mean[i] + by * (theta[i] - mean[i])


@kernel
def _bring_norms(W: Array, lowest: float, highest: float, slack: float) -> None:
    """Scale each column of W so that lowest ≤ ‖w‖ ≤ highest, up to rounding; columns of zeros stay."""
    for part in range(W.shape[0]):
        for j in range(W.shape[2]):
            total = 0.0
            for i in range(W.shape[1]):
                total += float(W[part, i, j]) * float(W[part, i, j])
            norm = np.sqrt(total)
            if norm > highest * slack or (norm * slack < lowest and norm > 0):
                factor = W.dtype.type(min(max(norm, lowest), highest) / norm)
                for i in range(W.shape[1]):
                    W[part, i, j] *= factor


@kernel
def _raise_to_zero(W: Array) -> None:
    """Set what is below 0 to 0."""
    for i in range(W.size):
        W[i] = max(W[i], W.dtype.type(0))


def has_kernel(constraint: Constraint) -> bool:
    """Return whether there is a kernel for a constraint."""
    return type(constraint) in (MaxNorm, MinMaxNorm, NonNegative, UnitNorm)


def project(W: Array, constraint: Constraint) -> None:
    """Put W, shape (…, n, k), back into the set of a constraint that there is a kernel for."""
    if isinstance(constraint, NonNegative):
        _raise_to_zero(W.reshape(W.size))
        return
    lowest, highest = 1.0, 1.0
    if isinstance(constraint, MaxNorm):
        lowest, highest = 0.0, float(constraint.value)
    elif isinstance(constraint, MinMaxNorm):
        lowest, highest = float(constraint.min_value), float(constraint.max_value)
    slack = 1 + 4 * float(np.finfo(W.dtype).eps) + W.shape[-2] * float(np.finfo(np.float64).eps)
    _bring_norms(W.reshape(-1, *W.shape[-2:]), lowest, highest, slack)
