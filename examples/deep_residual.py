"""Twenty hidden layers
====================

A plain stack of sigmoid layers learns nothing; shortcuts and normalization make it learn.

Trains four networks of the same depth and width on the digits with the same seed and settings. The gradient that
reaches the first layer before training tells why, and the loss curves show what comes of it. A network that has learnt
nothing says so::

    python deep_residual.py [directory for deep_residual.png, default: the current one]
"""

import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from modnet import ModNetClassifier, Module, trace
from modnet.layers import BatchNorm, Dense, Residual

DEPTH, WIDTH, EPOCHS = 20, 32, 60
OPTIMIZER = {"type": "adam", "learning_rate": 0.003, "schedule": "cosine"}
COLORS = ("tab:red", "tab:orange", "tab:green", "tab:blue")


def networks() -> dict[str, tuple[Module, ...]]:
    """Return the hidden layers of each network, twenty with weights."""
    blocks = DEPTH // 2 - 1
    selu = Residual([dense("selu"), dense(None)])
    normalized = Residual([BatchNorm(), "selu", dense(None), BatchNorm(), "selu", dense(None)])
    return {
        "plain sigmoid": (dense("sigmoid"),) * DEPTH,
        "plain ReLU": (dense("relu"),) * DEPTH,
        "residual SELU": (dense("selu"), *(selu,) * blocks, dense("selu")),
        "residual BatchNorm": (dense(None), *(normalized,) * blocks, BatchNorm(), dense("selu")),
    }


def dense(activation: str | None) -> Dense:
    """Return a dense layer with the first weights that suit its activation."""
    return Dense(WIDTH, activation=activation, kernel_initializer="auto")


def main() -> None:
    """Train, report, draw."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

    models, remarks = {}, []
    table = Table(title=f"{DEPTH} hidden layers of {WIDTH} units, {EPOCHS} epochs")
    for column in ("network", "gradient, first : last", "last loss", "held-out accuracy"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for name, layers in networks().items():
        # Of 1,347 rows 47 are left for the last batch; 3, as with 64 a batch, would be too few to normalize by.
        model = ModNetClassifier(layers, inputs="standardize", loss="cross_entropy", optimizer=OPTIMIZER)
        model.set_params(batch_size=100, max_iter=EPOCHS, random_state=0)
        ratio = gradient_ratio(model, X_train, y_train)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", ConvergenceWarning)
            models[name] = model.fit(X_train, y_train)
        remarks += [f"{name}: {warning.message}" for warning in said]
        accuracy = model.score(X_test, y_test)
        table.add_row(name, f"{ratio:.0e}", f"{model.loss_curve_[-1]:.3f}", f"{accuracy:.3f}")
    Console().print(table)
    for remark in remarks:
        print(textwrap.fill(remark, 80))

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(models, directory / "deep_residual.png")


def gradient_ratio(model: ModNetClassifier, X: np.ndarray, y: np.ndarray) -> float:
    """Return ‖∂J/∂W‖ of the first dense layer over that of the output layer, with the first weights."""
    d = trace(model, X, y, training=True).d
    return float(np.linalg.norm(d["layers[0].W"]) / np.linalg.norm(d["output.W"]))


def draw(models: dict[str, ModNetClassifier], path: Path) -> None:
    """Draw the loss curves."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for (name, model), color in zip(models.items(), COLORS, strict=True):
        axes.plot(np.arange(1, model.n_iter_ + 1), model.loss_curve_, color=color, label=name)
    axes.axhline(np.log(10), color="0.6", linestyle=":", linewidth=1)
    axes.text(EPOCHS, np.log(10) * 1.04, "guessing", ha="right", va="bottom", color="0.4")
    axes.set(title=f"{DEPTH} hidden layers on the digits", xlabel="epoch", ylabel="training loss", yscale="log")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    print(f"loss curves: {path}")


if __name__ == "__main__":
    main()
