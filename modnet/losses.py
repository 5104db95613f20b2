"""The standard losses, where users look for them; each is registered through an entry point."""

from modnet_standard.losses.cross_entropy import CrossEntropy
from modnet_standard.losses.deviances import Gamma, Poisson, Tweedie
from modnet_standard.losses.focal import Focal
from modnet_standard.losses.hinge import Hinge, SquaredHinge
from modnet_standard.losses.per_output import PerOutput
from modnet_standard.losses.spreads import GaussianNLL, Quantile
from modnet_standard.losses.squared_error import AbsoluteError, Huber, LogCosh, SquaredError

__all__ = [
    "AbsoluteError",
    "CrossEntropy",
    "Focal",
    "Gamma",
    "GaussianNLL",
    "Hinge",
    "Huber",
    "LogCosh",
    "PerOutput",
    "Poisson",
    "Quantile",
    "SquaredError",
    "SquaredHinge",
    "Tweedie",
]
