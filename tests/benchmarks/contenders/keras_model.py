"""Keras on JAX, its fastest backend here, or on torch.

A model is compiled once and trained again from the same start, because Keras compiles per model. 32 steps per execution
are what Keras offers against the cost of a call: 120 instead of 210 µs per step of 64-32-10. On torch there is no such
thing.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from benchmarks.contenders import Fit, Step
from benchmarks.problem import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Array, Problem, Weights
from benchmarks.searching import BATCH_SIZE, Searched, Table


@dataclass(frozen=True)
class Trained:
    """A model that was trained."""

    model: keras.Model

    def weights(self) -> Weights:
        """Return its weights."""
        arrays = self.model.get_weights()
        return list(zip(arrays[::2], arrays[1::2], strict=True))

    def predict(self, X: Array) -> Array:
        """Return classes."""
        raw = self.model.predict(X, batch_size=min(len(X), 10_000), verbose=0)
        return raw[:, 0] > 0 if raw.shape[1] == 1 else raw.argmax(axis=1)


def model_of(problem: Problem, steps_per_execution: int) -> keras.Model:
    """Return the model of a problem, with its first weights."""
    keras.config.set_floatx(problem.X.dtype.name)
    case = problem.case
    hidden = [keras.layers.Dense(units, activation=case.activation) for units in case.sizes[1:-1]]
    model = keras.Sequential([keras.Input((case.sizes[0],)), *hidden, keras.layers.Dense(case.outputs)])
    losses = keras.losses
    loss: Any = losses.BinaryCrossentropy if case.outputs == 1 else losses.SparseCategoricalCrossentropy
    on_torch = keras.config.backend() == "torch"
    model.compile(
        keras.optimizers.Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON),
        loss(from_logits=True),
        steps_per_execution=1 if on_torch else steps_per_execution,
    )
    model.set_weights([array for layer in problem.start for array in layer])
    model.optimizer.build(model.trainable_variables)
    return model


def prepare(problem: Problem) -> Fit:
    """Return `fit` of a compiled model, put back to where it started."""
    case = problem.case
    model = model_of(problem, min(32, case.rows // case.batch_size))
    variables = [*model.variables, *model.optimizer.variables]
    start = [np.array(variable) for variable in variables]

    def fit() -> Trained:
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        model.fit(problem.X, problem.y, batch_size=case.batch_size, epochs=case.epochs, verbose=0)
        return Trained(model)

    return fit


def stream(problem: Problem, rows: int) -> Step:
    """Return `train_on_batch`."""
    model = model_of(problem, 1)
    return model.train_on_batch


def one_hidden(X: Array, y: Array, units: int, alpha: float, rate: float) -> keras.Model:
    """Return a compiled model with one hidden layer, for y of classes as one-hot rows, or of numbers."""
    keras.config.set_floatx("float32")
    numbers = y.ndim == 1 or y.shape[1] == 1

    def dense(width: int, activation: str | None = None) -> keras.Layer:
        penalty = keras.regularizers.L2(alpha / (2 * BATCH_SIZE))
        return keras.layers.Dense(width, activation=activation, kernel_regularizer=penalty)

    links = [keras.Input((X.shape[1],)), dense(units, "relu"), dense(1 if numbers else y.shape[1])]
    model = keras.Sequential(links)
    loss = "mean_squared_error" if numbers else keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate, BETA_1, BETA_2, EPSILON), loss)
    return model


def searched(table: Table, epochs: int) -> Searched:
    """Return one of Keras' wrappers for scikit-learn, which makes and compiles a model for each fit."""
    keras.utils.set_random_seed(0)
    kind = keras.wrappers.SKLearnRegressor if table.classes is None else keras.wrappers.SKLearnClassifier
    made = kind(one_hidden, fit_kwargs={"batch_size": BATCH_SIZE, "epochs": epochs, "verbose": 0})
    return Searched(made, lambda each: {"model_kwargs": dataclasses.asdict(each)}, table.y)
