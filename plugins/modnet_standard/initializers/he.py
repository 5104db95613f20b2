"""He's initializers: the variance of signals survives rectifiers, which silence half of them."""

import math

import numpy as np

from modnet import Array, Initializer, Shape
from modnet.base.initializer import fans


class HeUniform(Initializer):
    """U(−r, r) with r = √(6 / fan_in): variance 2 / fan_in.

    References
    ----------
    He, Zhang, Ren & Sun (2015), Delving deep into rectifiers, ICCV, eq. 10.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import HeUniform
    >>> bool(abs(HeUniform().sample(np.random.default_rng(0), (6, 2))).max() <= 1)
    True
    """

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return U(−r, r)."""
        r = math.sqrt(6 / fans(shape)[0])
        return rng.uniform(-r, r, shape)


class HeNormal(Initializer):
    """N(0, s²) with s = √(2 / fan_in).

    References
    ----------
    He, Zhang, Ren & Sun (2015), Delving deep into rectifiers, ICCV, eq. 10.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import HeNormal
    >>> HeNormal().sample(np.random.default_rng(0), (6, 2)).shape
    (6, 2)
    """

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return N(0, s²)."""
        return rng.normal(0, math.sqrt(2 / fans(shape)[0]), shape)
