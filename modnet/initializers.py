"""The standard initializers, where users look for them; each is registered through an entry point."""

from modnet_standard.initializers.distributions import *
from modnet_standard.initializers.fans import *
