"""Whatever is asked for, of whatever is in a table: finite predictions of the right shape, or an error in words.

Parameters, layers, holders of the data and tasks are drawn from seeds. An error is one of modnet's or scikit-learn's
own: a ValueError or TypeError with a message, raised by their code, not by NumPy, SciPy or pandas.
"""

import traceback
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.errors import ModNetError
from modnet.neural_network import MLPClassifier, MLPRegressor
from modnet.registry import registry

pd = pytest.importorskip("pandas")

CASES = 80
"""In each of eight tests, which take a minute together."""

OURS = ("modnet", "modnet_standard", "sklearn")
STANDARD = [name for name in registry.names("layer") if registry.name_of(registry.get("layer", name)) == name]
LAYERS = [example for name in STANDARD for example in registry.get("layer", name).examples()]
ACTIVATIONS, LOSSES = registry.names("activation"), registry.names("loss")
OPTIMIZERS, SCHEDULES = (*registry.names("optimizer"), *registry.names("solver")), registry.names("schedule")


class Draw:
    """What is drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def of(self, choices: Any) -> Any:
        """One of some choices, as it is."""
        return choices[int(self.rng.integers(len(choices)))]

    def maybe(self, value: Any, chance: float = 0.3) -> dict[str, Any]:
        """Some parameters, or none."""
        return value if self.rng.random() < chance else {}

    def layer(self) -> Any:
        """A number of units, a name, a mapping."""
        kind = self.rng.random()
        if kind < 0.6:
            return int(self.rng.integers(1, 9))
        if kind < 0.75:
            return {"type": "dense", "units": int(self.rng.integers(1, 9)), "activation": self.of(ACTIVATIONS)}
        if kind < 0.85:
            return {"type": self.of(("residual", "sequential")), "body": [self.layer() for _ in range(2)]}
        if kind < 0.9:
            return {"type": "parallel", "branches": [self.layer(), self.layer()]}
        return self.of(LAYERS)

    def parameters(self) -> dict[str, Any]:
        """Those that all of modnet's own estimators have."""
        rate = float(self.of((1e-6, 1e-3, 0.1, 10.0, 1e6)))
        optimizer = {"type": self.of(OPTIMIZERS)}
        if optimizer["type"] != "lbfgs":
            optimizer |= {"learning_rate": rate} | self.maybe({"schedule": self.of(SCHEDULES)})
            optimizer |= self.maybe({"weight_decay": 0.1}) | self.maybe({"clip_norm": 1.0}) | self.maybe({"ema": 0.9})
        return {
            "layers": tuple(self.layer() for _ in range(int(self.rng.integers(0, 4)))),
            "max_iter": int(self.rng.integers(1, 4)),
            "random_state": 0,
            "optimizer": self.of((optimizer, optimizer, "adam", "sgd", "lbfgs")),
            **self.maybe({"activation": self.of(ACTIVATIONS)}),
            **self.maybe({"inputs": self.of(("standardize", None, "one_hot"))}),
            **self.maybe({"alpha": float(self.of((0, 1e-3, 1e3, 1e300)))}),
            **self.maybe({"batch_size": self.of((1, 7, 1000, None))}),
            **self.maybe({"early_stopping": True, "validation_fraction": float(self.of((0.01, 0.2, 0.9)))}),
            **self.maybe({"loss": self.of(LOSSES)}, 0.15),
            **self.maybe({"l1_ratio": 0.5, "tol": 0.0, "shuffle": False}),
        }

    def drop_in(self) -> dict[str, Any]:
        """Those of scikit-learn's MLP."""
        return {
            "hidden_layer_sizes": self.of(((3,), (4, 2), ())),
            "activation": self.of(("identity", "logistic", "tanh", "relu")),
            "solver": self.of(("adam", "sgd", "lbfgs")),
            "learning_rate": self.of(("constant", "invscaling", "adaptive")),
            "learning_rate_init": float(self.of((1e-3, 1.0, 1e5))),
            "early_stopping": self.of((True, False)),
            "max_iter": 3,
        }

    def rows(self, n: int) -> np.ndarray:
        """Rows of numbers, of some size."""
        X = self.rng.normal(size=(n, int(self.rng.integers(1, 5)))) * self.of((1.0, 1.0, 1e-12, 1e6, 1e30))
        if self.rng.random() < 0.3:
            X[:, 0] = self.rng.integers(0, 3, n)
        if self.rng.random() < 0.1:
            X[0, 0] = np.nan
        return X

    def holder(self, X: np.ndarray) -> Any:
        """The rows in something that holds them."""
        frame = pd.DataFrame(X, columns=[f"x{index}" for index in range(X.shape[1])])
        words = np.array(["a", "b", "c"])[self.rng.integers(0, 3, len(X))]
        gaps = pd.Series(words).where(self.rng.random(len(X)) < 0.8)
        holders = [
            lambda: X,
            lambda: X.astype(np.float32),
            lambda: np.asfortranarray(X),
            lambda: np.concatenate([X, X])[::2],
            X.tolist,
            lambda: scipy.sparse.csr_array(X),
            lambda: frame,
            lambda: frame.assign(text=words),
            lambda: frame.assign(kind=pd.Categorical(words)),
            lambda: frame.assign(kind=pd.Categorical(gaps), gap=X[:, 0]),
            lambda: frame.assign(whole=pd.array(self.rng.integers(0, 9, len(X)), dtype="Int64"), yes=X[:, 0] > 0),
            lambda: frame.assign(text=gaps),
            lambda: frame.set_axis(range(X.shape[1]), axis=1),
        ]
        return self.of(holders)()

    def case(self) -> tuple[Any, Any, Any, dict[str, Any]]:
        """Return an estimator, X, y and what else `fit` is told."""
        n = int(self.of((2, 3, 12, 40)))
        X, task = self.rows(n), int(self.rng.integers(7))
        codes = self.rng.integers(0, 3, n)
        y = [
            codes > 0,
            np.array(["low", "mid", "high"])[codes],
            self.rng.normal(size=n) * self.of((1.0, 1e9)),
            self.rng.normal(size=(n, 2)),
            (self.rng.normal(size=(n, 3)) > 0).astype(int),
            codes,
            self.rng.poisson(2.0, n) + self.of((0.0, 0.5)),
        ][task]
        numbers = task in (2, 3, 6)
        if self.rng.random() < 0.15:
            model = (MLPRegressor if numbers else MLPClassifier)(**self.drop_in())
        elif self.rng.random() < 0.1:
            model = ModNetTransformer(**self.parameters())
        else:
            model = (ModNetRegressor if numbers else ModNetClassifier)(**self.parameters())
        weight = self.maybe({"sample_weight": self.rng.integers(0, 3, n) * 1.0}, 0.2)
        return model, self.holder(X), y, {} if isinstance(model, ModNetTransformer) else weight


def in_words(error: Exception) -> bool:
    """Whether an error is modnet's or scikit-learn's own."""
    if not isinstance(error, ModNetError | ValueError | TypeError) or not str(error):
        return False
    where = traceback.extract_tb(error.__traceback__)[-1].filename
    return isinstance(error, ModNetError) or any(f"/{each}/" in where for each in OURS)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 8 * CASES, CASES))
def test_finite_predictions_of_the_right_shape_or_an_error_in_words(first: int):
    wrong, fits = [], 0
    for seed in range(first, first + CASES):
        model, X, y, weight = Draw(seed).case()
        try:
            with warnings.catch_warnings(action="error", category=RuntimeWarning):
                warnings.simplefilter("ignore", UserWarning)  # of modnet's and scikit-learn's advice
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(X, y, **weight)
                predict = model.transform if isinstance(model, ModNetTransformer) else model.predict
                found, rows = predict(X), len(y)
                shape = found.shape if isinstance(model, ModNetTransformer) else np.shape(y)
                assert found.shape == (rows, *shape[1:]), f"predictions of shape {found.shape}"
                if found.dtype.kind == "f":
                    assert np.isfinite(found).all(), "predictions are not finite"
            fits += 1
        except Exception as error:
            if not in_words(error):
                last = traceback.extract_tb(error.__traceback__)[-1]
                wrong.append(f"Draw({seed}).case(): {type(error).__name__}: {error} ({last.filename}:{last.lineno})")
    assert not wrong, "\n".join(wrong)
    assert fits > CASES / 6, "too few fits to see anything"
