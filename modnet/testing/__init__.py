"""The contract of components, executable: for modnet's components what check_estimator is for estimators.

A plugin's test is three lines::

    from modnet.testing import parametrize_with_checks, registered_examples

    @parametrize_with_checks(registered_examples("acme-layers"))
    def test_contract(check):
        check()
"""

from modnet.testing.collecting import (
    check_accelerator,
    check_activation,
    check_component,
    check_constraint,
    check_initializer,
    check_loss,
    check_module,
    check_optimizer,
    check_schedule,
    check_solver,
    checks_of,
    parametrize_with_checks,
    registered_examples,
)
from modnet.testing.comparing import CheckFailed, check_gradient, numeric_gradient
from modnet.testing.exporting import check_onnx
from modnet.testing.problems import check_network

__all__ = [
    "CheckFailed",
    "check_accelerator",
    "check_activation",
    "check_component",
    "check_constraint",
    "check_gradient",
    "check_initializer",
    "check_loss",
    "check_module",
    "check_network",
    "check_onnx",
    "check_optimizer",
    "check_schedule",
    "check_solver",
    "checks_of",
    "numeric_gradient",
    "parametrize_with_checks",
    "registered_examples",
]
