"""A rule of a contract: a function that raises `CheckFailed`, whose docstring is what the contract says."""

import inspect
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from modnet.base import Array
from modnet.component import Component
from modnet.testing.failure import expect, expect_same, explained


@dataclass(frozen=True)
class Rule:
    """One rule of the contract of a kind.

    Attributes
    ----------
    function : callable
        Takes the component. Its name is the name of the check, the first paragraph of its docstring the contract.
    cause : str
        What is usually wrong where it fails.
    applies : callable
        Takes the component, returns whether the rule is about it.
    """

    function: Callable[[Any], None]
    cause: str
    applies: Callable[[Any], bool]

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.function.__name__

    @property
    def contract(self) -> str:
        """What the contract says, in one sentence."""
        return (inspect.getdoc(self.function) or "").split("\n\n")[0].replace("\n", " ")

    def is_about(self, component: Any) -> bool:
        """Return whether the rule is about a component; of one that fails when it is asked, the check says how."""
        try:
            return self.applies(component)
        except Exception:
            return True

    def check(self, component: Any) -> None:
        """Hold a component to the rule; warnings count as errors.

        Raises
        ------
        CheckFailed
        """
        __tracebackhide__ = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                self.function(component)
        except Exception as error:
            failed = explained(error)
            failed.cause = failed.cause or self.cause
            failed.contract, failed.check, failed.subject = self.contract, self.name, repr(component)
            # The message says it all, unless it was the component that raised.
            raise failed.with_traceback(None) from (error.__cause__ if failed is error else error)


def rule(cause: str = "", *, applies: Callable[[Any], bool] = lambda component: True) -> Callable[..., Rule]:
    """Make a rule of a function."""
    return lambda function: Rule(function, cause, applies)


@contextmanager
def nothing_kept(component: Component) -> Iterator[None]:
    """Expect that a component and its class are after the block what they were before."""
    before = _memory(component)
    yield
    for name, value in _memory(component).items():
        old = before.get(name, "nothing")
        expect(value == old, f"{name} was {_short(old)}, and became {_short(value)}")
    gone = before.keys() - _memory(component).keys()
    expect(not gone, f"{', '.join(sorted(gone))} is gone")


def _memory(component: Component) -> dict[str, str]:
    """Return all that a component and its class could keep something in, as text."""
    kept = {"hash": str(hash(component)), "repr": repr(component)}
    kept.update({f"self.{name}": _text(value) for name, value in vars(component).items()})
    for cls in type(component).__mro__:
        if issubclass(cls, Component):
            own = {name: value for name, value in vars(cls).items() if name[:2] != "__" and name != "_abc_impl"}
            kept.update({f"{cls.__name__}.{name}": _text(value) for name, value in own.items()})
    return kept


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _text(value: Any) -> str:
    return f"{value.tolist()}" if isinstance(value, np.ndarray) else repr(value)


@contextmanager
def global_randomness_untouched() -> Iterator[None]:
    """Expect that the random numbers of the whole process stay where they are."""
    before, python = np.random.get_state(), random.getstate()  # noqa: NPY002  # it is watched, not drawn from
    yield
    after = np.random.get_state()  # noqa: NPY002
    same = all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    expect(same, "it drew from numpy.random, which the whole process shares")
    expect(python == random.getstate(), "it drew from Python's random, which the whole process shares")


def guarded(*arrays: Array | None) -> "_Guarded":
    """Return a context that expects arrays to be the same after it; inside they are read-only."""
    return _Guarded([array for array in arrays if array is not None])


class _Guarded:
    def __init__(self, arrays: list[Array]) -> None:
        self._arrays, self._copies = arrays, [array.copy() for array in arrays]

    def __enter__(self) -> None:
        for array in self._arrays:
            array.flags.writeable = False

    def __exit__(self, cls: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        for array, copy in zip(self._arrays, self._copies, strict=True):
            array.flags.writeable = True
            if error is None:
                expect_same("an argument", array, copy, "afterwards", "before")


def raises(function: Callable[[], object], kind: type[Exception]) -> bool:
    """Return whether a call raises an exception of a kind; another one passes."""
    try:
        function()
    except kind:
        return True
    return False
