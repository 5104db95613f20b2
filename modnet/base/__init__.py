"""The abstract bases: what modnet asks of a module, an activation, a loss, an optimizer and the like.

Each file holds one base and the field annotation (``AnyModule``, ``AnyActivation``, …) that makes a slot for it.
"""

from modnet.base.accelerator import Accelerator, AnyAccelerator, CompiledLoop, Fused, TrainingStep
from modnet.base.activation import Activation, AnyActivation, Formulas
from modnet.base.constraint import AnyConstraint, Constraint
from modnet.base.context import Context
from modnet.base.initializer import AnyInitializer, Initializer
from modnet.base.inputs import AnyInputs, Inputs
from modnet.base.layout import Layout, Place
from modnet.base.loss import AnyLoss, DensityLoss, Loss, QuantileLoss, TargetScale, Task, served
from modnet.base.module import AnyModule, Blocks, Links, Module, Parameter, located, shape_through, under
from modnet.base.optimizer import Average, Optimizer, OptimizerState, ParameterGroup
from modnet.base.output import AnyOutput, Output
from modnet.base.schedule import AnySchedule, Progress, Schedule
from modnet.base.solver import AnyOptimizer, Objective, Solver
from modnet.base.types import Array, Column, ColumnType, Shape, TableShape, column_title

__all__ = [
    "Accelerator",
    "Activation",
    "AnyAccelerator",
    "AnyActivation",
    "AnyConstraint",
    "AnyInitializer",
    "AnyInputs",
    "AnyLoss",
    "AnyModule",
    "AnyOptimizer",
    "AnyOutput",
    "AnySchedule",
    "Array",
    "Average",
    "Blocks",
    "Column",
    "ColumnType",
    "CompiledLoop",
    "Constraint",
    "Context",
    "DensityLoss",
    "Formulas",
    "Fused",
    "Initializer",
    "Inputs",
    "Layout",
    "Links",
    "Loss",
    "Module",
    "Objective",
    "Optimizer",
    "OptimizerState",
    "Output",
    "Parameter",
    "ParameterGroup",
    "Place",
    "Progress",
    "QuantileLoss",
    "Schedule",
    "Shape",
    "Solver",
    "TableShape",
    "TargetScale",
    "Task",
    "TrainingStep",
    "column_title",
    "located",
    "served",
    "shape_through",
    "under",
]
