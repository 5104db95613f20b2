"""modnet: neural networks for scikit-learn, assembled from small plugins; the backward pass is the chain rule.

The names below are the whole framework. Estimators are imported when first used, since scikit-learn takes a second
to import and a plugin that defines a layer does not need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from modnet import errors
from modnet.base import (
    Accelerator,
    Activation,
    AnyActivation,
    AnyConstraint,
    AnyInitializer,
    AnyLoss,
    AnyModule,
    AnyOptimizer,
    AnySchedule,
    Array,
    CompiledLoop,
    Constraint,
    Context,
    DensityLoss,
    Fused,
    Initializer,
    Loss,
    Module,
    Objective,
    Optimizer,
    OptimizerState,
    Parameter,
    ParameterGroup,
    Progress,
    QuantileLoss,
    Schedule,
    Shape,
    Solver,
    TrainingStep,
)
from modnet.component import Component, Count, Slot, Unit
from modnet.network import Network
from modnet.registry import register
from modnet.spec import ModelSpec

if TYPE_CHECKING:
    from modnet.estimators import ModNetClassifier, ModNetRegressor, ModNetTransformer, TrainingCurveDisplay
    from modnet.estimators.persistence import load, save

__version__ = "0.1.0"

__all__ = [
    "Accelerator",
    "Activation",
    "AnyActivation",
    "AnyConstraint",
    "AnyInitializer",
    "AnyLoss",
    "AnyModule",
    "AnyOptimizer",
    "AnySchedule",
    "Array",
    "CompiledLoop",
    "Component",
    "Constraint",
    "Context",
    "Count",
    "DensityLoss",
    "Fused",
    "Initializer",
    "Loss",
    "ModNetClassifier",
    "ModNetRegressor",
    "ModNetTransformer",
    "ModelSpec",
    "Module",
    "Network",
    "Objective",
    "Optimizer",
    "OptimizerState",
    "Parameter",
    "ParameterGroup",
    "Progress",
    "QuantileLoss",
    "Schedule",
    "Shape",
    "Slot",
    "Solver",
    "TrainingCurveDisplay",
    "TrainingStep",
    "Unit",
    "errors",
    "load",
    "register",
    "save",
]


_LAZY = {
    **dict.fromkeys(
        ("ModNetClassifier", "ModNetRegressor", "ModNetTransformer", "TrainingCurveDisplay"), "modnet.estimators"
    ),
    **dict.fromkeys(("load", "save"), "modnet.estimators.persistence"),
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'modnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
