"""Orthogonal: the first weights turn their input, and do not stretch it."""

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Initializer, Shape


class Orthogonal(Initializer):
    """A random W with WᵀW = gain² I, or WWᵀ = gain² I where there are more outputs than inputs.

    Each such matrix is as likely as any other. Matrices along leading axes are drawn one by one; a shape with a single
    axis is one row.

    Parameters
    ----------
    gain : float
        Scale, > 0; 1 keeps lengths.

    References
    ----------
    Saxe, McClelland & Ganguli (2014), Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks, ICLR; Mezzadri (2007), How to generate random matrices from the classical compact groups, Notices AMS 54.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import Orthogonal
    >>> W = Orthogonal().sample(np.random.default_rng(0), (3, 2))
    >>> np.round(W.T @ W, 12) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """

    gain: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with and without a gain."""
        return cls(), cls(2.0)

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return gain · Q of the decomposition QR of normal numbers, transposed for wide shapes."""
        *members, n_in, n_out = shape if len(shape) > 1 else (1, math.prod(shape))
        Q, R = np.linalg.qr(rng.standard_normal((*members, max(n_in, n_out), min(n_in, n_out))))
        # QR leaves the signs of Q's columns to the algorithm; with those of R's diagonal at plus, Q is uniform.
        Q *= np.sign(np.diagonal(R, axis1=-2, axis2=-1))[..., None, :]
        return self.gain * (Q if n_in >= n_out else Q.mT).reshape(shape)
