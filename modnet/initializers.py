"""The standard initializers, where users look for them; each is registered through an entry point."""

from modnet_standard.initializers.constant import Constant
from modnet_standard.initializers.glorot import GlorotNormal, GlorotUniform
from modnet_standard.initializers.he import HeNormal, HeUniform
from modnet_standard.initializers.identity import Identity
from modnet_standard.initializers.lecun import LecunNormal, LecunUniform
from modnet_standard.initializers.normal import Normal
from modnet_standard.initializers.ones import Ones
from modnet_standard.initializers.orthogonal import Orthogonal
from modnet_standard.initializers.truncated_normal import TruncatedNormal
from modnet_standard.initializers.uniform import Uniform
from modnet_standard.initializers.values import Values
from modnet_standard.initializers.zeros import Zeros

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "TruncatedNormal",
    "Uniform",
    "Values",
    "Zeros",
]
