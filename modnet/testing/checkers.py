"""Holding one component to the contract of its kind: all checks, one after the other."""

from modnet.base import Accelerator, Activation, Constraint, Initializer, Loss, Module, Optimizer, Schedule, Solver
from modnet.component import Component
from modnet.testing.collecting import checks_of


def check_component(component: Component) -> None:
    """Hold a component to the contract of its kind.

    Parameters
    ----------
    component : Component

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
