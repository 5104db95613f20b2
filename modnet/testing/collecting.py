"""Which checks a component has to pass, which components there are, and tests of pytest for all of them.

For each kind there is a function that holds one component to all of its checks, one after the other.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from modnet.base import Accelerator, Activation, Constraint, Initializer, Loss, Module, Optimizer, Schedule, Solver
from modnet.component import Component
from modnet.entries import NAMES, Entry, normalized
from modnet.errors import UnknownComponentError
from modnet.registry import registry
from modnet.testing import accelerators, components, exporting, losses, modules, optimizers, passes, plans, values
from modnet.testing.comparing import CheckFailed
from modnet.testing.rules import Rule

_EVERY = (*components.RULES, *components.USES)
_MODULE = (*modules.RULES, *passes.RULES, *exporting.RULES, *_EVERY)
RULES: dict[str, Sequence[Rule]] = {
    "layer": _MODULE,
    "activation": (*values.ACTIVATIONS, *_MODULE),
    "inputs": (*plans.INPUTS, *_EVERY),
    "output": (*plans.OUTPUTS, *_EVERY),
    "loss": (*losses.RULES, *exporting.RULES, *_EVERY),
    "optimizer": (*optimizers.RULES, *_EVERY),
    "solver": (*optimizers.SOLVERS, *_EVERY),
    "initializer": (*values.INITIALIZERS, *_EVERY),
    "schedule": (*values.SCHEDULES, *_EVERY),
    "constraint": (*values.CONSTRAINTS, *_EVERY),
    "accelerator": (*accelerators.RULES, *components.RULES),
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
    return tuple(
        (rule.name, partial(rule.check, component))
        for rule in RULES.get(component.kind, components.RULES)
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
    entries = list(registry.entries())
    if distribution is not None:
        entries = [entry for entry in entries if normalized(entry.distribution) == normalized(distribution)]
    if not entries:
        for entry in registry.misnamed():
            if normalized(entry.distribution) == normalized(distribution or ""):
                raise UnknownComponentError(f"{entry} is not offered: {NAMES}")
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

    given, seen, cases = list(components), set(), []
    often = Counter(map(repr, given))
    for component in given:
        entry = component.entry if isinstance(component, Unbuilt) else component
        title = repr(component) if often[repr(component)] == 1 else f"{entry.kind}-{component!r}"
        checks = checks_of(component, of_the_class=type(component) not in seen)
        cases += [pytest.param(check, id=f"{title}-{name}") for name, check in checks]
        seen.add(type(component))
    return pytest.mark.parametrize("check", cases)


def _examples(entry: Entry) -> Sequence[Component | Unbuilt]:
    try:
        cls = registry.get(entry.kind, f"{entry.distribution}:{entry.name}")
        return tuple(cls.examples()) or (Unbuilt(entry, ValueError("examples() is empty")),)
    except Exception as error:  # whatever another's class does, the others are to be checked
        return (Unbuilt(entry, error),)


def check_component(component: Component) -> None:
    """Hold a component to the contract of its kind.

    Parameters
    ----------
    component : Component
        Of any kind.

    Raises
    ------
    CheckFailed
        By the first check that fails. It says what the contract is, what was found, the smallest input that shows it,
        and what is usually wrong then.

    Examples
    --------
    >>> from modnet.schedules import Cosine
    >>> check_component(Cosine())
    """
    __tracebackhide__ = True
    for _, check in checks_of(component):
        check()


def check_module(component: Module) -> None:
    """Hold a module, or an activation, to the contract of modules: gradients, dtypes, buffers, no state, any thread.

    Parameters
    ----------
    component : Module
        It is tried on what its `example_rows` returns.

    Raises
    ------
    CheckFailed

    Examples
    --------
    >>> from modnet.layers import Dense
    >>> check_module(Dense(3))
    """
    _check(component, Module)


def check_activation(component: Activation) -> None:
    """Hold an activation to its contract: `f` and `df` by themselves, at kinks, and all that holds for modules.

    Parameters
    ----------
    component : Activation
        The activation to check.

    Raises
    ------
    CheckFailed
    """
    _check(component, Activation)


def check_loss(component: Loss) -> None:
    """Hold a loss to its contract, in every task that it serves: gradient, weights, `out`, predictions, extremes.

    Parameters
    ----------
    component : Loss
        The loss to check.

    Raises
    ------
    CheckFailed

    Notes
    -----
    What J of no rows should be is not said anywhere, and not checked: an average over nothing.
    """
    _check(component, Loss)


def check_optimizer(component: Optimizer) -> None:
    """Hold an optimizer to its contract: θ in place, the gradient only read, all memory in the state, any size of step.

    Parameters
    ----------
    component : Optimizer
        The optimizer to check.

    Raises
    ------
    CheckFailed
    """
    _check(component, Optimizer)


def check_solver(component: Solver) -> None:
    """Hold a solver to its contract: it finds the minimum of a quadratic, in place, and stops when it is told to.

    Parameters
    ----------
    component : Solver
        The solver to check.

    Raises
    ------
    CheckFailed
    """
    _check(component, Solver)


def check_initializer(component: Initializer) -> None:
    """Hold an initializer to its contract: shape, dtype, and no randomness but from the rng that it is given.

    Parameters
    ----------
    component : Initializer
        The initializer to check.

    Raises
    ------
    CheckFailed
    """
    _check(component, Initializer)


def check_schedule(component: Schedule) -> None:
    """Hold a schedule to its contract: finite rates, ≥ 0, that depend on the progress alone.

    Parameters
    ----------
    component : Schedule
        The schedule to check.

    Raises
    ------
    CheckFailed
    """
    _check(component, Schedule)


def check_constraint(component: Constraint) -> None:
    """Hold a constraint to its contract: a projection, in place, that leaves alone what is allowed.

    Parameters
    ----------
    component : Constraint
        The constraint to check.

    Raises
    ------
    CheckFailed
    """
    _check(component, Constraint)


def check_accelerator(component: Accelerator) -> None:
    """Hold an accelerator to its contract: whatever it offers is compared with the original, in both dtypes.

    Parameters
    ----------
    component : Accelerator
        It is offered every registered layer, activation, loss and optimizer.

    Raises
    ------
    CheckFailed

    Examples
    --------
    >>> from modnet import Accelerator
    >>> check_accelerator(Accelerator())  # offers nothing, and does no harm
    """
    _check(component, Accelerator)


def _check(component: Component, base: type[Component]) -> None:
    __tracebackhide__ = True
    if not isinstance(component, base):
        raise TypeError(f"expected an instance of modnet.{base.__name__}, got {component!r}")
    check_component(component)
