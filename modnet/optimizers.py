"""The standard optimizers, where users look for them; each is registered through an entry point."""

from modnet_standard.optimizers.adam import Adam
from modnet_standard.optimizers.lbfgs import LBFGS
from modnet_standard.optimizers.sgd import SGD

__all__ = ["LBFGS", "SGD", "Adam"]
