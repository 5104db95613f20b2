"""Networks: which link has which slice of θ, and running them forward and backward."""

from modnet.network.link import Link
from modnet.network.network import Network, checked_shape
from modnet.network.running import Pass

__all__ = ["Link", "Network", "Pass", "checked_shape"]
