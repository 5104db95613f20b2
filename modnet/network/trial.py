"""A trial run: two rows go through every link before training starts, and each link's answers are held to the contract.

So a plugin that returns the wrong shape or dtype, writes into its input or forgets a gradient is named at once, by its
path, instead of showing up as a NumPy error somewhere else.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from modnet.base import Array, Context, Shape
from modnet.errors import ContractError, InputError, ShapeError
from modnet.network.link import Link
from modnet.network.network import Network
from modnet.network.running import Pass


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
    own, gradient = theta.copy(), np.zeros_like(theta)
    # Rows that overflow are the training loop's business, which says so.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for training in (False, True):
            running = Pass(
                network,
                own,
                state.copy(),
                gradient=gradient,
                rows=x.shape[0],
                training=training,
                runner=_CheckedLink,
            )
            raw = running.forward(x)
            running.backward(rng.normal(size=raw.shape).astype(theta.dtype))


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
    if any(link.module.takes_codes for link in network.walk()):
        network.predict(theta, state, x)
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
    raw = network.predict(theta, state, x[rows])
    through = rows[np.isnan(raw).any(axis=tuple(range(1, raw.ndim)))]
    if through.size:
        row = int(through[0])
        finder = NonFiniteFinder()
        Pass(network, theta, state, rows=1, runner=finder).forward(x[row : row + 1])
        column = int(np.flatnonzero(np.isnan(x[row].ravel()))[0])
        error = InputError(f"there is NaN, as in column {column}: impute it, or select other columns", row)
        # A layer without parameters hands NaN on; one that has some is where it does harm.
        harmed = [link for link in finder.links if link.places] or finder.links
        error.link = harmed[0].title
        raise error


class NonFiniteFinder:
    """Runs links and remembers those whose output is not finite.

    Attributes
    ----------
    links : list of Link
        In the order in which they were run.
    """

    def __init__(self) -> None:
        self.links: list[Link] = []

    @property
    def found(self) -> Link | None:
        """The first one."""
        return self.links[0] if self.links else None

    def __call__(self, link: Link) -> "_WatchedLink":
        """Return what runs `link` under this finder's eyes."""
        return _WatchedLink(link, self)


class _WatchedLink:
    def __init__(self, link: Link, finder: NonFiniteFinder) -> None:
        self._link, self._finder = link, finder
        self.grad_params, self.grad_input = link.module.grad_params, link.module.grad_input

    def forward(self, ctx: Context, x: Array) -> Array:
        y = self._link.module.forward(ctx, x)
        if not np.isfinite(y).all():
            self._finder.links.append(self._link)
        return y


class _Located(ContractError):
    """A broken contract whose message names the link."""


_UNWRITTEN = -1.2345e30
"""What gradients hold before a link writes them. Whatever is added to it, it stays: ``ctx.g.W += …`` is found, too."""


class _CheckedLink:
    """Runs a link's module and checks what it does."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._module = link.module

    def forward(self, ctx: Context, x: Array) -> Array:
        y: Array = self._call("forward", "x", self._module.forward, ctx, x)
        self._expect("forward", y, (x.shape[0], *self._link.output_shape), x.dtype)
        return y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        gradients = dict(vars(ctx.g))  # as they are now: the module may bind others to the names
        for gradient in gradients.values():
            gradient.fill(_UNWRITTEN)
        self._call("grad_params", "dy", self._module.grad_params, ctx, dy)
        for name, gradient in gradients.items():
            unwritten = gradient == gradient.dtype.type(_UNWRITTEN)
            if unwritten.any():
                left = "no gradient" if unwritten.all() else "elements without a gradient"
                raise self._broken(
                    f"grad_params left {left} in ctx.g.{name}: write into it, as in "
                    f"np.matmul(…, out=ctx.g.{name}) or ctx.g.{name}[...] = …; binding a new array to the name is lost"
                )

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        dx: Array = self._call("grad_input", "dy", self._module.grad_input, ctx, dy)
        self._expect("grad_input", dx, (len(dy), *self._link.input_shape), dy.dtype)
        return dx

    def _call(self, method: str, name: str, call: Callable[[Context, Array], Any], ctx: Context, array: Array) -> Any:
        """Call a method with an array that it cannot write to."""
        is_sparse = not isinstance(array, np.ndarray)
        if is_sparse:
            guarded, before = array, array.copy()
        else:
            guarded = before = array.view()
            guarded.flags.writeable = False
        changed = f"{method} changed its argument {name}: write into ctx.out, ctx.dx or a fresh array"
        try:
            found = call(ctx, guarded)
        except (ShapeError, InputError, _Located):
            raise
        except ContractError as error:
            raise self._broken(str(error)) from error
        except Exception as error:
            if isinstance(error, ValueError) and "read-only" in str(error):
                raise self._broken(changed) from error
            raise self._broken(
                f"{method} raised {type(error).__name__}: {error}. It was given {name} of shape {array.shape}, "
                f"dtype {array.dtype}"
            ) from error
        if is_sparse and not np.array_equal(before.data, array.data):
            raise self._broken(changed)
        return found

    def _expect(self, method: str, found: object, shape: Shape, dtype: "np.dtype[np.generic]") -> None:
        if not isinstance(found, np.ndarray):
            raise self._broken(
                f"{method} should return an array, got {type(found).__name__}: return ctx.out, ctx.dx or a fresh one"
            )
        if found.shape != shape:
            of = "rows first, then what output_shape announced" if method == "forward" else "that of its input"
            raise self._broken(f"{method} should return shape {shape} ({of}), got {found.shape}")
        if found.dtype != dtype:
            raise self._broken(
                f"{method} should keep dtype {dtype}, got {found.dtype}: hyper-parameters are Python numbers, "
                "and new arrays take the dtype of the input"
            )

    def _broken(self, text: str) -> ContractError:
        cls = type(self._module)
        return _Located(f"{self._link.title}, class {cls.__module__}.{cls.__qualname__}: {text}")
