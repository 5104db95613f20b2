"""Acceleration: an accelerator's links, loss and steps run in place of modnet's own, once they have been compared.

The network that a user sees stays as it is. `Engine` is what a trainer needs of this package, `accelerated` what a
prediction needs.
"""

from modnet.acceleration.engine import Engine
from modnet.acceleration.fusing import accelerated, fused_parts
from modnet.acceleration.installed import CompileTimer, accelerator_name, installed_accelerator

__all__ = ["CompileTimer", "Engine", "accelerated", "accelerator_name", "fused_parts", "installed_accelerator"]
