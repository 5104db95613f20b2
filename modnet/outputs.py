"""The standard outputs, where users look for them; each is registered through an entry point."""

from modnet_standard.outputs.affine import *
