"""The standard activations, where users look for them; each is registered through an entry point."""

from modnet_standard.activations.celu import CELU
from modnet_standard.activations.elu import ELU
from modnet_standard.activations.exponential import Exponential
from modnet_standard.activations.gelu import GELU
from modnet_standard.activations.hard_shrink import HardShrink
from modnet_standard.activations.hard_sigmoid import HardSigmoid
from modnet_standard.activations.hard_swish import HardSwish
from modnet_standard.activations.hard_tanh import HardTanh
from modnet_standard.activations.identity import Identity
from modnet_standard.activations.leaky_relu import LeakyReLU
from modnet_standard.activations.log_sigmoid import LogSigmoid
from modnet_standard.activations.log_softmax import LogSoftmax
from modnet_standard.activations.mish import Mish
from modnet_standard.activations.relu import ReLU
from modnet_standard.activations.relu6 import ReLU6
from modnet_standard.activations.relu_squared import ReLUSquared
from modnet_standard.activations.selu import SELU
from modnet_standard.activations.sigmoid import Sigmoid
from modnet_standard.activations.silu import SiLU
from modnet_standard.activations.sine import Sine
from modnet_standard.activations.soft_shrink import SoftShrink
from modnet_standard.activations.softmax import Softmax
from modnet_standard.activations.softplus import Softplus
from modnet_standard.activations.softsign import Softsign
from modnet_standard.activations.sparse_plus import SparsePlus
from modnet_standard.activations.sparsemax import Sparsemax
from modnet_standard.activations.squareplus import Squareplus
from modnet_standard.activations.tanh import Tanh
from modnet_standard.activations.tanh_shrink import TanhShrink
from modnet_standard.activations.threshold import Threshold

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
