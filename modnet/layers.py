"""The standard layers, where users look for them; each is registered through an entry point."""

from modnet_standard.layers.dense import Dense
from modnet_standard.layers.dropout import Dropout
from modnet_standard.layers.parallel import Parallel
from modnet_standard.layers.residual import Residual
from modnet_standard.layers.sequential import Sequential

__all__ = ["Dense", "Dropout", "Parallel", "Residual", "Sequential"]
