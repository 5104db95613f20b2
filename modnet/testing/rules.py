"""A rule of a contract: a function that raises `CheckFailed`, whose docstring is what the contract says.

Here is also what rules share: looking for the smallest case that fails, and watching over what a call may not touch.
"""

import inspect
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol, TypeVar
from unittest import mock

import numpy as np

from modnet.base import Array
from modnet.component import Component, walk
from modnet.testing.failure import CheckFailed, expect, expect_same, explained


@dataclass(frozen=True)
class Rule:
    """One rule of the contract of a kind.

    Attributes
    ----------
    function : callable
        Takes the component. Its name is the name of the check; of its docstring, the first paragraph is the contract,
        and the second, behind "Usually:", what is wrong in most cases where it fails.
    applies : callable
        Takes the component, returns whether the rule is about it.
    of_the_class : bool
        Whether one instance of a class is enough.
    """

    function: Callable[[Any], None]
    applies: Callable[[Any], bool]
    of_the_class: bool

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.function.__name__

    @property
    def contract(self) -> str:
        """What the contract says, in one sentence."""
        return self._paragraph(0)

    @property
    def cause(self) -> str:
        """What is usually wrong where it fails."""
        return self._paragraph(1).removeprefix("Usually: ")

    def _paragraph(self, index: int) -> str:
        return (inspect.getdoc(self.function) or "").split("\n\n")[index].replace("\n", " ")

    def is_about(self, component: Any) -> bool:
        """Return whether the rule is about a component; if asking fails, so will the check, and say why."""
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


class Rules(list[Rule]):
    """A contract, or a part of one: rules, in the order in which they are checked."""

    def add(
        self,
        wrapped: Callable[[Callable[..., None]], Callable[[Any], None]] = lambda function: function,
        *,
        applies: Callable[[Any], bool] = lambda component: True,
        of_the_class: bool = False,
    ) -> Callable[[Callable[..., None]], Rule]:
        """Make a rule of a function, and add it; `wrapped` makes it take a component if it takes something else."""

        def added(function: Callable[..., None]) -> Rule:
            self.append(Rule(wrapped(function), applies, of_the_class))
            return self[-1]

        return added


class Case(Protocol):
    """What a component is tried on."""

    def example(self) -> str:
        """Return it as a failed check shows it."""


_C = TypeVar("_C", bound=Case)


def tried(
    check: Callable[[_C], None], build: Callable[..., _C], case: Mapping[str, Any], smaller: Iterable[Mapping[str, Any]]
) -> None:
    """Run a check on one case; if it fails, show the smallest case that fails in the same way.

    Parameters
    ----------
    check : callable
    build : callable
        Takes the items of `case` as keyword arguments, returns what the check takes.
    case : mapping
    smaller : iterable of mapping
        What to change in it, from the smallest on; a case that cannot be built is passed over.

    Raises
    ------
    CheckFailed
    """
    built = build(**case)
    try:
        check(built)
    except Exception as error:
        failed = error
        for changes in smaller:
            try:
                small = build(**{**case, **changes})
            except Exception:
                continue
            try:
                check(small)
            except Exception as again:
                if type(again) is type(error):
                    built, failed = small, again
                    break
        told = explained(failed)
        told.example = told.example or built.example()
        raise told from (None if told is failed else failed)


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


_GENERATORS = {
    "np.random.default_rng": np.random.default_rng,
    "np.random.RandomState": np.random.RandomState,
    "np.random.PCG64": np.random.PCG64,
    "random.Random": random.Random,
}


@contextmanager
def no_other_randomness(component: Component) -> Iterator[None]:
    """Expect that no generator is made in the block, and that the random numbers of the process stay where they are."""
    before, python = np.random.get_state(), random.getstate()  # noqa: NPY002  # it is watched, not drawn from
    classes = {cls for _, part in walk(component) for cls in type(part).__mro__ if issubclass(cls, Component)}
    places = {np.random, random, *(sys.modules[cls.__module__] for cls in classes)}
    with ExitStack() as stack:
        for title, original in _GENERATORS.items():
            for place in places:
                for name in [name for name, value in vars(place).items() if value is original]:
                    stack.enter_context(mock.patch.object(place, name, _refused(title, original)))
        yield
    after = np.random.get_state()  # noqa: NPY002
    same = all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    expect(same, "it drew from numpy.random, which the whole process shares")
    expect(python == random.getstate(), "it drew from Python's random, which the whole process shares")


def _refused(title: str, original: Any) -> Any:
    """Return what stands in for something that makes generators: libraries may call it, a component may not."""

    def make(*args: Any, **kwargs: Any) -> Any:
        if is_library(inspect.stack(0)[1 + isinstance(original, type)].frame):
            return original(*args, **kwargs)
        given = ", ".join([*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())])
        raise CheckFailed(
            f"it made a generator of its own, {title}({given}), for which random_state counts for nothing"
        )

    if not isinstance(original, type):
        return make
    # A class stays one, for isinstance; what is made is no instance of this one, so __init__ is not called again.
    return type(original.__name__, (original,), {"__new__": lambda cls, *args, **kwargs: make(*args, **kwargs)})


def is_library(frame: FrameType | None) -> bool:
    """Return whether a frame runs code of modnet itself, NumPy or SciPy, and not that of a component."""
    name = "" if frame is None else frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in ("modnet", "numpy", "scipy")


@contextmanager
def undisturbed(component: Component) -> Iterator[None]:
    """Expect that nothing is kept, and no randomness used but what is given."""
    with nothing_kept(component), no_other_randomness(component):
        yield


@contextmanager
def guarded(*arrays: Array | None) -> Iterator[None]:
    """Expect that arrays are the same after the block; inside they are read-only."""
    mine = [array for array in arrays if array is not None]
    flags, copies = [array.flags.writeable for array in mine], [array.copy() for array in mine]
    for array in mine:
        array.flags.writeable = False
    try:
        yield
    finally:
        for array, flag in zip(mine, flags, strict=True):
            array.flags.writeable = flag
    for array, copy in zip(mine, copies, strict=True):
        expect_same("an argument", array, copy, "afterwards", "before")


def raises(function: Callable[[], object], kind: type[Exception]) -> bool:
    """Return whether a call raises an exception of a kind; another one passes."""
    try:
        function()
    except kind:
        return True
    return False
