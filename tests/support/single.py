"""A module by itself: rows go in, what it returns comes out, and its arrays have its own names for them."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from modnet import Array, Module, Network, Shape
from modnet.network import Pass


class Single:
    """One module as a network.

    Parameters
    ----------
    module : Module
        One that is a single link.
    input_shape : tuple of int
    dtype : dtype
    training : bool
    seed : int
        Of the first values and of noise.
    **values : array-like
        What parameters and state are set to, by the module's names.

    Attributes
    ----------
    p, g, s : SimpleNamespace of ndarray
        Parameters, their gradients and the state, as views.
    """

    def __init__(
        self,
        module: Module,
        input_shape: Shape,
        *,
        dtype: Any = np.float64,
        training: bool = True,
        seed: int = 0,
        **values: Any,
    ) -> None:
        self.network = Network([module], input_shape)
        (self.link,) = self.network.links
        self.theta, self.state = self.network.initialize(np.random.default_rng(seed), dtype)
        self.gradient = np.full_like(self.theta, np.nan)
        self.training, self.rng = training, np.random.default_rng(seed)
        self.p, self.g = (self._views(vector, self.link.places) for vector in (self.theta, self.gradient))
        self.s = self._views(self.state, self.link.state_places)
        for name, value in values.items():
            vars(self.p if name in self.link.places else self.s)[name][...] = value

    def forward(self, x: Any) -> Array:
        """Return y."""
        x = np.asarray(x, self.theta.dtype)
        self._pass = Pass(
            self.network,
            self.theta,
            self.state,
            gradient=self.gradient,
            rows=len(x),
            training=self.training,
            rng=self.rng,
        )
        return self._pass.forward(x)

    def backward(self, dy: Array) -> Array:
        """Write `g` and return dx."""
        self._pass.backward(dy)
        return self._pass.input_gradient()

    @staticmethod
    def _views(vector: Array, places: Any) -> SimpleNamespace:
        return SimpleNamespace(**{name: place.view(vector) for name, place in places.items()})
