"""Which initializer ``"auto"`` stands for in a layer that has an activation: the one the activation says it suits."""

from typing import Annotated, Literal

from modnet import Activation, Initializer, Slot
from modnet_standard.initializers.glorot import GlorotUniform
from modnet_standard.initializers.he import HeUniform
from modnet_standard.initializers.lecun import LecunNormal

KernelInitializer = Annotated[Initializer | Literal["auto"], Slot("initializer", keep=("auto",))]
"""The slot of a layer's weights: an initializer, or ``"auto"`` to go by the layer's activation."""

_SUITED: dict[str, Initializer] = {"glorot": GlorotUniform(), "he": HeUniform(), "lecun": LecunNormal()}
# LeCun's is the normal one, as Klambauer et al. (2017), Self-normalizing neural networks, ask for.


def chosen(initializer: Initializer | Literal["auto"], activation: Activation | None) -> Initializer:
    """Return the initializer that is meant; without an activation "auto" is Glorot's.

    Examples
    --------
    >>> from modnet.activations import ReLU, Tanh
    >>> from modnet.initializers import Zeros
    >>> chosen("auto", Tanh()), chosen(Zeros(), Tanh()), chosen("auto", None)
    (GlorotUniform(), Zeros(), GlorotUniform())
    """
    if isinstance(initializer, Initializer):
        return initializer
    return _SUITED["glorot" if activation is None else activation.recommended_init]
