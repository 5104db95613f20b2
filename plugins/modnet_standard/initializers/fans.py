"""Initializers whose width depends on fan_in and fan_out, so that signals keep their variance from layer to layer.

Which one ``"auto"`` stands for in a layer, the layer's activation recommends.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Array, Initializer, Module, Shape, Slot
from modnet.base.initializer import fans

__all__ = ["GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"]


class Glorot(Initializer):
    """A distribution of variance 2 gain² / (fan_in + fan_out)."""

    gain: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with and without a gain."""
        return cls(), cls(0.5)


class GlorotUniform(Glorot):
    """U(−r, r) with r = gain · √(6 / (fan_in + fan_out)): variance gain² · 2 / (fan_in + fan_out).

    Parameters
    ----------
    gain : float
        Scale, > 0; 1 for tanh and linear layers.

    References
    ----------
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, AISTATS, eq. 16.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import GlorotUniform
    >>> bool(abs(GlorotUniform().sample(np.random.default_rng(0), (4, 2))).max() <= 1)
    True
    """

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return U(−r, r)."""
        r = self.gain * math.sqrt(6 / sum(fans(shape)))
        return rng.uniform(-r, r, shape)


class GlorotNormal(Glorot):
    """N(0, s²) with s = gain · √(2 / (fan_in + fan_out)).

    Parameters
    ----------
    gain : float
        Scale, > 0; 1 for tanh and linear layers.

    References
    ----------
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, AISTATS, eq. 12.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import GlorotNormal
    >>> GlorotNormal().sample(np.random.default_rng(0), (4, 2)).shape
    (4, 2)
    """

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return N(0, s²)."""
        return rng.normal(0, self.gain * math.sqrt(2 / sum(fans(shape))), shape)


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


class LecunUniform(Initializer):
    """U(−r, r) with r = √(3 / fan_in): variance 1 / fan_in, for self-normalizing activations such as SELU.

    References
    ----------
    LeCun, Bottou, Orr & Müller (1998), Efficient backprop, in Neural networks: tricks of the trade, eq. 16.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import LecunUniform
    >>> bool(abs(LecunUniform().sample(np.random.default_rng(0), (3, 2))).max() <= 1)
    True
    """

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return U(−r, r)."""
        r = math.sqrt(3 / fans(shape)[0])
        return rng.uniform(-r, r, shape)


class LecunNormal(Initializer):
    """N(0, s²) with s = √(1 / fan_in), for self-normalizing activations such as SELU.

    References
    ----------
    LeCun, Bottou, Orr & Müller (1998), Efficient backprop, in Neural networks: tricks of the trade, eq. 16; Klambauer,
    Unterthiner, Mayr & Hochreiter (2017), Self-normalizing neural networks, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import LecunNormal
    >>> LecunNormal().sample(np.random.default_rng(0), (6, 2)).shape
    (6, 2)
    """

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return N(0, s²)."""
        return rng.normal(0, math.sqrt(1 / fans(shape)[0]), shape)


KernelInitializer = Slot[Initializer | Literal["auto"]]
"""The slot of a layer's weights: an initializer, or ``"auto"`` for what the layer's activation recommends."""


_RECOMMENDED: dict[str, Initializer] = {"glorot": GlorotUniform(), "he": HeUniform(), "lecun": LecunNormal()}


def chosen(initializer: Initializer | Literal["auto"], activation: Module | None) -> Initializer:
    """Return the initializer that is meant; without an activation "auto" is Glorot's.

    Examples
    --------
    >>> from modnet.activations import ReLU, Tanh
    >>> from modnet.initializers import Zeros
    >>> chosen("auto", Tanh()), chosen(Zeros(), Tanh()), chosen("auto", None)
    (GlorotUniform(), Zeros(), GlorotUniform())
    """
    if isinstance(initializer, Initializer):
        return initializer
    return _RECOMMENDED["glorot" if activation is None else activation.recommended_init]
