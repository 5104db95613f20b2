"""What layers ask of their input: an axis of features, the last, or any rows, whose shape they keep.

Fields that take values of several types get one message here, where Pydantic has one for each type.
"""

from collections.abc import Iterable
from typing import Any, final

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from modnet import Initializer, Module, Parameter, Shape
from modnet.errors import ShapeError


def features(input_shape: Shape) -> int:
    """Return the number of features: the length of the last axis.

    Raises
    ------
    ShapeError
        If rows have no axis.

    Examples
    --------
    >>> features((3,)), features((8, 3))
    (3, 3)
    """
    if not input_shape:
        raise ShapeError("expected rows with an axis of features, got rows of shape (), single numbers")
    return input_shape[-1]


class Elementwise(Module):
    """A layer that works on each element alone, whatever the shape of the rows."""

    @final
    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape


class PerFeature(Module):
    """A layer that keeps the shape of its input, and has numbers of its own for each feature of the last axis."""

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
