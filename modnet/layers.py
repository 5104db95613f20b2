"""The standard layers, where users look for them; each is registered through an entry point."""

from modnet_standard.layers.clip import Clip, SmoothClip
from modnet_standard.layers.codes import Embedding, OneHot
from modnet_standard.layers.columns import Columns
from modnet_standard.layers.composites import ActivationLayer, Parallel, Residual, Sequential
from modnet_standard.layers.dense import Dense
from modnet_standard.layers.dropout import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from modnet_standard.layers.gated_linear import GatedLinear
from modnet_standard.layers.norms import BatchNorm, LayerNorm, RMSNorm
from modnet_standard.layers.scale import Bias, PReLU, Scale
from modnet_standard.layers.standardize import Standardize

__all__ = [
    "ActivationLayer",
    "AlphaDropout",
    "BatchNorm",
    "Bias",
    "Clip",
    "Columns",
    "Dense",
    "Dropout",
    "Embedding",
    "GatedLinear",
    "GaussianDropout",
    "GaussianNoise",
    "LayerNorm",
    "OneHot",
    "PReLU",
    "Parallel",
    "RMSNorm",
    "Residual",
    "Scale",
    "Sequential",
    "SmoothClip",
    "Standardize",
]
