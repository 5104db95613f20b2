"""Acceleration: an accelerator's links, loss and steps run in place of modnet's own, once they have been compared.

The network that a user sees stays as it is. A trainer asks for an `Engine` and maybe a `compiled_loop`, a prediction
for an `accelerated` network.
"""

from modnet.acceleration.comparing import attempted
from modnet.acceleration.engine import MIN_STEPS, Engine, compiled_loop
from modnet.acceleration.fusing import accelerated, fused_parts, predicted, predicted_blocks
from modnet.acceleration.installed import CompileTimer, accelerator_name, installed_accelerator

__all__ = [
    "MIN_STEPS",
    "CompileTimer",
    "Engine",
    "accelerated",
    "accelerator_name",
    "attempted",
    "compiled_loop",
    "fused_parts",
    "installed_accelerator",
    "predicted",
    "predicted_blocks",
]
