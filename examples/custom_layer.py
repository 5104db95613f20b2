"""A layer and an activation of one's own
======================================

Both are written, checked, searched over and saved, without packaging anything.

`Product` multiplies two linear maps, y = (x U) ∘ (x V), and `Bent` is a smooth bend whose sharpness is a
hyper-parameter. Instances work everywhere at once, in joblib's worker processes too; `modnet.register` adds a name.
Prints what the search found, and draws where the winner puts the border::

    python custom_layer.py [directory for custom_layer.png, default: the current one]
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from matplotlib.figure import Figure
from pydantic import Field
from rich.console import Console
from rich.table import Table
from sklearn.datasets import make_circles
from sklearn.model_selection import GridSearchCV, train_test_split

import modnet
from modnet import Activation, Array, Context, Count, ModelSpec, ModNetClassifier, Module, Network, Parameter, Shape
from modnet.errors import ShapeError
from modnet.initializers import GlorotUniform
from modnet.network import Pass


class Product(Module):
    """Products of two linear maps: y = u ∘ v with u = x U and v = x V.

    ∂J/∂U = xᵀ (dy ∘ v), ∂J/∂V = xᵀ (dy ∘ u), ∂J/∂x = (dy ∘ v) Uᵀ + (dy ∘ u) Vᵀ.
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})  # the gradients look at x, and not at y

    units: Count

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (units,)."""
        if len(input_shape) != 1:
            raise ShapeError(f"expected rows of shape (n_features,), got {input_shape}")
        return (self.units,)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return U and V, shape (n_in, units)."""
        matrix = Parameter((input_shape[-1], self.units), GlorotUniform())
        return {"U": matrix, "V": matrix}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = (x U) ∘ (x V)."""
        return (x @ ctx.p.U) * (x @ ctx.p.V)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂U = xᵀ (dy ∘ v) and ∂J/∂V = xᵀ (dy ∘ u)."""
        ctx.g.U[...] = ctx.x.mT @ (dy * (ctx.x @ ctx.p.V))
        ctx.g.V[...] = ctx.x.mT @ (dy * (ctx.x @ ctx.p.U))

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = (dy ∘ v) Uᵀ + (dy ∘ u) Vᵀ."""
        return (dy * (ctx.x @ ctx.p.V)) @ ctx.p.U.mT + (dy * (ctx.x @ ctx.p.U)) @ ctx.p.V.mT


class Bent(Activation):
    """A smooth bend at zero: a = (z + √(z² + s²)) / 2, dz = da ∘ (1 + z / √(z² + s²)) / 2; s → 0 gives ReLU."""

    reads: ClassVar[frozenset[str]] = frozenset({"x"})  # df looks at z, the input

    softness: Annotated[float, Field(gt=0)] = 1.0

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return (z + √(z² + s²)) / 2."""
        return np.multiply(z + np.hypot(z, self.softness), 0.5, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ (1 + z / √(z² + s²)) / 2."""
        return np.multiply(da, 0.5 + 0.5 * z / np.hypot(z, self.softness), out=out)


def main() -> None:
    """Check the gradients, search, register, draw."""
    deviation = gradient_deviation(Network([Product(3), Bent(0.5), Product(2)], input_shape=(4,)))
    print(f"gradient and central differences: largest deviation {deviation:.1e}\n")

    X, y = make_circles(600, noise=0.1, factor=0.5, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    # The layer sees the two coordinates: the default, inputs="table", would do half of its work with bins.
    model = ModNetClassifier(layers=(Product(4), Bent()), inputs="standardize", random_state=0)
    model.set_params(optimizer__learning_rate=0.03)
    grid = {"layers__0__units": [1, 2, 8], "layers__1__softness": [0.1, 1.0]}
    search = GridSearchCV(model, grid, cv=3, n_jobs=2).fit(X_train, y_train)

    table = Table(title="Two circles, 3-fold cross-validation")
    for column in ("Product.units", "Bent.softness", "accuracy"):
        table.add_column(column, justify="right")
    results = search.cv_results_
    for params, mean, std in zip(results["params"], results["mean_test_score"], results["std_test_score"], strict=True):
        units, softness = params["layers__0__units"], params["layers__1__softness"]
        table.add_row(f"{units}", f"{softness}", f"{mean:.3f} ± {std:.3f}")
    Console().print(table)
    print(f"best: {search.best_params_}, held-out accuracy {search.score(X_test, y_test):.3f}\n")

    # A name makes the classes known to specs, in this process; an entry point would make it known everywhere.
    modnet.register(Product)
    modnet.register(Bent)
    spec = ModelSpec(layers=[{"type": "product", "units": 2}, "bent"])
    print(f"by name: {spec.layers}, the same after JSON: {ModelSpec.from_json(spec.to_json()) == spec}")

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(search, X_test, y_test, directory / "custom_layer.png")


def gradient_deviation(network: Network, h: float = 1e-5) -> float:
    """Return the largest difference between ∇J(θ), J = Σ r ∘ raw, and (J(θ + h) − J(θ − h)) / 2h."""
    rng = np.random.default_rng(0)
    x, r = rng.normal(size=(6, *network.input_shape)), rng.normal(size=(6, *network.output_shape))
    theta, state = network.initialize(rng)
    gradient = np.empty_like(theta)
    running = Pass(network, theta, state, gradient=gradient, rows=6)
    running.forward(x)
    running.backward(r)  # ∂J/∂raw

    def J(shifted: Array) -> float:
        return float(np.sum(r * network.predict(shifted, state, x)))

    numeric = np.array([(J(theta + step) - J(theta - step)) / (2 * h) for step in h * np.eye(theta.size)])
    return float(np.abs(gradient - numeric).max())


def draw(model: Any, X: np.ndarray, y: np.ndarray, path: Path) -> None:
    """Draw the chance of the inner circle that a model sees in each place, and rows that it has not seen."""
    first, second = np.meshgrid(*2 * [np.linspace(-1.5, 1.5, 100)])
    chance = model.predict_proba(np.column_stack([first.ravel(), second.ravel()]))[:, 1].reshape(first.shape)
    figure = Figure(figsize=(6, 4.8), layout="constrained")
    axes = figure.subplots()
    shades = axes.contourf(first, second, chance, np.linspace(0, 1, 11), cmap="PuOr", alpha=0.7)
    axes.contour(first, second, chance, [0.5], colors="black")
    for inner, color, label in ((False, "tab:orange", "outer circle"), (True, "indigo", "inner circle")):
        axes.plot(*X[y == inner].T, "o", color=color, markeredgecolor="white", label=label)
    figure.colorbar(shades, label="predicted chance of the inner circle")
    axes.set(title="Products of two linear maps bend the border", aspect="equal")
    axes.legend(loc="upper right")
    figure.savefig(path, dpi=150)
    print(f"the border: {path}")


if __name__ == "__main__":
    main()
