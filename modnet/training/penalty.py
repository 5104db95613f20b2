"""The penalty on weights in the loss, (α/Σw) (½ (1 − ρ) ‖W‖² + ρ ‖W‖₁): scikit-learn's elastic net."""

import numpy as np

from modnet.base import Array


def penalise(W: Array, dW: Array, strength: float, l1_ratio: float) -> float:
    """Add the gradient of strength · (½ (1 − ρ) ‖W‖² + ρ ‖W‖₁) to dW, and return its value.

    Parameters
    ----------
    W, dW : ndarray, shape (decayed,)
        The decayed part of θ, and that of ∇J, which is changed.
    strength : float
        α / Σw, ≥ 0.
    l1_ratio : float
        ρ, in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> W, dW = np.array([3.0, -4.0]), np.zeros(2)
    >>> penalise(W, dW, 0.5, 0.0), dW
    (6.25, array([ 1.5, -2. ]))
    """
    if strength == 0:
        return 0.0
    dW += (strength * (1 - l1_ratio)) * W
    value = 0.5 * strength * (1 - l1_ratio) * float(W @ W)
    if l1_ratio:
        dW += (strength * l1_ratio) * np.sign(W)
        value += strength * l1_ratio * float(np.abs(W).sum())
    return value
