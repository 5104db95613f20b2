"""The exceptions of modnet: one tree, so that one ``except`` can catch them all.

Every message says what was asked, what was found and what to do next::

    ModNetError
    ├── InvalidSpecError        a value in a component or a spec is not valid         (a ValueError)
    ├── RegistryError           a name cannot be turned into a class                  (a ValueError)
    │   ├── UnknownComponentError       no installed distribution offers the name
    │   ├── AmbiguousComponentError     two distributions offer it
    │   ├── BrokenPluginError           it is offered, but its import fails
    │   └── WrongKindError              it is offered, but is no class of that kind
    ├── InputError              a layer cannot take a value in X                      (a ValueError)
    ├── ShapeError              a link does not fit the shape it is given             (a ValueError)
    ├── ContractError           a component broke the contract of its base            (a TypeError)
    ├── ExportError             a model cannot be written as ONNX                     (a TypeError)
    ├── ModelFileError          a file is no model file, or a model fits in none      (a ValueError)
    └── NonFiniteError          the loss or the weights became inf or NaN             (a ValueError)
"""

from collections.abc import Sequence


class ModNetError(Exception):
    """Whatever modnet raises on purpose."""


class InvalidSpecError(ModNetError, ValueError):
    """One or more values in a component or a spec are not valid.

    Parameters
    ----------
    subject : str
        What was being made: ``"Dense"``, ``"ModelSpec"``.
    problems : sequence of (str, str)
        Path of the value and what is wrong with it, such as
        ``("layers[1].units", "should be greater than or equal to 1, got -3")``.
    """

    def __init__(self, subject: str, problems: Sequence[tuple[str, str]]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        lines = [f"{path}: {text}" if path else text for path, text in self.problems]
        if len(lines) == 1:
            super().__init__(f"{subject}: {lines[0]}")
        else:
            super().__init__(f"{subject}: {len(lines)} problems\n" + "\n".join(f"  {line}" for line in lines))

    def __reduce__(self) -> tuple[type["InvalidSpecError"], tuple[str, tuple[tuple[str, str], ...]]]:
        # Exceptions pickle by their message alone; joblib's workers send this one home with its problems.
        return type(self), (self.subject, self.problems)


class RegistryError(ModNetError, ValueError):
    """A name cannot be turned into a component class."""


class UnknownComponentError(RegistryError):
    """No installed distribution offers the name."""


class AmbiguousComponentError(RegistryError):
    """Two distributions offer the name; ``distribution:name`` says which one is meant."""


class BrokenPluginError(RegistryError):
    """The name is offered, but importing it fails; the cause is chained."""


class WrongKindError(RegistryError):
    """The name is offered, but what it points to is no concrete class of that kind."""


class ShapeError(ModNetError, ValueError):
    """A module does not fit the shape of its input."""


class InputError(ModNetError, ValueError):
    """A layer cannot take a value in its input, such as a code out of its range.

    Parameters
    ----------
    text : str
        What is wrong, with the value.
    row : int
        The row of the input that has it.

    Attributes
    ----------
    link : str
        Path and class of the layer; the network fills it in.
    """

    def __init__(self, text: str, row: int) -> None:
        super().__init__(text, row)
        self.text, self.row, self.link = text, row, ""

    def __str__(self) -> str:
        """Return layer, row and what is wrong."""
        return f"{self.link}: row {self.row}: {self.text}".removeprefix(": ")


class _OfLink(ModNetError, TypeError):
    """Something is wrong with a component that may be in a network.

    Attributes
    ----------
    link : str
        Path and class of the layer, if it is one; the network fills it in.
    """

    link = ""

    def __str__(self) -> str:
        """Return the layer and what is wrong."""
        return f"{self.link}: {super().__str__()}".removeprefix(": ")


class ContractError(_OfLink):
    """A component did something that its base class does not allow."""


class ExportError(_OfLink):
    """A model cannot be written as ONNX: a part of it has no nodes."""


class NonFiniteError(ModNetError, ValueError):
    """Training produced inf or NaN."""


class ModelFileError(ModNetError, ValueError):
    """A file is no model file or not a whole one, or a model cannot be written to one."""
