"""Digits as images: convolutions
==============================

A small convolutional network beside a dense one, with layers from the plugin modnet-sequence::

    python -m pip install -e plugins/modnet-sequence

Flat rows of 64 pixels become images by ``inputs``, so both networks fit into the same searches and pipelines. Prints
what both say of new rows, and draws the first kernels, what they see, and the digits that are still misread::

    python images.py [directory for images.png, default: the current one]
"""

import sys
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure, SubFigure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from modnet import ModNetClassifier

CONV = {"type": "conv2d", "filters": 32, "activation": "relu"}
LAYERS = (
    *("standardize", CONV, CONV, "max_pool"),
    *({**CONV, "filters": 64}, "max_pool", "flatten"),
    *({"type": "dropout", "rate": 0.3}, {"type": "dense", "units": 64, "activation": "relu"}),
)
# Few epochs, the rate falling to nothing: all rows are learnt from, none are held out to find when to stop.
TRAINING = {"max_iter": 12, "early_stopping": False, "batch_size": 64, "random_state": 0}
ADAM = {"type": "adam", "learning_rate": 0.003, "schedule": "cosine"}


def main() -> None:
    """Train both, report, draw."""
    X, y = load_digits(return_X_y=True)
    X, X_new, y, y_new = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    networks = {
        "dense": ModNetClassifier((128, 64), optimizer=ADAM, **TRAINING),
        "convolutional": ModNetClassifier(
            LAYERS, inputs={"type": "reshape", "shape": (8, 8, 1)}, optimizer=ADAM, **TRAINING
        ),
    }
    missed = {}
    for name, model in networks.items():
        started = time.perf_counter()
        model.fit(X, y)
        missed[name] = np.flatnonzero(model.predict(X_new) != y_new)
        print(
            f"{name:14s} {model.theta_.size:6,d} parameters, {time.perf_counter() - started:4.1f} s: "
            f"{len(missed[name])} of {len(y_new)} misread, accuracy {model.score(X_new, y_new):.3f}"
        )

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(networks, X_new, y_new, missed, directory / "images.png")


def draw(
    networks: dict[str, ModNetClassifier], X: np.ndarray, y: np.ndarray, missed: dict[str, np.ndarray], path: Path
) -> None:
    """Draw kernels of the first convolution, a digit as they see it, and digits that are misread."""
    figure = Figure(figsize=(9.6, 3.8), layout="constrained")
    kernels, seen, misread = figure.subfigures(1, 3)
    model = networks["convolutional"]
    network = model.network_
    W = network.parameters(model.theta_)["layers[1].W"]
    panels(kernels, "16 of the first kernels", [W[:, k].reshape(3, 3) for k in range(16)], "RdBu")

    maps = network.outputs_of(network.layer("layers[1]"), model.theta_, model.state_, X[:1].astype(model.theta_.dtype))
    panels(seen, f"a {y[0]} as they see it", [maps[0, :, :, k] for k in range(16)], "viridis")

    pictures, titles = [], []
    for name, of_all in missed.items():  # eight places for each of the two
        said, rows = networks[name].predict(X), [*of_all[:8], *[None] * (8 - len(of_all))]
        pictures += [None if i is None else X[i].reshape(8, 8) for i in rows]
        titles += ["" if i is None else f"{y[i]}, read as {said[i]}" for i in rows]
    panels(misread, "misread, above by the dense network", pictures, "gray_r", titles)
    figure.savefig(path, dpi=150)
    print(f"wrote {path.name}")


def panels(
    figure: SubFigure, title: str, pictures: list[np.ndarray | None], colours: str, titles: list[str] | None = None
) -> None:
    """Draw sixteen small pictures in four rows; None leaves a place empty."""
    figure.suptitle(title)
    for index, axes in enumerate(figure.subplots(4, 4).flat):
        axes.axis("off")
        picture = pictures[index]
        if picture is not None:
            bound = np.abs(picture).max()
            axes.imshow(picture, cmap=colours, vmin=-bound if colours == "RdBu" else 0, vmax=bound)
            axes.set_title(titles[index] if titles else "", fontsize=6)


if __name__ == "__main__":
    main()
