"""Fused versions of modnet's components: the accelerator `Numba`, known as ``"numba"`` once this is installed."""

from modnet_numba.accelerator import Numba

__all__ = ["Numba"]
