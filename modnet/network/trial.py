"""Before training: links that adapt see the data, and two rows go through every link to hold it to its contract.

So a plugin that returns the wrong shape or dtype, writes into its input or forgets a gradient is named at once, by its
path, instead of showing up as a NumPy error somewhere else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from modnet.base import Array, Shape, column_title
from modnet.errors import ContractError, InputError
from modnet.network.link import Link
from modnet.network.network import Network
from modnet.network.running import Pass

_UNWRITTEN = -1.2345e30
"""What gradients hold before links write them. Whatever is added to it, it stays: ``ctx.g.W += …`` is found, too."""


def adapt(network: Network, theta: Array, state: Array, x: Array, weight: Array | None = None) -> None:
    """Show the rows to train on to every link that adapts, one link after the other: the later see the earlier's work.

    Parameters
    ----------
    network : Network
    theta, state : ndarray
        As from `Network.initialize`; the state is changed in place.
    x : ndarray or scipy.sparse CSR matrix, shape (n, *input_shape), dtype of θ
    weight : ndarray, shape (n,), optional
        Of the rows, positive.
    """
    for link in network.walk():
        if link.module.adapts:
            network.check_rows(x)
            ctx = Pass(network, theta, state, rows=0).context_of(link)
            try:
                with np.errstate(all="ignore"):  # as in `check_links`
                    link.module.adapt(ctx, _arriving(network.up_to(link), link, theta, state, x, weight))
            except Exception as error:
                link.explain(error, "x", x)
                raise


def _arriving(
    network: Network, link: Link, theta: Array, state: Array, x: Array, weight: Array | None
) -> Iterator[tuple[Array, Array | None]]:
    """Yield rows as they come in at a link, block by block, with their weights."""
    for rows in network.blocks(x.shape[0]):
        caught = [x[rows]]
        if link is not network.links[0]:
            running = Pass(network, theta, state, rows=rows.stop - rows.start, hook=partial(_catch, caught, link))
            running.forward(x[rows])
        yield caught[-1], None if weight is None else weight[rows]


def _catch(caught: list[Array], link: Link, each: Link, name: str, array: Array) -> None:
    """As a hook: keep what comes in at a link."""
    if each is link and name == "x":
        caught.append(array)


def check_links(network: Network, theta: Array, state: Array, x: Array) -> None:
    """Send rows through a network, forward in both modes and backward, and hold every link to its contract.

    Parameters
    ----------
    network : Network
    theta, state : ndarray
        As from `Network.initialize`; not changed.
    x : ndarray, shape (n, *input_shape), dtype of θ
        A few real rows.

    Raises
    ------
    ContractError
        Naming the first link that breaks the contract, and how.
    """
    network.check_rows(x)
    rng = np.random.default_rng(0)
    own, gradient = theta.copy(), np.empty_like(theta)
    # Rows that overflow are the training loop's business, which says so.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for training in (False, True):
            gradient.fill(_UNWRITTEN)
            running = Pass(
                network,
                own,
                state.copy(),
                gradient=gradient,
                rows=x.shape[0],
                training=training,
                hook=_Inspector(x.shape[0], theta.dtype),
            )
            raw = running.forward(x if not isinstance(x, np.ndarray) else x.copy())
            running.backward(rng.normal(size=raw.shape).astype(theta.dtype))
            _check_gradients(network, gradient)


def check_values(network: Network, theta: Array, state: Array, x: Array) -> None:
    """Check before training that layers can take the values in x: that codes are in range, and what is missing.

    Parameters
    ----------
    network : Network
    theta, state : ndarray
    x : ndarray or scipy.sparse CSR matrix, shape (n, *input_shape), dtype of θ

    Raises
    ------
    InputError
        Naming the layer and the first row that it cannot take.
    """
    network.check_rows(x)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # training says so, and what to do
        codes = [link for link in network.walk() if link.module.takes_codes]
        if codes:
            network.up_to(codes[-1]).predict(theta, state, x)
        check_missing(network, theta, state, x)


def check_missing(network: Network, theta: Array, state: Array, x: Array) -> None:
    """Check that missing values, NaN in x, end in layers that take them; arguments as in `check_values`.

    Raises
    ------
    InputError
        Naming the layer that lets NaN through and the first row that has one.
    """
    if not any(link.module.takes_missing for link in network.walk()) or not isinstance(x, np.ndarray):
        return
    rows = np.flatnonzero(np.isnan(x).any(axis=tuple(range(1, x.ndim))))
    with rows_counted(rows):
        raw = network.predict(theta, state, x[rows])
    through = rows[np.isnan(raw).any(axis=tuple(range(1, raw.ndim)))]
    if through.size:
        row = int(through[0])
        links = non_finite_links(network, theta, state, x[row : row + 1])
        column = column_title(network.input_shape, int(np.flatnonzero(np.isnan(x[row].ravel()))[0]))
        error = InputError(f"there is NaN, as in {column}: impute it, or select other columns", row)
        # A layer without parameters hands NaN on; one that has some is where it does harm.
        harmed = [link for link in links if link.places] or links
        error.link = harmed[0].title
        raise error


@contextmanager
def rows_counted(index: Array | None) -> Iterator[None]:
    """Give the row in an InputError as its place in all rows, where what was run were those at `index`."""
    try:
        yield
    except InputError as error:
        error.row = error.row if index is None else int(index[error.row])
        raise


def non_finite_links(network: Network, theta: Array, state: Array, x: Array) -> list[Link]:
    """Return the links whose output for some rows is not finite, in the order in which they are run."""
    found: list[Link] = []

    def look(link: Link, name: str, array: Array) -> None:
        if name == "y" and not np.isfinite(array).all():
            found.append(link)

    Pass(network, theta, state, rows=x.shape[0], hook=look).forward(x)
    return found


class _Inspector:
    """A hook that lets no link write into what it is given, and checks what it returns."""

    def __init__(self, rows: int, dtype: "np.dtype[Any]") -> None:
        self._rows, self._dtype = rows, dtype
        self._open: list[tuple[Array, Any]] = []

    def __call__(self, link: Link, name: str, array: Array) -> None:
        """Protect what a link is given, and look at what it returns."""
        if name in ("x", "dy"):
            self._protect(array)
            return
        self._release(link)
        expected = link.output_shape if name == "y" else link.input_shape
        _expect(link, "forward" if name == "y" else "grad_input", array, (self._rows, *expected), self._dtype)

    def _protect(self, array: Array) -> None:
        is_dense = isinstance(array, np.ndarray)
        self._open.append((array, array.flags.writeable if is_dense else np.array(array.data)))
        if is_dense:
            array.flags.writeable = False

    def _release(self, link: Link) -> None:
        array, before = self._open.pop()
        if isinstance(array, np.ndarray):
            array.flags.writeable = before
        elif not np.array_equal(before, array.data, equal_nan=True):
            raise _broken(link, "forward changed its argument x: write into ctx.out, ctx.dx or a fresh array")


def _expect(link: Link, method: str, found: object, shape: Shape, dtype: "np.dtype[Any]") -> None:
    if not isinstance(found, np.ndarray):
        raise _broken(
            link,
            f"{method} should return an array, got {type(found).__name__}: return ctx.out, ctx.dx or a fresh one",
        )
    if found.shape != shape:
        of = "rows first, then what output_shape announced" if method == "forward" else "that of its input"
        raise _broken(link, f"{method} should return shape {shape} ({of}), got {found.shape}")
    if found.dtype != dtype:
        raise _broken(
            link,
            f"{method} should keep dtype {dtype}, got {found.dtype}: hyper-parameters are Python numbers, and new "
            "arrays take the dtype of the input",
        )


def _check_gradients(network: Network, gradient: Array) -> None:
    """Check that every link has written the gradients of its parameters."""
    for link in network.walk():
        for name, place in link.places.items():
            unwritten = place.view(gradient) == gradient.dtype.type(_UNWRITTEN)
            if unwritten.any():
                left = "no gradient" if unwritten.all() else "elements without a gradient"
                raise _broken(
                    link,
                    f"grad_params left {left} in ctx.g.{name}: write into it, as in np.matmul(…, out=ctx.g.{name}) or "
                    f"ctx.g.{name}[...] = …; binding a new array to the name is lost",
                )


def _broken(link: Link, text: str) -> ContractError:
    error = ContractError(text)
    error.link = link.origin
    return error
