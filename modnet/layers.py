"""The standard layers, where users look for them; each is registered through an entry point."""

from modnet_standard.layers.activation_layer import ActivationLayer
from modnet_standard.layers.alpha_dropout import AlphaDropout
from modnet_standard.layers.batch_norm import BatchNorm
from modnet_standard.layers.bias import Bias
from modnet_standard.layers.clip import Clip
from modnet_standard.layers.columns import Columns
from modnet_standard.layers.dense import Dense
from modnet_standard.layers.dropout import Dropout
from modnet_standard.layers.embedding import Embedding
from modnet_standard.layers.gated_linear import GatedLinear
from modnet_standard.layers.gaussian_dropout import GaussianDropout
from modnet_standard.layers.gaussian_noise import GaussianNoise
from modnet_standard.layers.layer_norm import LayerNorm
from modnet_standard.layers.one_hot import OneHot
from modnet_standard.layers.parallel import Parallel
from modnet_standard.layers.prelu import PReLU
from modnet_standard.layers.residual import Residual
from modnet_standard.layers.rms_norm import RMSNorm
from modnet_standard.layers.scale import Scale
from modnet_standard.layers.sequential import Sequential
from modnet_standard.layers.smooth_clip import SmoothClip
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
