"""Every quantity of one pass through a network, forward and backward, with its gradient and the local factors."""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from modnet.base import Activation, Array, Loss
from modnet.network import Link, Network, Pass
from modnet.network.hooks import Hook
from modnet.strict import checked, whole
from modnet.text import Shown, Table, counted, listed
from modnet.tracing.differences import Differences, compared
from modnet.training import Data
from modnet.words import suggestions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_JACOBIAN = 2**22
"""Elements of the Jacobians of an activation that mixes the elements of its rows; larger ones are left out."""


class Named(dict[str, Any]):
    """What there is, by name; one that is not there is answered with those that are."""

    def __missing__(self, name: str) -> Any:
        same = [each for each in self if each.lower() == str(name).lower()]
        meant = " or ".join(map(repr, same or suggestions(str(name), self, 3)))
        hint = f"did you mean {meant}? " if meant else ""
        raise KeyError(f"there is no {name!r}; {hint}there are {listed(self, 60)}")


class Trace(Shown, Named):
    """Every quantity of one pass, by name; `d` has the gradients. Printed, it is a table. `modnet.trace` makes one.

    Layer i of the network is an affine link and the first activation behind it: zᵢ = aᵢ₋₁ Wᵢ + bᵢ, aᵢ = σ(zᵢ), and
    aᵢ = zᵢ where it has no activation. These letters go to the network's own links, so ``"W2"`` is the W of its second
    affine link. Everything has a name by its path too, and what has no letter has only that: the output of a link is
    ``"layers[1].body[0]"``, a parameter ``"layers[1].gamma"``. ``"x"`` or ``"a0"`` is the input, ``"raw"`` the output,
    ``"y_hat"`` what the loss reads off it as the prediction, ``"y"`` the truth as the loss takes it, ``"J"`` the loss,
    without penalties.

    Parameters
    ----------
    network : Network
        What the rows run through.
    loss : Loss
        Set up for its task.
    theta, state : ndarray
        Not changed.
    data : Data
        Rows, and their truth.
    training : bool
        Whether dropout drops, and batch statistics are taken.
    seed : int
        Of what is random in training.

    Attributes
    ----------
    d : mapping of str to ndarray
        ∂J/∂q of each quantity q, by the same names.
    local : mapping of str to ndarray
        What multiplies the gradient that arrives. Of an activation, under the name of its a: σ'(z), or where it mixes
        the elements of a row, the Jacobian ∂aⱼ/∂zₖ, shape (n, k, k). Of an affine link: Wᵀ under the name of z, and
        xᵀ under that of W.
    links : mapping of str to SimpleNamespace
        Of every link, by path: x, y, dx and dy.
    paths : dict of str to str
        The rows of the table in the order of the pass: the shortest name of each quantity, and its path.
    network : Network
    loss : Loss
    data : Data
    training : bool
    """

    def __init__(
        self, network: Network, loss: Loss, theta: Array, state: Array, data: Data, *, training: bool, seed: int
    ) -> None:
        super().__init__()
        rows: Any = data.x
        x, t, weight = rows.toarray() if sparse.issparse(rows) else rows, data.t, data.weight
        t = t.astype(float) if t.dtype.kind == "f" else t  # codes of classes stay what they are
        self.data = data = Data(x.astype(float), t, None if weight is None else weight.astype(float))
        self.network, self.loss, self.training, self._seed = network, loss, training, seed
        self._theta, self._state = theta, state = theta.astype(float), state.astype(float)
        self.d, self.local, self.links = Named(), Named(), Named()

        def note(link: Link, name: str, array: Array) -> None:
            setattr(self.links.setdefault(link.path, SimpleNamespace()), name, array.copy())
            if name == "y":  # in the order in which they are ready: a composite comes behind what is inside it
                self.links[link.path] = self.links.pop(link.path)

        gradient = np.empty_like(theta)
        J, pull = self._passed(data.x, theta, gradient, note)
        dx, raw = pull(), self.links[network.links[-1].path].y
        values = {"x": data.x, **network.parameters(theta), **network.state_layout.views(state)}
        values |= {path: seen.y for path, seen in self.links.items()}
        gradients = {"x": dx, **network.parameters(gradient)}
        gradients |= {path: seen.dy for path, seen in self.links.items()}
        factors: dict[str, Array] = {}
        for link in network.walk():
            factors |= self._factors(link, values)
        letters = dict(_letters_of(network, factors))
        for mapping, found in ((self, values), (self.d, gradients), (self.local, factors)):
            mapping.update({letter: found[path] for letter, path in letters.items() if path in found})
            mapping.update(found)
        self.update(y_hat=loss.predict(raw), y=data.t, J=J)
        if np.array_equal(self["y_hat"], raw):
            self.d["y_hat"] = self.d["raw"]
        names = {path: letter for letter, path in reversed(letters.items())}
        self._rules = _rules_of(network, names, factors)
        links = {link.path: link for link in network.walk()}
        order = [each for path in self.links for each in (*(f"{path}.{name}" for name in links[path].places), path)]
        self.paths = {names.get(path, path): path for path in ("x", *order)}

    @property
    def title(self) -> str:
        """J, and what it is of: the loss, the rows, the mode."""
        mode = "in training" if self.training else "in prediction"
        return f"J = {self['J']:.6g}, {type(self.loss).__name__} of {counted(len(self.data), 'row')} {mode}"

    def check(self, elements: int = 50) -> Differences:
        """Return central differences (J(q + h) − J(q − h)) / 2h beside every gradient; the result prints as a table.

        A quantity inside the network is moved where it leaves its link; what lies behind runs with what it is then.

        Parameters
        ----------
        elements : int
            How many elements of each quantity to look at, at most: the one with the largest gradient, and others down
            to the smallest. Each takes two passes forward.

        Returns
        -------
        Differences
            Its `wrong` names the gradients that differ.
        """
        if (elements := checked(whole, "elements", elements)) < 1:
            raise ValueError(f"elements: should be at least 1, got {elements}")
        given = {name: (self[path], self.d[path]) for name, path in self.paths.items()}
        return compared(self._J_with, given, self["J"], elements)

    def plot(self, figure: "Figure | None" = None) -> "Figure":
        """Draw the chain: on a log scale, how large values and gradients are from link to link, with their shapes.

        Parameters
        ----------
        figure : matplotlib Figure, optional
            Where to; default: a new one.

        Returns
        -------
        matplotlib Figure
            The one given, or the new one.
        """
        from modnet.tracing.picture import drawn

        return drawn(self, figure)

    def paragraphs(self) -> tuple[str, Table, str]:
        """Return the paragraphs.

        Returns
        -------
        (str, Table, str)
            The title, the quantities, and what the headings mean.
        """
        classes = {link.path: type(link.module).__name__ for link in self.network.walk()}
        rows = [
            (
                "" if name == path and name != "x" else name,
                path,
                classes.get(path, ""),
                " × ".join(map(str, self[path].shape)),
                f"{magnitude(self[path]):.3g}",
                f"{magnitude(self.d[path]):.3g}",
                self._rules.get(path, ""),
            )
            for name, path in self.paths.items()
        ]
        head = ("name", "path", "link", "shape", "size", "∂J/∂ size", "∂J/∂ =")
        note = "size: root mean square of the elements; ∘: element by element; σ': t.local"
        return self.title, Table(head, rows, right=head[3:6], wrap=False), note

    def _running(self, network: Network, theta: Array, gradient: Array, hook: Hook | None = None) -> Pass:
        """Return a pass; all of them see the same noise, and the state as it was."""
        rng, state, rows = np.random.default_rng(self._seed), self._state.copy(), len(self.data)
        return Pass(network, theta, state, gradient=gradient, rows=rows, training=self.training, rng=rng, hook=hook)

    def _passed(self, x: Array, theta: Array, gradient: Array, hook: Hook) -> tuple[float, Callable[[], Array]]:
        """Return J, and what goes backward, writes ∂J/∂θ into `gradient` and returns ∂J/∂x."""
        running = self._running(self.network, theta, gradient, hook)
        J, draw = self.loss.value_and_gradient(self.data.t, running.forward(x), weight=self.data.weight)

        def pull() -> Array:
            running.backward(draw)
            return running.input_gradient()

        return J, pull

    def _J_with(self, name: str, array: Array) -> tuple[float, Callable[[], Array]]:
        """Return J with one quantity replaced, and what goes backward from there to the gradient of the quantity."""
        path, theta, gradients = self.paths[name], self._theta.copy(), {}
        gradient, place = np.empty_like(theta), self.network.layout.places.get(self.paths[name])
        if place is not None:
            place.view(theta)[...] = array
            gradients[path] = place.view(gradient)

        def put(link: Link, event: str, seen: Array) -> Array | None:
            if event == "dy":
                gradients[link.path] = seen
            return array if link.path == path and event == "y" else None

        J, pull = self._passed(array if path == "x" else self.data.x, theta, gradient, put)
        return J, lambda: {"x": pull(), **gradients}[path]

    def _factors(self, link: Link, values: dict[str, Any]) -> dict[str, Array]:
        """Return the local factors of an affine link or an activation, by path; of others there are none."""
        seen, path = self.links[link.path], link.path
        if link.places.keys() - {"b"} == {"W"}:
            W, b = values[f"{path}.W"], values.get(f"{path}.b", 0.0)
            # Affine is what the equation holds for: others scale their W, or have one for each column.
            if W.ndim == 2 and seen.x.shape[-1] == len(W):
                z = seen.x @ W + b
                if z.shape == seen.y.shape and np.allclose(z, seen.y):
                    return {path: W.T, f"{path}.W": seen.x.reshape(-1, len(W)).T}
        if not _is_activation(link):
            return {}
        running = self._running(self.network.with_links((link,)), self._theta, np.empty_like(self._theta))
        running.forward(seen.x)

        def pulled(da: Array) -> Array:
            running.backward(da)
            return running.input_gradient().copy()

        factor, k = pulled(np.ones_like(seen.y)), seen.y.shape[-1]
        if np.allclose(factor * seen.dy, seen.dx):
            return {path: factor}
        if seen.y.ndim > 2 or seen.y.size * k > _JACOBIAN:
            return {}
        return {path: np.stack([pulled(np.tile(unit, (len(seen.y), 1))) for unit in np.eye(k)], axis=1)}


def magnitude(array: Array) -> float:
    """Return the root mean square of the elements; missing values do not count."""
    return float(np.sqrt(np.nanmean(np.square(array)))) if array.size else 0.0


def _is_activation(link: Link) -> bool:
    """Return whether a link is an activation, or what a layer has in the place of one."""
    return isinstance(link.module, Activation) or link.path.endswith("activation")


def _letters_of(network: Network, factors: Mapping[str, Array]) -> Iterator[tuple[str, str]]:
    """Yield letters and the paths of what they stand for: of affine links, those that have a local factor for their W.

    They go to the network's own links; those inside composites have none.
    """
    i, open_ = 0, ""  # the layer, and its z as long as no activation has come
    yield from (("x", "x"), ("a0", "x"))
    for link in network.links:
        if f"{link.path}.W" in factors:
            if open_:
                yield f"a{i}", open_  # a layer without an activation has a = z
            i, open_ = i + 1, link.path
            yield from ((f"{name}{i}", f"{link.path}.{name}") for name in link.places)
            yield f"z{i}", link.path
        elif open_ and _is_activation(link):
            yield f"a{i}", link.path
            open_ = ""
    if open_:
        yield f"a{i}", open_
    yield "raw", network.links[-1].path


def _rules_of(network: Network, names: Mapping[str, str], factors: Mapping[str, Array]) -> dict[str, str]:
    """Return by path what each gradient is made of; `names` has the letter of each path that has one."""
    rules: dict[str, str] = {}
    path = "x"
    for link in network.links:
        name, out = names.get(path, path), names.get(link.path)
        if out and (W := f"{link.path}.W") in factors:
            rules |= {path: f"∂J/∂{out} {names[W]}ᵀ", W: f"{name}ᵀ ∂J/∂{out}", f"{link.path}.b": f"Σ rows ∂J/∂{out}"}
        elif out and link.path in factors and factors[link.path].ndim == 1 + len(link.output_shape):
            rules[path] = f"∂J/∂{out} ∘ σ'({name})"
        else:
            rules[path] = f"through {type(link.module).__name__}"
        path = link.path
    return {**rules, path: "of the loss"}
