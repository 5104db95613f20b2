"""The standard activations, where users look for them; each is registered through an entry point."""

from modnet_standard.activations.elu import CELU, ELU, SELU
from modnet_standard.activations.functions import Exponential, Identity, Sine
from modnet_standard.activations.relu import LeakyReLU, ReLU, ReLU6, ReLUSquared, Threshold
from modnet_standard.activations.shrinkers import HardShrink, SoftShrink, TanhShrink
from modnet_standard.activations.sigmoids import HardSigmoid, HardTanh, LogSigmoid, Sigmoid, Softsign, Tanh
from modnet_standard.activations.silu import GELU, HardSwish, Mish, SiLU
from modnet_standard.activations.softmax import LogSoftmax, Softmax, Sparsemax
from modnet_standard.activations.softplus import Softplus, SparsePlus, Squareplus

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "Exponential",
    "HardShrink",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "ReLU",
    "ReLU6",
    "ReLUSquared",
    "SiLU",
    "Sigmoid",
    "Sine",
    "SoftShrink",
    "Softmax",
    "Softplus",
    "Softsign",
    "SparsePlus",
    "Sparsemax",
    "Squareplus",
    "Tanh",
    "TanhShrink",
    "Threshold",
]
