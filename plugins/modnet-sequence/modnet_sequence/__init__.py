"""Layers for rows of several axes, such as images and series: convolution, pooling, attention, recurrence.

Once this distribution is installed, estimators and specs know them by their names in snake case: ``"conv2d"``,
``"multi_head_attention"``.
"""

from modnet_sequence.multi_head_attention import MultiHeadAttention

__version__ = "0.1.0"

__all__ = ["MultiHeadAttention"]
