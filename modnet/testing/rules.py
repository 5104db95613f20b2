"""A rule of a contract: a function that raises `CheckFailed`, whose docstring is what the contract says.

Here is also what rules share: looking for the smallest case that fails, watching over what a call may not touch, and
letting two threads run one component in turns.
"""

import inspect
import itertools
import opcode
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import CodeType, FrameType
from typing import Any, Protocol, TypeVar
from unittest import mock

import numpy as np

from modnet.base import Array
from modnet.component import Component, walk
from modnet.testing.comparing import CheckFailed, expect, expect_same, explained, raised


@dataclass(frozen=True)
class Rule:
    """One rule of the contract of a kind.

    Attributes
    ----------
    name : str
    contract : str
        What it says, in one sentence.
    cause : str
        What is usually wrong where it fails.
    function : callable
        Takes the component.
    applies : callable
        Takes the component, returns whether the rule is about it.
    of_the_class : bool
        Whether one instance of a class is enough.
    """

    name: str
    contract: str
    cause: str
    function: Callable[[Any], None]
    applies: Callable[[Any], bool]
    of_the_class: bool

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
        except Exception as caught:
            error = raised(caught)
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
        """Make a rule of a function, and add it; `wrapped` makes it take a component if it takes something else.

        The function's name is that of the rule; of its docstring, the first paragraph is the contract, and the second,
        behind "Usually:", what is wrong in most cases where it fails.
        """

        def added(function: Callable[..., None]) -> Rule:
            contract, usually = inspect.cleandoc(function.__doc__ or "").split("\n\n")[:2]
            told = contract.replace("\n", " "), usually.removeprefix("Usually: ").replace("\n", " ")
            self.append(Rule(function.__name__, *told, wrapped(function), applies, of_the_class))
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
        failed = raised(error)
        for changes in smaller:
            try:
                small = build(**{**case, **changes})
            except Exception:
                continue
            try:
                check(small)
            except Exception as again:
                if type(raised(again)) is type(failed):
                    built, failed = small, raised(again)
                    break
        told = explained(failed)
        told.example = told.example or built.example()
        raise told from (None if told is failed else failed)


def for_cases(
    build: Callable[..., _C],
    values: Callable[[Any], Mapping[str, Iterable[Any]]],
    smaller: Callable[[Any, Mapping[str, Any]], Iterable[Mapping[str, Any]]],
) -> Callable[[Callable[[_C], None]], Callable[[Any], None]]:
    """Make a check of a component out of a check of cases; see `tried`.

    Parameters
    ----------
    build : callable
        Takes the component and the items of a case as keyword arguments, returns what the check takes.
    values : callable
        Takes the component, returns which values each item of a case has; all combinations are tried.
    smaller : callable
        Takes the component and a case, returns what to change in it.
    """

    def decorated(check: Callable[[_C], None]) -> Callable[[Any], None]:
        def check_component(component: Any) -> None:
            choices = values(component)
            for chosen in itertools.product(*choices.values()):
                case = dict(zip(choices, chosen, strict=True))
                tried(check, partial(build, component), case, smaller(component, case))

        return check_component

    return decorated


@contextmanager
def nothing_kept(component: Component) -> Iterator[None]:
    """Expect that a component and its class are after the block what they were before."""
    before = _memory(component)
    yield
    for name, value in _memory(component).items():
        old = before.get(name, "nothing")
        was, became = (text if len(text) <= 60 else f"{text[:57]}..." for text in (old, value))
        expect(value == old, f"{name} was {was}, and became {became}")
    gone = before.keys() - _memory(component).keys()
    expect(not gone, f"{', '.join(sorted(gone))} is gone")


def _memory(component: Component) -> dict[str, str]:
    """Return all that a component and its class could keep something in, as text."""
    kept = {f"self.{name}": value for name, value in vars(component).items()}
    for cls in type(component).__mro__:
        if issubclass(cls, Component):
            own = {name: value for name, value in vars(cls).items() if name[:2] != "__" and name != "_abc_impl"}
            kept.update({f"{cls.__name__}.{name}": value for name, value in own.items()})
    text = {name: f"{value.tolist()}" if isinstance(value, np.ndarray) else repr(value) for name, value in kept.items()}
    return {"hash": str(hash(component)), "repr": repr(component), **text}


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
        if is_library(sys._getframe(1 + isinstance(original, type))):
            return original(*args, **kwargs)
        given = ", ".join([*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())])
        text = f"it made a generator of its own, {title}({given})"
        raise CheckFailed(f"{text}, for which random_state counts for nothing")

    if not isinstance(original, type):
        return make
    # A class stays one, for isinstance; what is made is no instance of this one, so __init__ is not called again.
    return type(original.__name__, (original,), {"__new__": lambda cls, *args, **kwargs: make(*args, **kwargs)})


def is_library(frame: FrameType) -> bool:
    """Return whether a frame runs code of modnet itself, NumPy or SciPy, and not that of a component."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in ("modnet", "numpy", "scipy")


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


_STOPS = {code for name, code in opcode.opmap.items() if name.startswith(("CALL", "BINARY", "STORE_SUBSCR", "RETURN"))}
_SECONDS = 0.2
"""How long the other may take: it waits for ever, if the component holds a lock, and that is a way to be right."""

_T = TypeVar("_T")


def interleaved(run: Callable[[], _T], other: Callable[[], object]) -> _T:
    """Return what `run` returns, while `other` runs in another thread at every point where threads may take turns.

    Threads that race show a shared buffer in one run of many. Here the interpreter stops before every call and every
    operation of the component's own code, one time at each place in it, and the other runs from start to end.
    """
    seen: set[tuple[CodeType, int]] = set()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if is_library(frame):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        here = (frame.f_code, frame.f_lasti)
        if event == "opcode" and frame.f_code.co_code[frame.f_lasti] in _STOPS and here not in seen:
            seen.add(here)
            wait([pool.submit(other)], _SECONDS)
        return trace

    with ThreadPoolExecutor(1) as pool, traced(trace):
        return run()


@contextmanager
def traced(trace: Callable[[FrameType, str, Any], Any]) -> Iterator[None]:
    """Let a function see what this thread runs in the block, as `sys.settrace` does."""
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
