"""scikit-learn's own networks as the reference: the same steps from the same weights, and the same accuracy."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from support.classic import CLASSIC

from modnet import ModelSpec, ModNetClassifier
from modnet.layers import Dense
from modnet.losses import CrossEntropy, SquaredError
from modnet.optimizers import SGD, Adam
from modnet.training import Data, Trainer, TrainingSettings

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SETTINGS = {"max_iter": 20, "batch_size": 50, "shuffle": False, "alpha": 0.0001, "tol": 0.0, "n_iter_no_change": 1000}

OPTIMIZERS = {
    "sgd": (SGD(0.05), {"solver": "sgd", "momentum": 0.0, "nesterovs_momentum": False}),
    "momentum": (SGD(0.02, 0.9), {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False}),
    "nesterov": (SGD(0.02, 0.9, nesterov=True), {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": True}),
    # ε stands beside the corrected √v̂ here, beside √v there; where both vanish the rules are one.
    "adam": (Adam(0.002, epsilon=1e-30), {"solver": "adam", "epsilon": 1e-30}),
}

rng = np.random.default_rng(0)
X = rng.normal(size=(220, 6))
SCORES = X @ rng.normal(size=(6, 3)) + np.sin(X[:, :3])
TASKS = {
    "binary": (MLPClassifier, (SCORES[:, 0] > 0).astype(int), CrossEntropy("sigmoid"), 1),
    "multiclass": (MLPClassifier, SCORES.argmax(axis=1), CrossEntropy("softmax"), 3),
    "multilabel": (MLPClassifier, (SCORES > 0).astype(int), CrossEntropy("sigmoid"), 3),
    "regression": (MLPRegressor, SCORES[:, 0], SquaredError(), 1),
}


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("task", TASKS)
def test_loss_curves_from_equal_weights_are_equal(task: str, optimizer: str, activation: str):
    cls, y, loss, width = TASKS[task]
    rule, arguments = OPTIMIZERS[optimizer]
    mlp = cls(hidden_layer_sizes=(12, 7), activation=activation, random_state=3, **arguments, **SETTINGS)
    mlp.set_params(learning_rate_init=rule.learning_rate)

    # One step at a rate that moves no float64 shows the weights that a seed starts from.
    start = clone(mlp).set_params(solver="sgd", learning_rate_init=1e-300, max_iter=1).fit(X, y)
    network = ModelSpec(inputs=None, layers=[Dense(12, activation), Dense(7, activation)]).network((6,), width)
    theta, state = network.initialize(np.random.default_rng(0))
    views = network.layout.views(theta)
    for path, W, b in zip(("layers[0]", "layers[1]", "output"), start.coefs_, start.intercepts_, strict=True):
        views[f"{path}.W"][...], views[f"{path}.b"][...] = W, b

    t = y if task == "multiclass" else y.reshape(len(y), -1).astype(float)
    streams = {"shuffle_rng": np.random.default_rng(0), "noise_rng": np.random.default_rng(0)}
    history = Trainer(network, loss, rule, TrainingSettings(**SETTINGS), theta, state, **streams).fit(Data(X, t))
    mlp.fit(X, y)

    assert len(history.losses) == 20
    assert history.losses[-1] < 0.8 * history.losses[0]
    np.testing.assert_allclose(history.losses, mlp.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(views["output.W"], mlp.coefs_[2], rtol=1e-6)


def test_digits_are_read_as_well_as_by_scikit_learns_network():
    X, y = load_digits(return_X_y=True)
    scores = []
    for seed in range(5):
        X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.5, random_state=seed, stratify=y)
        settings = {**CLASSIC, "max_iter": 30, "optimizer": Adam(0.005), "batch_size": 200, "loss": "cross_entropy"}
        ours = ModNetClassifier((64,), **settings, random_state=seed)
        theirs = MLPClassifier((64,), max_iter=30, learning_rate_init=0.005, random_state=seed)
        scores.append([model.fit(X_train, y_train).score(X_test, y_test) for model in (ours, theirs)])
    mean, difference = np.mean(scores, axis=0), np.mean(scores, axis=0) @ [1, -1]
    # Over 15 seeds one difference scatters by 0.0064, so the mean of five by 0.0029: the bound is three of that.
    assert abs(difference) < 0.009
    assert mean[0] > 0.95
