"""The standard schedules, where users look for them; each is registered through an entry point."""

from modnet_standard.schedules.adaptive import Adaptive
from modnet_standard.schedules.constant import Constant
from modnet_standard.schedules.inverse_scaling import InverseScaling

__all__ = ["Adaptive", "Constant", "InverseScaling"]
