"""The abstract bases: what modnet asks of a module, an activation, a loss, an optimizer, an initializer, a schedule.

Each file holds one base and the field annotation (``AnyModule``, ``AnyActivation``, …) that makes a slot for it.
"""

from modnet.base.activation import Activation, AnyActivation
from modnet.base.context import Context
from modnet.base.initializer import AnyInitializer, Initializer
from modnet.base.loss import AnyLoss, Loss, Task
from modnet.base.module import AnyModule, Links, Module, Parameter, located, shape_through
from modnet.base.optimizer import AnyOptimizer, Objective, Optimizer, OptimizerState, Solver
from modnet.base.schedule import AnySchedule, Progress, Schedule
from modnet.base.types import Array, Shape

__all__ = [
    "Activation",
    "AnyActivation",
    "AnyInitializer",
    "AnyLoss",
    "AnyModule",
    "AnyOptimizer",
    "AnySchedule",
    "Array",
    "Context",
    "Initializer",
    "Links",
    "Loss",
    "Module",
    "Objective",
    "Optimizer",
    "OptimizerState",
    "Parameter",
    "Progress",
    "Schedule",
    "Shape",
    "Solver",
    "Task",
    "located",
    "shape_through",
]
