"""Backpropagation by hand
=======================

Every partial derivative of a two-layer network, in NumPy, beside modnet's own::

    a⁰ = X,  zⁱ = aⁱ⁻¹ Wⁱ + bⁱ,  aⁱ = σ(zⁱ),  ŷ = a²,  J = ½‖ŷ − y‖², averaged over the n rows

`modnet.trace` returns all of these for one pass. For five rows the script works the chain rule out link by link, and
prints each derivative beside that of the trace and beside central differences. Then it trains the network until it
tells two spirals apart, and draws what it has learnt and how large the gradients in it are::

    python backpropagation.py [directory for backpropagation.png, default: the current one]
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from modnet import Array, ModNetRegressor, trace
from modnet.optimizers import SGD
from modnet.tracing import Trace


def main() -> None:
    """Check, train, draw."""
    rng = np.random.default_rng(0)
    X, labels = spirals(400, rng)
    y = np.eye(2)[labels]  # one output per class

    # inputs=None: what the first layer sees is X itself, and no encoding of it, as in the textbook.
    model = ModNetRegressor((12,), "sigmoid", inputs=None, output_activation="sigmoid", random_state=0)
    model.set_params(optimizer=SGD(1.0, momentum=0.9), batch_size=50, early_stopping=False)
    model.set_params(max_iter=2000, tol=1e-5, n_iter_no_change=50)
    t = trace(model, X[:5], y[:5])  # with the first weights: it has not been fitted
    print(t, end="\n\n")
    compare(t)

    model.fit(X, y)
    print(f"\nloss after epoch 1: {model.loss_curve_[0]:.4f}, after epoch {model.n_iter_}: {model.loss_curve_[-1]:.4f}")
    X_new, labels_new = spirals(1000, rng)
    print(f"accuracy on the points it was trained on: {np.mean(model.predict(X).argmax(axis=1) == labels):.3f}")
    print(f"accuracy on 1000 new points: {np.mean(model.predict(X_new).argmax(axis=1) == labels_new):.3f}")

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(model, X, labels, trace(model, X, y), directory / "backpropagation.png")


def backward(t: Trace) -> dict[str, tuple[str, Array]]:
    """Return ∂J/∂q for every quantity q, from the output to the input: one line per link of the chain."""
    x, a1, a2, W1, W2 = (t[name] for name in ("x", "a1", "a2", "W1", "W2"))
    d2 = (a2 - t["y"]) / len(x)  # 1/n from the average over rows
    dz2 = d2 * a2 * (1 - a2)
    da1 = dz2 @ W2.T
    dz1 = da1 * a1 * (1 - a1)
    return {
        "a2": ("∂J/∂ŷ  = (ŷ − y) / n", d2),
        "z2": ("∂J/∂z² = ∂J/∂a² ∘ a² ∘ (1 − a²)", dz2),
        "W2": ("∂J/∂W² = a¹ᵀ ∂J/∂z²", a1.T @ dz2),
        "b2": ("∂J/∂b² = Σ rows ∂J/∂z²", dz2.sum(axis=0, keepdims=True)),
        "a1": ("∂J/∂a¹ = ∂J/∂z² W²ᵀ", da1),
        "z1": ("∂J/∂z¹ = ∂J/∂a¹ ∘ a¹ ∘ (1 − a¹)", dz1),
        "W1": ("∂J/∂W¹ = a⁰ᵀ ∂J/∂z¹", x.T @ dz1),
        "b1": ("∂J/∂b¹ = Σ rows ∂J/∂z¹", dz1.sum(axis=0, keepdims=True)),
        "x": ("∂J/∂a⁰ = ∂J/∂z¹ W¹ᵀ", dz1 @ W1.T),
    }


def compare(t: Trace) -> None:
    """Print every derivative three times: by hand, from the network, by central differences."""
    hand, numeric = backward(t), t.check(elements=100).numeric
    table = Table("derivative", "shape", title=f"Backpropagation of {len(t['x'])} rows, first elements")
    for column in ("by hand", "modnet", "numeric"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, (equation, d) in hand.items():
        shown = (f"{each.flat[0]:.6f}" for each in (d, t.d[name], numeric[name]))
        table.add_row(equation, "×".join(map(str, d.shape)), *shown)
    Console().print(table)
    for who, of in ("modnet from the hand", t.d), ("central differences", numeric):
        print(f"largest deviation of {who}: {max(np.abs(of[name] - d).max() for name, (_, d) in hand.items()):.1e}")


def spirals(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return n points on two interleaved spirals of one and a quarter turns, and the spiral that each lies on."""
    labels = rng.integers(0, 2, n)
    radius = 0.2 + 1.8 * np.sqrt(rng.random(n))
    angle = 1.25 * np.pi * radius + np.pi * labels
    X = radius[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)])
    return X + rng.normal(0, 0.06, X.shape), labels


def draw(model: ModNetRegressor, X: Array, labels: Array, t: Trace, path: Path) -> None:
    """Draw what the network answers everywhere in the plane, and its chain."""
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    plane, axis = left.subplots(), np.linspace(-2.4, 2.4, 241)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    y0, y1 = model.predict(grid).T.reshape(2, len(axis), len(axis))
    plane.pcolormesh(axis, axis, y1 - y0, vmin=-2.2, vmax=2.2, cmap="PuOr", shading="gouraud")
    plane.contour(axis, axis, y1 - y0, levels=[0], colors="black", linewidths=1.2)
    plane.scatter(*X.T, s=18, c=np.array(["#b35806", "#542788"])[labels], edgecolor="white", linewidth=0.5)
    plane.set(title="Two spirals and the learnt boundary", xlabel="x₁", ylabel="x₂", aspect="equal")
    t.plot(right)
    figure.savefig(path, dpi=150)
    print(f"decision boundary, values and gradients: {path}")


if __name__ == "__main__":
    main()
