"""The standard activations, where users look for them; each is registered through an entry point."""

from modnet_standard.activations.functions import *
from modnet_standard.activations.rectifiers import *
from modnet_standard.activations.relu import *
from modnet_standard.activations.sigmoids import *
from modnet_standard.activations.silu import *
from modnet_standard.activations.softmax import *
