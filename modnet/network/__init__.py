"""Networks: which link has which slice of θ, and running them forward and backward."""

from modnet.network.link import Link, checked_shape
from modnet.network.network import Network
from modnet.network.running import Pass

__all__ = ["Link", "Network", "Pass", "checked_shape"]
