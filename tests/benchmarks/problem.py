"""What the contenders are given: a net, its data and its first weights, the same for all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Weights = list[tuple[Array, Array]]
"""(W, b) of each layer, of shape (n_in, n_out) and (n_out,)."""

LEARNING_RATE, BETA_1, BETA_2, EPSILON = 0.001, 0.9, 0.999, 1e-8
"""Adam's."""


@dataclass(frozen=True)
class Case:
    """A net, its batch size, and how much it is trained.

    Attributes
    ----------
    sizes : tuple of int
        Columns of the data, units of the hidden layers, classes.
    batch_size, rows, epochs : int
        The rows are a multiple of the batch size, so that every step is as long as the others.
    activation : {"relu", "sigmoid"}
    """

    sizes: tuple[int, ...]
    batch_size: int
    rows: int
    epochs: int
    activation: Literal["relu", "sigmoid"] = "relu"

    @property
    def name(self) -> str:
        """Widths, activation unless it is ReLU, and batch size: ``64-64-10-sigmoid/32``."""
        words = [*map(str, self.sizes), *([] if self.activation == "relu" else [self.activation])]
        return f"{'-'.join(words)}/{self.batch_size}"

    @property
    def steps(self) -> int:
        """Optimizer steps in one fit."""
        return self.epochs * self.rows // self.batch_size

    @property
    def outputs(self) -> int:
        """Columns of the raw output: a logit per class, and of two classes one, as scikit-learn and modnet have it."""
        return 1 if self.sizes[-1] == 2 else self.sizes[-1]

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(n_in, n_out) of each dense layer."""
        widths = (*self.sizes[:-1], self.outputs)
        return list(pairwise(widths))

    @property
    def parameters(self) -> int:
        """Elements of θ."""
        return sum((n_in + 1) * n_out for n_in, n_out in self.layers)

    @classmethod
    def of(cls, name: str) -> "Case":
        """Return the case of a name: one of `CASES`, or any other net, trained for two epochs of ten steps.

        Raises
        ------
        ValueError
            If the text is no name of a case.
        """
        for case in CASES:
            if case.name == name:
                return case
        match = re.fullmatch(r"((?:\d+-)+\d+)(-sigmoid)?/(\d+)", name)
        if match is None:
            raise ValueError(f"{name!r} is no case: widths, then /batch size, as in 64-32-10/32 or 64-64-10-sigmoid/32")
        sizes, batch_size = tuple(map(int, match[1].split("-"))), int(match[3])
        return cls(sizes, batch_size, 10 * batch_size, 2, "sigmoid" if match[2] else "relu")


CASES = (
    Case((64, 32, 10), 32, 6_400, 20),
    Case((64, 64, 10), 32, 6_400, 20, "sigmoid"),
    Case((20, 64, 64, 2), 256, 25_600, 20),
    Case((784, 100, 10), 200, 8_000, 10),
    Case((784, 512, 256, 10), 128, 5_120, 5),
    Case((1024, 1024, 1024, 10), 1024, 10_240, 2),
)
"""Few epochs, for trainings of a tenth of a second and more with the fastest: what a fit does once weighs more in them
than in the 200 epochs that are the default of scikit-learn and of modnet."""


def preferred(cases: Sequence[Case], *names: str) -> tuple[Case, ...]:
    """Return those of some cases that have one of the names; all of them if none has."""
    return tuple(case for case in cases if case.name in names) or tuple(cases)


@dataclass(frozen=True)
class Problem:
    """A case with its data.

    Attributes
    ----------
    case : Case
    X : ndarray, shape (rows, columns)
    y : ndarray of int64, shape (rows,)
        Classes 0, 1, …, each of which comes up.
    start : list of (W, b)
        First weights by Glorot & Bengio (2010), uniform in ±√(6 / (n_in + n_out)); first biases are zero.
    threads : int
        How many a contender may use.
    """

    case: Case
    X: Array
    y: Array
    start: Weights
    threads: int

    @classmethod
    def of(cls, case: Case, dtype: str, threads: int, file: Path | None = None) -> Self:
        """Draw the data: classes come from softmax(3 X T / √columns) for a random T, so that there is more than noise.

        With a file the rows are in there, and X is mapped to it.
        """
        rng = np.random.default_rng(0)
        columns, classes = case.sizes[0], case.sizes[-1]
        teacher = rng.normal(scale=3 / columns**0.5, size=(columns, classes)).astype(dtype)
        X = (
            np.empty((case.rows, columns), dtype)
            if file is None
            else np.memmap(file, dtype, "w+", shape=(case.rows, columns))
        )
        y = np.empty(case.rows, np.int64)
        block = max(1, 2**22 // max(columns, classes))
        for start in range(0, case.rows, block):
            x = rng.standard_normal((min(block, case.rows - start), columns), dtype)
            X[start : start + block] = x
            y[start : start + block] = (x @ teacher + rng.gumbel(size=(len(x), classes))).argmax(axis=1)
        y[:classes] = np.arange(classes)[: case.rows]
        if file is not None:
            X.flush()
            X = np.memmap(file, dtype, "r", shape=X.shape)
        return cls(case, X, y, first_weights(case, dtype), threads)


def first_weights(case: Case, dtype: str) -> Weights:
    """Draw the first weights."""
    rng = np.random.default_rng(1)
    bounds = [(6 / (n_in + n_out)) ** 0.5 for n_in, n_out in case.layers]
    return [
        (rng.uniform(-bound, bound, shape).astype(dtype), np.zeros(shape[1], dtype))
        for bound, shape in zip(bounds, case.layers, strict=True)
    ]


def mean_loss(problem: Problem, weights: Weights) -> float:
    """Return the cross-entropy of a net on the data that it was trained on, in float64 for every contender alike."""
    total, block = 0.0, max(1, 2**22 // max(problem.case.sizes))
    for start in range(0, len(problem.X), block):
        a, t = problem.X[start : start + block].astype(np.float64), problem.y[start : start + block]
        for i, (W, b) in enumerate(weights):
            z = a @ W + b
            if i < len(weights) - 1:
                a = np.maximum(z, 0) if problem.case.activation == "relu" else 0.5 + 0.5 * np.tanh(0.5 * z)
        if problem.case.outputs == 1:
            z = np.concatenate([np.zeros_like(z), z], axis=1)  # σ(z) is the softmax of (0, z)
        total += float((np.logaddexp.reduce(z, axis=1) - z[np.arange(len(t)), t]).sum())
    return total / len(problem.X)
