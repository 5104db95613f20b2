"""LBFGS: a quasi-Newton method on all data at once, by SciPy.

It is a solver: it asks for the loss and its gradient over all rows, at points of its own choice.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from modnet import Array, Count, Objective, Solver

__all__ = ["LBFGS"]


class LBFGS(Solver):
    """Limited-memory BFGS: θ ← θ − η H ∇J, where H approximates the inverse Hessian from the last few steps.

    The arithmetic is `scipy.optimize.minimize` with method "L-BFGS-B", in float64 whatever the dtype of θ. Good where
    all rows fit into memory at once and the loss is not random, as dropout would make it.

    Parameters
    ----------
    history_size : int
        Steps remembered, ≥ 1.
    max_fun : int
        Evaluations of J at most, ≥ 1.

    References
    ----------
    Nocedal & Wright (2006), Numerical optimization, algorithm 7.5; Byrd, Lu, Nocedal & Zhu (1995), A limited memory
    algorithm for bound constrained optimization.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import LBFGS
    >>> theta = np.array([3.0, 4.0])
    >>> LBFGS().minimize(lambda t: (0.5 * float(t @ t), t), theta, max_iter=9, tol=1e-6, after=lambda t, J: False)
    True
    >>> bool(abs(theta).max() < 1e-6)
    True
    """

    history_size: Count = 10
    max_fun: Count = 15000

    def minimize(
        self, objective: Objective, theta: Array, *, max_iter: int, tol: float, after: Callable[[Array, float], bool]
    ) -> bool:
        """Move θ to a minimum of J; return whether the gradient became small enough."""

        def callback(intermediate_result: Any) -> None:
            if after(intermediate_result.x, float(intermediate_result.fun)):
                raise StopIteration

        result = minimize(
            objective,
            theta.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=callback,
            options={"maxiter": max_iter, "maxfun": self.max_fun, "gtol": tol, "maxcor": self.history_size},
        )
        theta[...] = result.x
        return bool(result.success)
