"""The standard optimizers, where users look for them; each is registered through an entry point."""

from modnet_standard.optimizers.adagrad import Adadelta, Adagrad, RMSprop
from modnet_standard.optimizers.adam import Adam, AdamW
from modnet_standard.optimizers.adam_variants import AdaBelief, Adamax, NAdam, RAdam
from modnet_standard.optimizers.lbfgs import LBFGS
from modnet_standard.optimizers.sgd import SGD, Lion

__all__ = [
    "LBFGS",
    "SGD",
    "AdaBelief",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "NAdam",
    "RAdam",
    "RMSprop",
]
