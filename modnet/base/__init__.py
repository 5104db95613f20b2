"""The abstract bases: what modnet asks of a module, an activation, a loss, an optimizer and the like.

Each file holds one base.
"""

from modnet.base.accelerator import Accelerator, CompiledLoop, Fused, TrainingStep
from modnet.base.activation import Activation, Formulas
from modnet.base.constraint import Constraint
from modnet.base.context import Context
from modnet.base.initializer import Initializer
from modnet.base.layout import Layout, Place
from modnet.base.loss import DensityLoss, Loss, QuantileLoss, Task
from modnet.base.module import Links, Module, Parameter, located, shape_through
from modnet.base.optimizer import Average, Optimizer, OptimizerState, ParameterGroup
from modnet.base.schedule import Progress, Schedule
from modnet.base.solver import Objective, Solver
from modnet.base.types import Array, Column, ColumnType, Shape, TableShape

__all__ = [
    "Accelerator",
    "Activation",
    "Array",
    "Average",
    "Column",
    "ColumnType",
    "CompiledLoop",
    "Constraint",
    "Context",
    "DensityLoss",
    "Formulas",
    "Fused",
    "Initializer",
    "Layout",
    "Links",
    "Loss",
    "Module",
    "Objective",
    "Optimizer",
    "OptimizerState",
    "Parameter",
    "ParameterGroup",
    "Place",
    "Progress",
    "QuantileLoss",
    "Schedule",
    "Shape",
    "Solver",
    "TableShape",
    "Task",
    "TrainingStep",
    "located",
    "shape_through",
]
