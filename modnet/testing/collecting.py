"""Which checks a component has to pass, which components there are, and tests of pytest for all of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from modnet.component import Component
from modnet.errors import UnknownComponentError
from modnet.registry import Entry, normalized, registry
from modnet.testing import (
    accelerators,
    activations,
    every,
    losses,
    modules,
    optimizers,
    passes,
    predictions,
    sizes,
    use,
    values,
)
from modnet.testing.failure import CheckFailed
from modnet.testing.rules import Rule

_MODULE = (*modules.RULES, *sizes.RULES, *passes.RULES)
_OWN: dict[str, Sequence[Rule]] = {
    "layer": _MODULE,
    "activation": (*activations.RULES, *_MODULE),
    "loss": (*losses.RULES, *predictions.RULES),
    "optimizer": optimizers.RULES,
    "solver": optimizers.SOLVERS,
    "initializer": values.INITIALIZERS,
    "schedule": values.SCHEDULES,
    "constraint": values.CONSTRAINTS,
}
RULES: dict[str, Sequence[Rule]] = {
    **{kind: (*own, *every.RULES, *use.RULES) for kind, own in _OWN.items()},
    "accelerator": (*accelerators.RULES, *every.RULES),
}
"""The contract of each kind; that of a kind that a plugin declares is what holds for all."""

Check = Callable[[], None]


@dataclass(frozen=True)
class Unbuilt:
    """A registered class that gave no examples; the only check it has says why.

    Attributes
    ----------
    entry : Entry
    error : Exception
        What was raised in place of examples.
    """

    entry: Entry
    error: Exception

    def __repr__(self) -> str:
        """Show the class and where it is registered."""
        return f"{self.entry.value.partition(':')[2]}(…)"

    def check(self) -> None:
        """Say why there are no examples."""
        raise CheckFailed(
            f"{type(self.error).__name__}: {self.error}",
            cause="a field without a default: define the classmethod `examples`, which returns instances worth "
            "testing, one for each way through the code",
            contract=f"Every registered class can give examples of itself; this one is {self.entry}.",
            check="examples_can_be_built",
            subject=repr(self),
        ) from self.error


def checks_of(component: Component | Unbuilt, *, of_the_class: bool = True) -> tuple[tuple[str, Check], ...]:
    """Return the checks that a component has to pass, each with its name.

    Parameters
    ----------
    component : Component
        Or what `registered_examples` returns.
    of_the_class : bool
        Whether checks that one instance of a class is enough for are among them.

    Returns
    -------
    tuple of (str, callable)
        Each takes nothing, and raises `CheckFailed` if the component fails.

    Examples
    --------
    >>> from modnet.initializers import Zeros
    >>> checks = dict(checks_of(Zeros()))
    >>> checks["samples_have_the_shape_asked_for"]()
    >>> len(checks) > 10
    True
    """
    if isinstance(component, Unbuilt):
        return (("examples_can_be_built", component.check),)
    rules = RULES.get(component.kind, every.RULES)
    return tuple(
        (rule.name, partial(rule.check, component))
        for rule in rules
        if (of_the_class or not rule.of_the_class) and rule.is_about(component)
    )


def registered_examples(distribution: str | None = None, kinds: Iterable[str] | None = None) -> list[Any]:
    """Return the examples of every registered component, so that a new one is covered without a line.

    Parameters
    ----------
    distribution : str, optional
        Whose components; default: those of all that are installed, and of this process.
    kinds : iterable of str, optional
        ``"layer"``, ``"activation"``, …; default: all.

    Returns
    -------
    list of Component
        As `Component.examples` gives them. Where a class gives none, as it has a required field and does not define
        `examples`, there is something in its place whose only check fails and says so.

    Raises
    ------
    UnknownComponentError
        If nobody of that name offers components.

    Examples
    --------
    >>> registered_examples("modnet-layers", kinds=["solver"])
    [LBFGS()]
    """
    chosen = registry.kinds if kinds is None else tuple(kinds)
    entries = [
        entry
        for entry in registry.entries()
        if distribution is None or normalized(entry.distribution) == normalized(distribution)
    ]
    if not entries:
        offering = sorted({entry.distribution for entry in registry.entries() if entry.distribution})
        raise UnknownComponentError(f"no distribution {distribution!r} offers components; {', '.join(offering)} do")
    return [example for entry in entries if entry.kind in chosen for example in _examples(entry)]


def parametrize_with_checks(components: Iterable[Any]) -> Any:
    """Make a test of every check of every component: a decorator for a test that takes `check` and calls it.

    Parameters
    ----------
    components : iterable of Component
        Instances, or what `registered_examples` returns.

    Returns
    -------
    pytest.MarkDecorator
        Tests are named after component and check: ``ReLU()-out_is_written_and_returned``.

    Examples
    --------
    >>> from modnet.activations import ReLU, Tanh
    >>> @parametrize_with_checks([ReLU(), Tanh()])
    ... def test_contract(check):
    ...     check()
    """
    import pytest  # here only: who trains networks need not have it

    components = list(components)
    often = Counter(map(repr, components))
    classes = [type(component) for component in components]
    cases = [
        pytest.param(check, id=f"{component!r}-{name}" if often[repr(component)] == 1 else f"{_kind(component)}-{name}")
        for index, component in enumerate(components)
        for name, check in checks_of(component, of_the_class=classes[index] not in classes[:index])
    ]
    return pytest.mark.parametrize("check", cases)


def _kind(component: Component | Unbuilt) -> str:
    """Return a component with its kind, where others of its name have another."""
    kind = component.entry.kind if isinstance(component, Unbuilt) else component.kind
    return f"{kind}-{component!r}"


def _examples(entry: Entry) -> Sequence[Component | Unbuilt]:
    try:
        cls = registry.get(entry.kind, f"{entry.distribution}:{entry.name}")
        return tuple(cls.examples()) or (Unbuilt(entry, ValueError("examples() is empty")),)
    except Exception as error:  # whatever another's class does, the others are to be checked
        return (Unbuilt(entry, error),)
