"""A network is modules in a row, placed: each link knows its path, its shapes and its slices of θ.

It holds no weights. θ belongs to whoever trains or predicts, and every method takes it.
"""

import copy
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from modnet.base import Array, Links, Module, Shape
from modnet.errors import InputError, ShapeError
from modnet.network.link import Link, checked_shape, end_of, finite_array, placed, walk
from modnet.network.running import Pass

BLOCK = 2**17
"""Elements per link and block in prediction: half a MiB in float32."""

FEW_ROWS = 16
"""Up to how many rows the buffers of a prediction are kept for the next."""


class Network:
    """A chain of links from inputs of one shape to raw outputs.

    Parameters
    ----------
    layers : sequence of (str, Module) or of Module
        The modules in a row, with their paths (default: ``layers[i]``).
    input_shape : tuple of int
        Shape per row of the input, ``(n_features,)`` for a table.

    Attributes
    ----------
    links : tuple of Link
    input_shape, output_shape : tuple of int
    layout, state_layout : Layout
        Of θ and of the non-trainable state.

    Raises
    ------
    ShapeError
        If a module does not fit what comes before it; the message names its path.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.layers import Dense
    >>> network = Network([Dense(3, activation="tanh"), Dense(1)], input_shape=(2,))
    >>> [link.title for link in network.links]
    ['layers[0] (Dense)', 'layers[0].activation (Tanh)', 'layers[1] (Dense)']
    >>> theta, state = network.initialize(np.random.default_rng(0))
    >>> theta.shape, network.predict(theta, state, np.zeros((5, 2))).shape
    ((13,), (5, 1))
    """

    def __init__(self, layers: Sequence[Module] | Links, input_shape: Shape) -> None:
        if not layers:
            raise ShapeError("a network needs at least one layer, got none")
        links: Links = [
            layer if isinstance(layer, tuple) else (f"layers[{index}]", layer) for index, layer in enumerate(layers)
        ]
        input_shape = checked_shape(input_shape)
        self.links, self.layout, self.state_layout = placed(links, input_shape)
        self.input_shape = input_shape
        self.output_shape = self.links[-1].output_shape

    def __repr__(self) -> str:
        """Show the way from input to output, and the size of θ."""
        widths = [self.input_shape, *(link.output_shape for link in self.links if link.trainable)]
        way = " → ".join("×".join(map(str, shape)) for shape in widths)
        return f"Network({way}, {self.layout.size:,} parameters)"

    def initialize(
        self, rng: np.random.Generator, dtype: type[np.floating] | np.dtype[np.floating] = np.float64
    ) -> tuple[Array, Array]:
        """Return first values of θ and of the state, both of the given dtype.

        Parameters
        ----------
        rng : numpy.random.Generator
            What first values are drawn with.
        dtype : dtype
            Of both vectors.

        Returns
        -------
        (ndarray, ndarray)
            The vectors θ and state, shapes (layout.size,) and (state_layout.size,).
        """
        dtype = np.dtype(dtype)
        return self.layout.sample(rng, dtype), self.state_layout.sample(rng, dtype)

    def check_rows(self, x: Array) -> None:
        """Check that the first link takes rows of this kind.

        Parameters
        ----------
        x : ndarray or scipy.sparse matrix
            The rows.

        Raises
        ------
        ShapeError
            If they are sparse, and it does not.
        """
        first = self.links[0]
        if not isinstance(x, np.ndarray) and not first.module.takes_sparse:
            raise ShapeError(f"{first.title} takes no sparse input: put a dense layer first, or pass X.toarray()")

    def parameters(self, theta: Array) -> Mapping[str, Array]:
        """Return θ's parameters as views, by full name: ``{"layers[0].W": …}``.

        Parameters
        ----------
        theta : ndarray, shape (layout.size,)
            The vector θ.

        Returns
        -------
        mapping of str to ndarray
            What is written into one is in θ.
        """
        return self.layout.views(theta)

    def assign(self, theta: Array, state: Array, weights: Mapping[str, Any] | Any) -> None:
        """Write given values into θ and the state.

        Parameters
        ----------
        theta, state : ndarray
            As from `initialize`; changed in place.
        weights : mapping of str to array-like, or array-like of shape (layout.size,)
            By full name, for some parameters or all; or the whole θ.

        Raises
        ------
        ShapeError
            If there is no such parameter, or a value does not have its shape; nothing is written then.
        """
        if not isinstance(weights, Mapping):
            vector = finite_array("weights", weights, theta.dtype)
            if vector.shape != theta.shape:
                raise ShapeError(f"weights: θ has shape {theta.shape}, got {vector.shape}")
            theta[...] = vector
            return
        views = {**self.layout.views(theta), **self.state_layout.views(state)}
        unknown = [name for name in weights if name not in views]
        if unknown:
            raise ShapeError(f"weights[{unknown[0]!r}]: there is no such parameter; there are {', '.join(views)}")
        values = {name: finite_array(f"weights[{name!r}]", value, theta.dtype) for name, value in weights.items()}
        for name, value in values.items():
            # A bias of shape (1, n) may be given as scikit-learn's intercepts are, with shape (n,).
            if value.shape != views[name].shape and (1, *value.shape) != views[name].shape:
                raise ShapeError(f"weights[{name!r}]: should have shape {views[name].shape}, got {value.shape}")
        for name, value in values.items():
            views[name][...] = value.reshape(views[name].shape)

    def predict(self, theta: Array, state: Array, x: Array) -> Array:
        """Return the raw output for any number of rows, in blocks of bounded memory.

        Parameters
        ----------
        theta, state : ndarray
            As from `initialize`; not changed.
        x : ndarray or scipy.sparse CSR matrix, shape (n, *input_shape), dtype of θ
            The rows.

        Returns
        -------
        ndarray, shape (n, *output_shape), dtype of θ
            An array of its own.
        """
        return self.outputs_of(self.links[-1], theta, state, x)

    def predict_blocks(self, theta: Array, state: Array, x: Array) -> Iterator[Array]:
        """Return the raw output block by block, where nobody needs all of it at once.

        Parameters
        ----------
        theta, state, x : ndarray
            As for `predict`.

        Returns
        -------
        iterator of ndarray
            Each of shape (rows, *output_shape), and overwritten by the next.
        """
        return (y for _, y in self._outputs(self.links[-1], theta, state, x))

    def outputs_of(self, link: Link, theta: Array, state: Array, x: Array) -> Array:
        """Return what one link puts out, for any number of rows, in blocks of bounded memory.

        Parameters
        ----------
        link : Link
            One of the network's own or one inside a composite; see `layer`. What lies behind it is not run.
        theta, state, x : ndarray
            As for `predict`.

        Returns
        -------
        ndarray, shape (n, *link.output_shape), dtype of θ
            An array of its own.
        """
        y = np.empty((x.shape[0], *link.output_shape), theta.dtype)
        for rows, block in self.up_to(link)._outputs(link, theta, state, x):
            y[rows] = block
        return y

    def layer(self, path: str) -> Link:
        """Return the link that ends the layer at a path: of a dense layer with an activation, the activation.

        Parameters
        ----------
        path : str
            ``"layers[0]"`` or, inside a composite, ``"layers[0].body[1]"``.

        Returns
        -------
        Link
            One of `walk`.

        Raises
        ------
        ShapeError
            If there is no such layer.

        Examples
        --------
        >>> from modnet.layers import Dense
        >>> Network([Dense(3, activation="tanh"), Dense(1)], input_shape=(2,)).layer("layers[0]").title
        'layers[0].activation (Tanh)'
        """
        link = end_of(path, self.links)
        if link is None:
            raise ShapeError(
                f"{path}: there is no such layer; there are {', '.join(each.path for each in self.walk())}"
            )
        return link

    def up_to(self, link: Link) -> "Network":
        """Return the links up to one, or to the composite that it is in, as a network on the same θ.

        Parameters
        ----------
        link : Link
            One of `walk`.

        Returns
        -------
        Network
            It ends with that link.
        """
        last = next(index for index, each in enumerate(self.links) if any(inner is link for inner in walk([each])))
        return self.part(0, last + 1)

    def split(self) -> tuple["Network | None", "Network"]:
        """Return the fixed links in front of the first that is trained, and the others, as networks on the same θ.

        Returns
        -------
        head : Network or None
            What makes of a row the same in every epoch; None if the first link is not fixed.
        body : Network
            The rest, at least one link.
        """
        count = 0
        while count < len(self.links) - 1 and self.links[count].module.fixed and not self.links[count].trainable:
            count += 1
        return (self.part(0, count) if count else None), self.part(count, len(self.links))

    def behind(self, link: Link) -> "Network":
        """Return the links behind one of this network's own as a network on the same θ.

        Parameters
        ----------
        link : Link
            One of this network's own.

        Returns
        -------
        Network
            It begins with the next.

        Raises
        ------
        ShapeError
            If nothing follows the link, or it is inside a composite.
        """
        index = next((index for index, each in enumerate(self.links[:-1]) if each is link), None)
        if index is None:
            raise ShapeError(f"{link.title} is the last link, or inside another: nothing can be run from there on")
        return self.part(index + 1, len(self.links))

    def walk(self) -> Iterator[Link]:
        """Return every link, those inside composites behind the composite.

        Returns
        -------
        iterator of Link
            In the order in which they run, but for composites.
        """
        return walk(self.links)

    def part(self, start: int, stop: int) -> "Network":
        """Return some of the links in a row as a network on the same θ: each time the same one.

        Parameters
        ----------
        start, stop : int
            The first, and the one behind the last.

        Returns
        -------
        Network
            Made once.
        """
        if (start, stop) == (0, len(self.links)):
            return self
        parts = _PARTS.setdefault(self, {})
        if (start, stop) not in parts:
            parts[start, stop] = self.with_links(self.links[start:stop])
        return parts[start, stop]

    def with_links(self, links: tuple[Link, ...]) -> "Network":
        """Return a network of these links on the same θ.

        Parameters
        ----------
        links : tuple of Link
            In the order in which they run.

        Returns
        -------
        Network
            With the places of this one.
        """
        network = copy.copy(self)
        network.links = links
        network.input_shape, network.output_shape = links[0].input_shape, links[-1].output_shape
        return network

    def blocks(self, rows: int) -> Iterator[slice]:
        """Return slices of so many rows that what all links put out for one of them takes little memory.

        Parameters
        ----------
        rows : int
            How many there are in all.

        Returns
        -------
        iterator of slice
            From the first row to the last.
        """
        # Of all links 1 MiB in float32, or what they need for 128 rows or an eighth of all, where that is more.
        widths = [max(1, math.prod(link.input_shape), math.prod(link.output_shape)) for link in self.walk()]
        size = max(1, min(BLOCK // max(widths), max(2 * BLOCK // sum(widths), 128, rows // 8)))
        return (slice(start, min(start + size, rows)) for start in range(0, rows, size))

    def _outputs(self, link: Link, theta: Array, state: Array, x: Array) -> Iterator[tuple[slice, Array]]:
        """Run all links block by block, and yield the output of one of them."""
        self.check_rows(x)
        caught: list[Array] = []

        def catch(each: Link, name: str, array: Array) -> None:
            if each is link and name == "y":
                caught[:] = [array]

        hook, size = None if link is self.links[-1] else catch, -1
        # Views and buffers for a few rows take longer to make than to use: a thread keeps them, but while it uses them.
        kept = _PASSES.__dict__.setdefault("of", WeakKeyDictionary())
        running: Any = None if hook else kept.pop(self, None)
        for rows in self.blocks(x.shape[0]):
            if rows.stop - rows.start != size:
                size = rows.stop - rows.start
                if running is None or not running.serves(theta, state, size):
                    running = None  # before the next one takes memory
                    running = Pass(self, theta, state, rows=size, hook=hook)
            try:
                # A pass that is kept holds its input: a copy, which does not keep the memory of all rows.
                y = running.forward(x[rows].copy() if size <= FEW_ROWS else x[rows])
            except InputError as error:
                error.row += rows.start
                raise
            yield rows, caught[0] if caught else y
        if 0 < size <= FEW_ROWS and not hook:
            kept[self] = running


_PARTS: WeakKeyDictionary[Network, dict[tuple[int, int], Network]] = WeakKeyDictionary()
"""Parts of a network, while it is there: who accelerates one remembers it by the object."""

_PASSES = threading.local()
"""What each thread keeps of its last prediction of few rows, by the network."""
