"""Decay: the penalty of large weights, and its gradient, a block of weights at a time."""

from collections.abc import Iterator

import numpy as np

from modnet.base import Array

_BLOCK = 2**16
"""Weights at once: what is computed beside W and ∂J/∂W does not grow with the network."""


class Penalty:
    """The penalty (α/Σw) (½ (1 − ρ) ‖W‖² + ρ ‖W‖₁), Σw being the weights of a batch's rows.

    Parameters
    ----------
    alpha : float
        α, ≥ 0.
    l1_ratio : float
        ρ, in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> W, dW = np.array([1.0, -2.0]), np.zeros(2)
    >>> Penalty(0.1, 0.0).add(W, dW, 1.0), dW
    (0.25, array([ 0.1, -0.2]))
    """

    def __init__(self, alpha: float, l1_ratio: float) -> None:
        self._alpha, self._rho = alpha, l1_ratio
        self._memory = np.empty(0)

    def add(self, W: Array, dW: Array, weight: float) -> float:
        """Add the penalty's gradient to ∂J/∂W, and return its value.

        Parameters
        ----------
        W : ndarray, shape (n,)
        dW : ndarray, shape (n,)
            ∂J/∂W; changed in place.
        weight : float
            Σw.
        """
        of_l1, of_l2 = self._alpha / weight * self._rho, self._alpha / weight * (1 - self._rho)
        value = 0.5 * of_l2 * float(W.dot(W))
        for w, dw, memory in self._blocks(W, dW):
            dw += np.multiply(w, of_l2, out=memory)
            if of_l1:
                value += of_l1 * float(np.abs(w, out=memory).sum())
                np.sign(w, out=memory)
                memory *= of_l1
                dw += memory
        return value

    def _blocks(self, W: Array, dW: Array) -> Iterator[tuple[Array, Array, Array]]:
        """Return parts of W and dW, and memory for as many numbers."""
        if self._memory.size < min(W.size, _BLOCK) or self._memory.dtype != W.dtype:
            self._memory = np.empty(min(W.size, _BLOCK), W.dtype)
        for start in range(0, W.size, _BLOCK):
            w = W[start : start + _BLOCK]
            yield w, dW[start : start + _BLOCK], self._memory[: w.size]
