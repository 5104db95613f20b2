"""What users write, as the README has it: checked by type checkers, and run."""

from sklearn.datasets import load_iris  # type: ignore[import-untyped, unused-ignore]

from modnet import ModelSpec, ModNetClassifier, ModNetRegressor, Network
from modnet.activations import ReLU
from modnet.constraints import MaxNorm
from modnet.initializers import Values
from modnet.layers import (
    ActivationLayer,
    BatchNorm,
    Columns,
    Dense,
    Dropout,
    Embedding,
    GatedLinear,
    Parallel,
    PReLU,
    Residual,
    Sequential,
)
from modnet.losses import PerOutput
from modnet.neural_network import MLPClassifier
from modnet.optimizers import LBFGS, SGD, Adam
from modnet.schedules import Cosine, MultiStep, WarmUp

LAYERS = [
    Dense(64, activation="relu"),
    Dense(64, "prelu", kernel_initializer="auto"),
    Dense(64, activation={"type": "leaky_relu", "negative_slope": 0.1}, bias_initializer="ones"),
    Dense(8, activation=BatchNorm(), name="trunk"),
    Dense(8, ReLU(), kernel_constraint=MaxNorm(2), kernel_initializer={"type": "orthogonal", "gain": 2.0}),
    Dense(8, activation=None, kernel_initializer=Values([0.0] * 8)),
    ActivationLayer("tanh"),
    Dropout(0.2),
    PReLU(shared=True),
    GatedLinear(8, gate="silu"),
    Parallel([Dense(8), Dense(4)]),
    Parallel((Dense(8), "tanh", {"type": "dropout", "rate": 0.5})),
    Residual([Dense(32, activation="relu"), Dense(32)]),
    Sequential(["batch_norm", ReLU()]),
    Columns(["town"]),
    Columns((0, -1)),
    Columns(dtype="number"),
]
OPTIMIZERS = [
    Adam(0.01, schedule="cosine"),
    Adam(schedule=Cosine()),
    Adam(schedule=WarmUp(3, then="cosine"), groups=[{"layers": "trunk", "factor": 0}]),
    SGD(0.1, schedule={"type": "exponential", "gamma": 0.9}),
    SGD(schedule=MultiStep([10, 20])),
    LBFGS(),
]
MODELS = [
    ModNetClassifier(layers=(64, "relu", Dense(8)), optimizer=Adam()),
    ModNetClassifier((64, {"type": "dropout", "rate": 0.2}, 32), "tanh", optimizer="sgd", random_state=0),
    ModNetClassifier(layers=[Dense(8, "prelu")], activation=None, class_weight="balanced", scoring="accuracy"),
    ModNetClassifier(layers=(8,), activation=PReLU(), class_weight={0: 1.0, 1: 2.0}, accelerator=None),
    ModNetRegressor(layers=(8, Dropout(0.2)), loss={"type": "huber", "delta": 2.0}, output_activation="exponential"),
    ModNetRegressor(loss=PerOutput(["squared_error", "poisson"], [1, 1]), optimizer={"type": "adam", "beta_2": 0.99}),
    MLPClassifier((64, 32), activation="tanh", random_state=0, n_iter_no_change=5),
]
SPEC = ModelSpec(layers=["relu", Dense(8, "tanh")], loss="cross_entropy", training={"max_iter": 10})

W = Dense(3, "tanh", kernel_initializer="auto")
units: int = W.units
used: int = len(Parallel([W]).branches)
NETWORK = Network([W, *SPEC.layers], input_shape=(2,))

if __name__ == "__main__":
    X, y = load_iris(return_X_y=True)
    model = ModNetClassifier(layers=(Dense(4, activation="relu"),), optimizer=Adam(0.01), max_iter=2000, random_state=0)
    print(model.fit(X, y).score(X, y) > 0.9, Embedding(units=4).units, units, used)
