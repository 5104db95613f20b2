"""Values: first values that somebody chose one by one."""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from annotated_types import MinLen
from pydantic import Field

from modnet import Array, Initializer, Shape
from modnet.errors import ShapeError


class Values(Initializer):
    """Given numbers along the last axis: wⱼ = valuesⱼ in every row; for biases that are known, such as log odds.

    Parameters
    ----------
    values : tuple of float
        One per element of the last axis, or a single one for all.

    Raises
    ------
    ShapeError
        When drawn, if the last axis has another length.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import Values
    >>> Values((-2.0, 0.5)).sample(np.random.default_rng(0), (1, 2))
    array([[-2. ,  0.5]])
    """

    values: Annotated[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], MinLen(1)] = (0.0,)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return a single value, which fits any shape."""
        return (cls((0.5,)),)

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return the values in every row; `rng` is left alone."""
        if len(self.values) not in (1, *shape[-1:]):
            raise ShapeError(f"there are {len(self.values)} values, which do not fill shape {shape}")
        return np.broadcast_to(np.array(self.values), shape).copy()
