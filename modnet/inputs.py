"""The standard inputs, where users look for them; each is registered through an entry point."""

from modnet_standard.inputs.table import *
