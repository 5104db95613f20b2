"""The standard optimizers, where users look for them; each is registered through an entry point."""

from modnet_standard.optimizers.adabelief import AdaBelief
from modnet_standard.optimizers.adadelta import Adadelta
from modnet_standard.optimizers.adagrad import Adagrad
from modnet_standard.optimizers.adam import Adam
from modnet_standard.optimizers.adamax import Adamax
from modnet_standard.optimizers.adamw import AdamW
from modnet_standard.optimizers.lbfgs import LBFGS
from modnet_standard.optimizers.lion import Lion
from modnet_standard.optimizers.nadam import NAdam
from modnet_standard.optimizers.radam import RAdam
from modnet_standard.optimizers.rmsprop import RMSprop
from modnet_standard.optimizers.sgd import SGD

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
