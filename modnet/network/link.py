"""A link is one module in its place: its path, its shapes and its slices of θ; here layers become links.

Layers are flattened into the links that they stand for, shapes are worked out from the first to the last, and
then every parameter gets its place in θ.
"""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modnet.base import Array, Context, Layout, Links, Module, Parameter, Place, Shape, TableShape
from modnet.errors import ContractError, InputError, ModNetError, ShapeError
from modnet.strict import is_number, lengths


@dataclass(frozen=True)
class Link:
    """One module in its place.

    Parameters
    ----------
    path : str
        Where it stands in the spec: ``"layers[2].body[0]"``.
    module : Module
        What runs.
    input_shape, output_shape : tuple of int
        Per row.
    places, state_places : dict of str to Place
        Where its parameters lie in θ, and its state in the state vector, by the module's own names.
    chains : tuple of tuple of Link
        The chains it runs inside.
    trainable : bool
        Whether it, or a link inside it, has trainable parameters.
    """

    path: str
    module: Module
    input_shape: Shape
    output_shape: Shape
    places: dict[str, Place]
    state_places: dict[str, Place]
    chains: tuple[tuple["Link", ...], ...]
    trainable: bool

    @property
    def title(self) -> str:
        """Path, class and the user's name for it, as error messages and summaries show them."""
        name = f" {self.module.name!r}" if self.module.name else ""
        return f"{self.path} ({type(self.module).__name__}{name})"

    @property
    def origin(self) -> str:
        """Title and class, as messages to the author of the class show them."""
        return f"{self.title}, class {type(self.module).__module__}.{type(self.module).__qualname__}"

    def explain(self, error: Exception, name: str, array: Array) -> None:
        """Write into an error that was raised in here where that was, or raise one that says so from it.

        Parameters
        ----------
        error : Exception
            What the module raised.
        name : str
            Of what the module had been given: ``"x"`` or ``"dy"``.
        array : ndarray
            That.

        Raises
        ------
        ContractError
            If the error is none of modnet's own.
        """
        if isinstance(error, InputError):
            error.link = error.link or self.title
        if isinstance(error, ContractError):
            error.link = error.link or self.origin
        if isinstance(error, ModNetError | MemoryError):
            return
        frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)][1:]
        method = next((each for each in frames if each in ("forward", "grad_params", "grad_input", "adapt")), "it")
        text = f"{method} changed its argument {name}: write into ctx.out, ctx.dx or a fresh array"
        if not (isinstance(error, ValueError) and "read-only" in str(error)):
            given = f"{name} of shape {array.shape}, dtype {array.dtype}"
            text = f"{method} raised {type(error).__name__}: {error}. It was given {given}"
        broken = ContractError(text)
        broken.link = self.origin
        raise broken from error

    def returned(self, method: str, found: Any, wanted: Any) -> ContractError:
        """Return the error for an array that is not what the link's module should have returned in training.

        Parameters
        ----------
        method : str
            The name of the module's method.
        found : object
            What it returned.
        wanted : ndarray
            Of the shape and dtype that it should have.

        Returns
        -------
        ContractError
            To be raised.
        """
        what = found if found is None else f"shape {np.shape(found)}, dtype {getattr(found, 'dtype', type(found))}"
        error = ContractError(f"{method} returned {what}, expected shape {wanted.shape}, dtype {wanted.dtype}")
        error.link = self.origin
        return error


def unlike(found: Any, wanted: Any) -> bool:
    """Return whether something is no array of the shape and dtype of another, if there is one; x may be sparse."""
    shape, dtype = (getattr(found, name, None) for name in ("shape", "dtype"))
    return wanted is not None and (shape != wanted.shape or dtype != wanted.dtype)


def explain(
    links: Sequence[Link], contexts: Sequence[Context], error: Exception, ctx: Context, name: str, array: Array
) -> None:
    """Say in which link an error was raised, or which one beside it has returned what it cannot work on."""
    here = next(index for index, each in enumerate(contexts) if each is ctx)
    if name == "x" and here > 0 and unlike(array, contexts[here - 1].out):
        raise links[here - 1].returned("forward", array, contexts[here - 1].out) from error
    if name == "dy" and ctx is not contexts[-1] and unlike(array, ctx.out):
        raise links[here + 1].returned("grad_input", array, ctx.out) from error
    links[here].explain(error, name, array)


def placed(links: Links, input_shape: Shape) -> tuple[tuple[Link, ...], Layout, Layout]:
    """Return the links that layers stand for, and the layouts of θ and of the state.

    Raises
    ------
    ShapeError
        If a module does not fit what comes before it; the message names its path.
    """
    drafted: list[tuple[Link, Mapping[str, Parameter]]] = []
    found = _drafted(links, "", input_shape, drafted)
    parameters = [
        (f"{link.path}.{name}", parameter, link.places if parameter.trainable else link.state_places, name)
        for link, mine in drafted
        for name, parameter in mine.items()
    ]
    theta = Layout((full, each) for full, each, _, _ in parameters if each.trainable)
    state = Layout((full, each) for full, each, _, _ in parameters if not each.trainable)
    for full, each, places, name in parameters:
        places[name] = (theta if each.trainable else state).places[full]
    return found, theta, state


def walk(links: Sequence[Link]) -> Iterator[Link]:
    """Return every link, those inside composites behind the composite."""
    for link in links:
        yield link
        for chain in link.chains:
            yield from walk(chain)


def end_of(path: str, links: Sequence[Link]) -> Link | None:
    """Return the last link that belongs to the layer at `path`, among these and those inside them."""
    mine = [link for link in links if link.path == path or link.path.startswith(f"{path}.")]
    if mine:
        return mine[-1]
    inside = (end_of(path, chain) for link in links for chain in link.chains)
    return next((link for link in inside if link is not None), None)


def _drafted(
    links: Links, prefix: str, shape: Shape, drafted: list[tuple[Link, Mapping[str, Parameter]]]
) -> tuple[Link, ...]:
    """Return links as they are run, each module replaced by those it stands for; their parameters have no place yet.

    `drafted` gets each with its parameters, inner ones first.
    """
    found: list[Link] = []
    for below, module in links:
        path = f"{prefix}.{below}" if prefix and below else prefix or below
        inside = module.links()
        alone = len(inside) == 1 and inside[0][1] is module
        # A module may be the first of its own links under its own path (Dense, then its activation).
        mine = () if alone else _drafted(inside, path, shape, drafted)
        chains = tuple(_drafted(chain, path, shape, drafted) for chain in module.chains()) if alone else ()
        try:
            output_shape = module.output_shape(shape)
            parameters = module.parameters(shape) if alone else {}
        except ShapeError as error:
            raise ShapeError(f"{path} ({type(module).__name__}): {error}") from error
        if alone:
            trainable = any(each.trainable for each in parameters.values())
            trainable = trainable or any(link.trainable for chain in chains for link in chain)
            mine = (Link(path, module, shape, output_shape, {}, {}, chains, trainable),)
            drafted.append((mine[0], parameters))
        elif mine and mine[-1].output_shape != output_shape:
            raise ShapeError(
                f"{mine[-1].title}: should end in rows of shape {output_shape}, as {path} ({type(module).__name__}) "
                f"does, got {mine[-1].output_shape}: an activation keeps the shape; put what changes it behind {path}, "
                "as a layer of its own"
            )
        found.extend(mine)
        shape = output_shape
    return tuple(found)


def checked_shape(input_shape: Shape) -> Shape:
    """Return the shape of a row of X, of whole numbers; a `TableShape` as it is.

    Parameters
    ----------
    input_shape : sequence of int
        Lengths, ≥ 1.

    Returns
    -------
    tuple of int
        The same lengths.

    Raises
    ------
    ShapeError
        If a length is no whole number from 1.
    """
    try:
        return input_shape if isinstance(input_shape, TableShape) else lengths(input_shape, 1)
    except ValueError as error:
        raise ShapeError(f"input_shape should be a tuple of whole numbers from 1, got {input_shape!r}") from error


def finite_array(subject: str, value: Any, dtype: "np.dtype[Any]") -> Array:
    """Return what a user gave as an array of finite numbers; the error, a `ShapeError`, begins with `subject`."""
    try:
        found = np.asarray(value)
        if not (found.dtype.kind in "iuf" or (found.dtype == object and all(map(is_number, found.flat)))):
            raise TypeError("text and truth values are no numbers")
        array = found.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise ShapeError(f"{subject}: should be an array of numbers, got {repr(value)[:80]}") from error
    if not np.isfinite(array).all():
        raise ShapeError(f"{subject}: should be finite, but there is inf or NaN in it")
    return array
