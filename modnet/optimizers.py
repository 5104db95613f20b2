"""The standard optimizers, where users look for them; each is registered through an entry point."""

from modnet_standard.optimizers.adam import *
from modnet_standard.optimizers.adam_variants import *
from modnet_standard.optimizers.lbfgs import *
from modnet_standard.optimizers.sgd import *
