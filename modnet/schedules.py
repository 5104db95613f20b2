"""The standard schedules, where users look for them; each is registered through an entry point."""

from modnet_standard.schedules.adaptive import Adaptive
from modnet_standard.schedules.constant import Constant
from modnet_standard.schedules.cosine import Cosine
from modnet_standard.schedules.cosine_restarts import CosineRestarts
from modnet_standard.schedules.exponential import Exponential
from modnet_standard.schedules.inverse_scaling import InverseScaling
from modnet_standard.schedules.multi_step import MultiStep
from modnet_standard.schedules.one_cycle import OneCycle
from modnet_standard.schedules.plateau import Plateau
from modnet_standard.schedules.polynomial import Polynomial
from modnet_standard.schedules.step import Step
from modnet_standard.schedules.warm_up import WarmUp

__all__ = [
    "Adaptive",
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Exponential",
    "InverseScaling",
    "MultiStep",
    "OneCycle",
    "Plateau",
    "Polynomial",
    "Step",
    "WarmUp",
]
