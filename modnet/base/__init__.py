"""The abstract bases: what modnet asks of a module, an activation, a loss, an optimizer and the like.

Each file holds one base.
"""

from modnet.base.accelerator import Accelerator, Block, CompiledLoop, Epochs, Fused, Patience, TrainingStep
from modnet.base.activation import Activation, Formulas
from modnet.base.constraint import Constraint
from modnet.base.context import Context
from modnet.base.graph import Graph, Node, not_exported
from modnet.base.initializer import Initializer
from modnet.base.inputs import Inputs
from modnet.base.layout import Layout, Place
from modnet.base.loss import DensityLoss, Loss, QuantileLoss, TargetScale, Task, served
from modnet.base.module import Blocks, Links, Module, Parameter, located, shape_through, under
from modnet.base.optimizer import Optimizer, OptimizerState, ParameterGroup
from modnet.base.output import Output
from modnet.base.schedule import Progress, Schedule
from modnet.base.solver import Objective, Solver
from modnet.base.types import Array, Column, ColumnType, Shape, TableShape, column_title
from modnet.base.value import Value

__all__ = [
    "Accelerator",
    "Activation",
    "Array",
    "Block",
    "Blocks",
    "Column",
    "ColumnType",
    "CompiledLoop",
    "Constraint",
    "Context",
    "DensityLoss",
    "Epochs",
    "Formulas",
    "Fused",
    "Graph",
    "Initializer",
    "Inputs",
    "Layout",
    "Links",
    "Loss",
    "Module",
    "Node",
    "Objective",
    "Optimizer",
    "OptimizerState",
    "Output",
    "Parameter",
    "ParameterGroup",
    "Patience",
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
    "Value",
    "column_title",
    "located",
    "not_exported",
    "served",
    "shape_through",
    "under",
]
