"""The standard losses, where users look for them; each is registered through an entry point."""

from modnet_standard.losses.absolute_error import AbsoluteError
from modnet_standard.losses.cross_entropy import CrossEntropy
from modnet_standard.losses.focal import Focal
from modnet_standard.losses.gamma import Gamma
from modnet_standard.losses.gaussian_nll import GaussianNLL
from modnet_standard.losses.hinge import Hinge
from modnet_standard.losses.huber import Huber
from modnet_standard.losses.log_cosh import LogCosh
from modnet_standard.losses.per_output import PerOutput
from modnet_standard.losses.poisson import Poisson
from modnet_standard.losses.quantile import Quantile
from modnet_standard.losses.squared_error import SquaredError
from modnet_standard.losses.squared_hinge import SquaredHinge
from modnet_standard.losses.tweedie import Tweedie

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
