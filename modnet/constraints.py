"""The standard constraints, where users look for them; each is registered through an entry point."""

from modnet_standard.constraints.max_norm import MaxNorm
from modnet_standard.constraints.min_max_norm import MinMaxNorm
from modnet_standard.constraints.non_negative import NonNegative
from modnet_standard.constraints.unit_norm import UnitNorm

__all__ = ["MaxNorm", "MinMaxNorm", "NonNegative", "UnitNorm"]
