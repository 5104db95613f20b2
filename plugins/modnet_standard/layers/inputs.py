"""What layers ask of their input: rows with one axis, of features, or any rows, whose shape they keep.

Fields that take values of several types get one message here, where Pydantic has one for each type.
"""

from collections.abc import Iterable
from typing import Any, final

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from modnet import Initializer, Module, Parameter, Shape
from modnet.errors import ShapeError


def features(input_shape: Shape) -> int:
    """Return the number of features of rows that have one axis.

    Raises
    ------
    ShapeError
        If they have another number of axes.

    Examples
    --------
    >>> features((3,))
    3
    """
    if len(input_shape) != 1:
        raise ShapeError(f"expected rows of shape (n_features,), got {input_shape}")
    return input_shape[0]


class Elementwise(Module):
    """A layer that works on each element alone, whatever the shape of the rows."""

    @final
    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape


class PerFeature(Module):
    """A layer that keeps the shape of rows with one axis, and has numbers of its own for each feature."""

    @final
    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        features(input_shape)
        return input_shape


def per_feature(
    input_shape: Shape, first: Iterable[tuple[str, Initializer]], *, trainable: bool = True
) -> dict[str, Parameter]:
    """Return parameters of shape (1, n_in), not regularized, by name and initializer."""
    shape = (1, features(input_shape))
    return {name: Parameter(shape, values, trainable=trainable, regularized=False) for name, values in first}


def expected(what: str) -> WrapValidator:
    """Return a validator whose message says, of a value that fits no type of a field, what it should be.

    Examples
    --------
    >>> from typing import Annotated
    >>> from pydantic import TypeAdapter
    >>> TypeAdapter(Annotated[int | str, expected("a position or a name")]).validate_python("age")
    'age'
    """

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            raise ValueError(f"should be {what}") from error

    return WrapValidator(check)
