"""The standard layers, where users look for them; each is registered through an entry point."""

from modnet_standard.layers.codes import *
from modnet_standard.layers.columns import *
from modnet_standard.layers.composites import *
from modnet_standard.layers.dense import *
from modnet_standard.layers.elements import *
from modnet_standard.layers.gated_linear import *
from modnet_standard.layers.norms import *
from modnet_standard.layers.piecewise_linear import *
from modnet_standard.layers.scale import *
from modnet_standard.layers.shapes import *
from modnet_standard.layers.standardize import *
