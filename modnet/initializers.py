"""The standard initializers, where users look for them; each is registered through an entry point."""

from modnet_standard.initializers.glorot import GlorotNormal, GlorotUniform
from modnet_standard.initializers.he import HeNormal, HeUniform
from modnet_standard.initializers.zeros import Zeros

__all__ = ["GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Zeros"]
