"""The layout of a vector: which slice of it is which parameter, and in which shape.

All parameters of a network are slices of one vector θ. Views are cut when somebody wants them and are never kept beside
it: deepcopy, pickle and joblib would cut the tie between the two without a word.
"""

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from modnet.base.module import Parameter
from modnet.base.types import Array, Shape
from modnet.errors import ContractError


@dataclass(frozen=True)
class Place:
    """Where one parameter lies in a vector: ``vector[start:stop].reshape(shape)``.

    Parameters
    ----------
    start : int
        Its first element, from 0.
    stop : int
        Behind its last.
    shape : tuple of int
        Of the parameter; its product is ``stop - start``.
    """

    start: int
    stop: int
    shape: Shape

    def view(self, vector: Array) -> Array:
        """Return the parameter as a view of the vector.

        Parameters
        ----------
        vector : ndarray, shape (…, size)
            Values of all parameters.

        Returns
        -------
        ndarray, shape (…, *shape)
            What is written into it is in the vector.
        """
        return vector[..., self.start : self.stop].reshape(vector.shape[:-1] + self.shape)


class Layout:
    """Places of parameters in one vector, regularized ones first.

    Parameters
    ----------
    parameters : iterable of (str, Parameter)
        Full name (``"layers[0].W"``) and what it is. Regularized parameters are put before the others, so that L2
        decay is one slice; among themselves they keep their order.

    Attributes
    ----------
    places : mapping of str to Place
    constraints : mapping of str to Constraint
        What values have to satisfy, for the parameters that have a constraint.
    size, regularized : int
        Length of the vector, and of the part in front that is regularized.
    factors : mapping of str to float
        What the learning rate of a parameter is multiplied by, ≥ 0, where that is not 1; 0: it is frozen.
    rates : float or ndarray, shape (size,)
        The same for each element of the vector: 1.0, or a vector of factors, which nobody writes to.

    Raises
    ------
    ContractError
        If two parameters have the same name.

    Examples
    --------
    >>> from modnet.base import Parameter
    >>> from modnet.initializers import Zeros
    >>> layout = Layout([("b", Parameter((1, 2), Zeros(), regularized=False)), ("W", Parameter((3, 2), Zeros()))])
    >>> layout.size, layout.regularized, layout.places["b"]
    (8, 6, Place(start=6, stop=8, shape=(1, 2)))
    """

    def __init__(self, parameters: Iterable[tuple[str, Parameter]]) -> None:
        ordered = sorted(parameters, key=lambda item: not item[1].regularized)
        self.places: dict[str, Place] = {}
        self.constraints = {name: each.constraint for name, each in ordered if each.constraint is not None}
        self._initializers = {name: parameter.initializer for name, parameter in ordered}
        self.factors: Mapping[str, float] = {}
        self.rates: float | Array = 1.0
        self.size = self.regularized = 0
        for name, parameter in ordered:
            if name in self.places:
                raise ContractError(f"two parameters are called {name!r}: their links need paths of their own")
            stop = self.size + math.prod(parameter.shape)
            self.places[name] = Place(self.size, stop, parameter.shape)
            self.size = stop
            if parameter.regularized:
                self.regularized = stop

    @classmethod
    def of_shapes(cls, weights: Mapping[str, Shape], others: Mapping[str, Shape] = MappingProxyType({})) -> Self:
        """Return the layout of parameters of which shapes are all that is known.

        No first values can be drawn with it.

        Parameters
        ----------
        weights : mapping of str to tuple of int
            Shapes of the regularized parameters, by full name.
        others : mapping of str to tuple of int
            Shapes of the others.

        Returns
        -------
        Layout
            In the order given.
        """
        layout = cls(())
        for name, shape in {**weights, **others}.items():
            start, layout.size = layout.size, layout.size + math.prod(shape)
            layout.places[name] = Place(start, layout.size, shape)
        layout.regularized = sum(map(math.prod, weights.values()))
        return layout

    @classmethod
    def flat(cls, size: int, regularized: int | None = None) -> Self:
        """Return the layout of a bare vector.

        Parameters
        ----------
        size : int
            Its length.
        regularized : int, optional
            How many elements in front are regularized; None: all.

        Returns
        -------
        Layout
            One or two parameters, with one axis each.

        Examples
        --------
        >>> {name: place.shape for name, place in Layout.flat(5, regularized=3).places.items()}
        {'weights': (3,), 'others': (2,)}
        """
        front = size if regularized is None else regularized
        return cls.of_shapes({"weights": (front,)}, {"others": (size - front,)} if front < size else {})

    def with_factors(self, factors: Mapping[str, float], dtype: "np.dtype[Any]") -> "Layout":
        """Return the same places with learning rates that are multiplied by factors.

        Parameters
        ----------
        factors : mapping of str to float
            By full name, ≥ 0; what is not in it keeps its rate.
        dtype : dtype
            Of `rates`.

        Returns
        -------
        Layout
            A new one; this one stays as it is.

        Examples
        --------
        >>> Layout.flat(3, regularized=2).with_factors({"weights": 0.0}, np.dtype(np.float32)).rates
        array([0., 0., 1.], dtype=float32)
        """
        layout = copy.copy(self)
        layout.factors = {name: factor for name, factor in factors.items() if factor != 1}
        if layout.factors:
            layout.rates = np.ones(self.size, dtype)
            for name, factor in layout.factors.items():
                self.places[name].view(layout.rates)[...] = factor
        return layout

    def freeze(self, gradient: Array) -> None:
        """Set the gradient of what has a factor of 0 to 0: it does not learn, and has no share in a norm.

        Parameters
        ----------
        gradient : ndarray, shape (size,)
            Changed in place.
        """
        for name, factor in self.factors.items():
            if factor == 0:
                self.places[name].view(gradient)[...] = 0

    def views(self, vector: Array) -> Mapping[str, Array]:
        """Return every parameter as a view of a vector.

        Parameters
        ----------
        vector : ndarray, shape (…, size)
            Values of all parameters.

        Returns
        -------
        mapping of str to ndarray
            By full name; what is written into one is in the vector.
        """
        return {name: place.view(vector) for name, place in self.places.items()}

    def sample(self, rng: np.random.Generator, dtype: np.dtype[np.floating]) -> Array:
        """Return a vector of first values, drawn by each parameter's initializer.

        Each has a generator of its own, seeded by one number of `rng` and the parameter's name. So neither the order of
        parameters nor another one among them changes what a parameter begins with.

        Parameters
        ----------
        rng : numpy.random.Generator
            One number is drawn from it.
        dtype : dtype
            Of the vector.

        Returns
        -------
        ndarray, shape (size,)
            The θ that training starts from.
        """
        vector, seed = np.empty(self.size, dtype), int(rng.integers(2**63))
        for name, place in self.places.items():
            own = np.random.default_rng([seed, int.from_bytes(name.encode())])  # 20 µs
            place.view(vector)[...] = self._initializers[name].sample(own, place.shape)
        return vector
