"""The standard activations, where users look for them; each is registered through an entry point."""

from modnet_standard.activations.identity import Identity
from modnet_standard.activations.relu import ReLU
from modnet_standard.activations.sigmoid import Sigmoid
from modnet_standard.activations.softmax import Softmax
from modnet_standard.activations.tanh import Tanh

__all__ = ["Identity", "ReLU", "Sigmoid", "Softmax", "Tanh"]
