"""The standard schedules, where users look for them; each is registered through an entry point."""

from modnet_standard.schedules.cosine import Cosine, CosineRestarts, OneCycle
from modnet_standard.schedules.decays import Constant, Exponential, InverseScaling, MultiStep, Polynomial, Step
from modnet_standard.schedules.plateau import Adaptive, Plateau
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
