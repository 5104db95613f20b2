"""Fields that take values of several types, with one message where Pydantic has one for each type."""

from typing import Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator


def expected(what: str) -> WrapValidator:
    """Return what says, of a value that fits no type, what it should be.

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
