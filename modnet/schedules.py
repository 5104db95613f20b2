"""The standard schedules, where users look for them; each is registered through an entry point."""

from modnet_standard.schedules.cosine import *
from modnet_standard.schedules.decays import *
