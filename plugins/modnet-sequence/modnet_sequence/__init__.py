"""Layers for rows of several axes, such as images and series: convolution, pooling, attention, recurrence.

Once this distribution is installed, estimators and specs know them by their names in snake case: ``"conv2d"``,
``"transformer_block"``.
"""

from modnet_sequence.convolution import Conv1D, Conv2D
from modnet_sequence.lstm import LSTM
from modnet_sequence.multi_head_attention import MultiHeadAttention
from modnet_sequence.pooling import AveragePool, GlobalPool, MaxPool
from modnet_sequence.tokens import PositionalEncoding, Tokens
from modnet_sequence.transformer_block import TransformerBlock

__version__ = "0.1.0"

__all__ = [
    "LSTM",
    "AveragePool",
    "Conv1D",
    "Conv2D",
    "GlobalPool",
    "MaxPool",
    "MultiHeadAttention",
    "PositionalEncoding",
    "Tokens",
    "TransformerBlock",
]
