"""The standard initializers, where users look for them; each is registered through an entry point."""

from modnet_standard.initializers.constants import Constant, Identity, Ones, Values, Zeros
from modnet_standard.initializers.distributions import Normal, Orthogonal, TruncatedNormal, Uniform
from modnet_standard.initializers.fans import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
)

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
