"""The standard losses, where users look for them; each is registered through an entry point."""

from modnet_standard.losses.cross_entropy import CrossEntropy
from modnet_standard.losses.per_output import PerOutput
from modnet_standard.losses.poisson import Poisson
from modnet_standard.losses.squared_error import SquaredError

__all__ = ["CrossEntropy", "PerOutput", "Poisson", "SquaredError"]
