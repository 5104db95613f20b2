"""Hard tanh: the identity between two bounds, flat beyond them."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from modnet import Activation, Array

Bound = Annotated[float, Field(allow_inf_nan=False)]


class HardTanh(Activation):
    """The hard tanh: a = min(max(z, l), u), dz = da where l < a < u, else 0 (0 at the kinks z = l and z = u).

    Parameters
    ----------
    min_value, max_value : float
        l and u, l < u.

    Raises
    ------
    InvalidSpecError
        If min_value is not less than max_value.

    References
    ----------
    Collobert, Weston, Bottou, Karlen, Kavukcuoglu & Kuksa (2011), Natural language processing (almost) from scratch,
    JMLR 12.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import HardTanh
    >>> HardTanh(max_value=2).f(np.array([-4.0, 0.5, 4.0]))
    array([-1. ,  0.5,  2. ])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    min_value: Bound = -1.0
    max_value: Bound = 1.0

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        if not self.min_value < self.max_value:
            raise ValueError(f"min_value should be less than max_value, got {self.min_value} and {self.max_value}")
        return self

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with bounds that zero is the middle of, and with others."""
        return (cls(), cls(0.1, 1.5))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return min(max(z, l), u)."""
        return z.clip(self.min_value, self.max_value, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [l < a < u]."""
        assert a is not None
        return np.multiply(da, (a > self.min_value) & (a < self.max_value), out=out)
