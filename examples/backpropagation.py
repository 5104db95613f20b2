"""Backpropagation by hand: every partial derivative of a two-layer network, in NumPy, beside modnet's own.

    a⁰ = X,  zⁱ = aⁱ⁻¹ Wⁱ + bⁱ,  aⁱ = σ(zⁱ),  ŷ = a²,  J = ½‖ŷ − y‖², averaged over the n rows

For five rows the script works the chain rule out link by link, and prints each derivative beside the one that the
network computes and beside central differences. Then it trains the same network until it tells two spirals apart:

    python backpropagation.py [directory for backpropagation.png, default: the current one]
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from modnet import Array, Network
from modnet.activations import Sigmoid
from modnet.layers import Dense
from modnet.losses import SquaredError
from modnet.network import Link, Pass
from modnet.optimizers import SGD
from modnet.training import Data, Trainer, TrainingSettings


def main() -> None:
    """Check, train, draw."""
    rng = np.random.default_rng(0)
    X, labels = spirals(400, rng)
    y = np.eye(2)[labels]  # one output per class

    network = Network([Dense(12), Sigmoid(), Dense(2), Sigmoid()], input_shape=(2,))
    theta, state = network.initialize(rng)

    check(network, theta, state, X[:5], y[:5])

    losses = train(network, theta, state, X, y, rng)
    print(f"\nloss after epoch 1: {losses[0]:.4f}, after epoch {len(losses)}: {losses[-1]:.4f}")

    def outputs(points: Array) -> Array:
        return network.predict(theta, state, points)

    X_new, labels_new = spirals(1000, rng)
    print(f"accuracy on the points it was trained on: {np.mean(outputs(X).argmax(axis=1) == labels):.3f}")
    print(f"accuracy on 1000 new points: {np.mean(outputs(X_new).argmax(axis=1) == labels_new):.3f}")

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(outputs, X, labels, losses, directory / "backpropagation.png")


# The textbook


def sigmoid(z: Array) -> Array:
    """Return σ(z) = 1 / (1 + e⁻ᶻ)."""
    return 1 / (1 + np.exp(-z))


FORWARD = {
    "z1": lambda q: q["a0"] @ q["W1"] + q["b1"],
    "a1": lambda q: sigmoid(q["z1"]),
    "z2": lambda q: q["a1"] @ q["W2"] + q["b2"],
    "a2": lambda q: sigmoid(q["z2"]),
    "J": lambda q: 0.5 * np.sum((q["a2"] - q["y"]) ** 2) / len(q["y"]),
}


def forward(q: dict[str, Array], **pinned: Array) -> dict[str, Array]:
    """Return every quantity of the forward pass; the pinned ones keep the value they are given."""
    q = {**q, **pinned}
    for name, step in FORWARD.items():
        if name not in pinned:
            q[name] = step(q)
    return q


def backward(q: dict[str, Array]) -> dict[str, Array]:
    """Return ∂J/∂q for every quantity q, from the output to the input: one line per link of the chain."""
    a0, a1, a2, W1, W2 = (q[name] for name in ("a0", "a1", "a2", "W1", "W2"))
    d = {}
    d["a2"] = (a2 - q["y"]) / len(a2)  # ∂J/∂ŷ = ŷ − y, and 1/n from the average over rows
    d["z2"] = d["a2"] * a2 * (1 - a2)
    d["W2"] = a1.T @ d["z2"]
    d["b2"] = d["z2"].sum(axis=0, keepdims=True)
    d["a1"] = d["z2"] @ W2.T
    d["z1"] = d["a1"] * a1 * (1 - a1)
    d["W1"] = a0.T @ d["z1"]
    d["b1"] = d["z1"].sum(axis=0, keepdims=True)
    d["a0"] = d["z1"] @ W1.T
    return d


EQUATIONS = {
    "a2": "∂J/∂ŷ  = (ŷ − y) / n",
    "z2": "∂J/∂z² = ∂J/∂a² ∘ a² ∘ (1 − a²)",
    "W2": "∂J/∂W² = a¹ᵀ ∂J/∂z²",
    "b2": "∂J/∂b² = Σ rows ∂J/∂z²",
    "a1": "∂J/∂a¹ = ∂J/∂z² W²ᵀ",
    "z1": "∂J/∂z¹ = ∂J/∂a¹ ∘ a¹ ∘ (1 − a¹)",
    "W1": "∂J/∂W¹ = a⁰ᵀ ∂J/∂z¹",
    "b1": "∂J/∂b¹ = Σ rows ∂J/∂z¹",
    "a0": "∂J/∂a⁰ = ∂J/∂z¹ W¹ᵀ",
}


# The two witnesses


def central_differences(q: dict[str, Array], name: str, h: float = 1e-5) -> Array:
    """Return ∂J/∂q for one quantity as (J(q + h) − J(q − h)) / 2h, element by element."""
    derivative = np.empty_like(q[name])
    for index in np.ndindex(derivative.shape):
        step = np.zeros_like(derivative)
        step[index] = h
        above, below = forward(q, **{name: q[name] + step}), forward(q, **{name: q[name] - step})
        derivative[index] = (above["J"] - below["J"]) / (2 * h)
    return derivative


def network_derivatives(network: Network, theta: Array, state: Array, X: Array, y: Array) -> dict[str, Array]:
    """Return the derivatives that modnet computes, by the names of the textbook."""
    gradient = np.empty_like(theta)
    arriving: dict[str, Array] = {}

    def note(link: Link, name: str, array: Array) -> None:
        if name == "dy":  # ∂J/∂(the link's output), as it arrives there
            arriving[link.path] = array.copy()

    running = Pass(network, theta, state, gradient=gradient, rows=len(X), hook=note)
    raw = running.forward(X)
    running.backward(SquaredError().gradient(y, raw))

    d = {"a0": running.input_gradient()}
    z1, a1, z2, a2 = (arriving[f"layers[{index}]"] for index in range(4))
    d.update(z1=z1, a1=a1, z2=z2, a2=a2)
    views = network.parameters(gradient)  # ∇J is one vector, laid out like θ
    d.update(W1=views["layers[0].W"], b1=views["layers[0].b"], W2=views["layers[2].W"], b2=views["layers[2].b"])
    return d


def check(network: Network, theta: Array, state: Array, X: Array, y: Array) -> None:
    """Print every derivative three times: by hand, from the network, by central differences."""
    p = network.parameters(theta)
    W1, b1, W2, b2 = (p[name] for name in ("layers[0].W", "layers[0].b", "layers[2].W", "layers[2].b"))
    q = forward({"a0": X, "y": y, "W1": W1, "b1": b1, "W2": W2, "b2": b2})
    hand, ours = backward(q), network_derivatives(network, theta, state, X, y)
    differences = {name: central_differences(q, name) for name in hand}

    table = Table("derivative", "shape", title=f"Backpropagation of {len(X)} rows, first elements")
    for column in ("by hand", "modnet", "numeric"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, equation in EQUATIONS.items():
        shape = "×".join(map(str, hand[name].shape))
        table.add_row(equation, shape, *(f"{each[name].flat[0]:.6f}" for each in (hand, ours, differences)))
    Console().print(table)
    print(f"largest deviation of modnet from the hand: {deviation(hand, ours):.1e}")
    print(f"largest deviation of central differences: {deviation(hand, differences):.1e}")


def deviation(one: dict[str, Array], other: dict[str, Array]) -> float:
    """Return the largest difference between two sets of derivatives."""
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)


# Training


def spirals(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return n points on two interleaved spirals of one and a quarter turns, and the spiral that each lies on."""
    labels = rng.integers(0, 2, n)
    radius = 0.2 + 1.8 * np.sqrt(rng.random(n))
    angle = 1.25 * np.pi * radius + np.pi * labels
    X = radius[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)])
    return X + rng.normal(0, 0.06, X.shape), labels


def train(network: Network, theta: Array, state: Array, X: Array, y: Array, rng: np.random.Generator) -> list[float]:
    """Change θ by gradient descent; return the loss of each epoch."""
    epochs = 1000
    settings = TrainingSettings(max_iter=epochs, n_iter_no_change=epochs, batch_size=50, alpha=0)
    descent = SGD(learning_rate=1.0, momentum=0.9)
    trainer = Trainer(network, SquaredError(), descent, settings, theta, state, shuffle_rng=rng, noise_rng=rng)
    return trainer.fit(Data(X, y)).losses


def draw(outputs: Callable[[Array], Array], X: Array, labels: Array, losses: list[float], path: Path) -> None:
    """Draw what the network answers everywhere in the plane, and how it came to learn it."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    plane, curve = figure.subplots(1, 2, width_ratios=(1.25, 1))

    axis = np.linspace(-2.4, 2.4, 241)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    y0, y1 = outputs(grid).T.reshape(2, len(axis), len(axis))
    image = plane.pcolormesh(axis, axis, y1 - y0, vmin=-2.2, vmax=2.2, cmap="PuOr", shading="gouraud")
    plane.contour(axis, axis, y1 - y0, levels=[0], colors="black", linewidths=1.2)
    for label, color in enumerate(("#b35806", "#542788")):
        x1, x2 = X[labels == label].T
        plane.scatter(x1, x2, s=18, color=color, edgecolor="white", linewidth=0.5, label=f"class {label}")
    plane.set(title="Two spirals and the learnt boundary", xlabel="x₁", ylabel="x₂", aspect="equal")
    plane.legend(loc="upper right", framealpha=0.9)
    bar = figure.colorbar(image, ax=plane, ticks=[-1, -0.5, 0, 0.5, 1], label="ŷ of class 1 − ŷ of class 0")
    bar.ax.set_ylim(-1, 1)

    curve.loglog(range(1, len(losses) + 1), losses, color="black")
    curve.set(title="J = ½‖ŷ − y‖², averaged over rows", xlabel="epoch")
    curve.spines[["top", "right"]].set_visible(False)
    curve.grid(alpha=0.3)
    figure.savefig(path, dpi=150)
    print(f"decision boundary: {path}")


if __name__ == "__main__":
    main()
