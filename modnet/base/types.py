"""The two types that every numeric file speaks of."""

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
"""An array of floats; its dtype is that of θ, float32 or float64, unless a docstring says otherwise."""

Shape = tuple[int, ...]
"""A shape per row: the batch axis is left out, the feature axis is the last."""
