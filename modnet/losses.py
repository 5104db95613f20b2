"""The standard losses, where users look for them; each is registered through an entry point."""

from modnet_standard.losses.columns import *
from modnet_standard.losses.cross_entropy import *
from modnet_standard.losses.margins import *
from modnet_standard.losses.squared_error import *
