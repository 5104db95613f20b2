"""Two components for modnet: the layer `RBF` and the activation `Snake`.

Once this distribution is installed, estimators and specs know them by the names ``"rbf"`` and ``"snake"``.
"""

from modnet_example.rbf import RBF
from modnet_example.snake import Snake

__all__ = ["RBF", "Snake"]
