"""The loss decides which classes its raw output stands for, whatever its width, and takes no second link in front."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from modnet import Loss, ModelSpec, ModNetClassifier, ModNetRegressor
from modnet.base import served
from modnet.errors import InvalidSpecError
from modnet.layers import ActivationLayer, Dense, Residual, Sequential
from modnet.losses import CrossEntropy, PerOutput
from modnet.neural_network import MLPClassifier
from modnet.registry import registry

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, FLOWERS = load_iris(return_X_y=True)
X = scale(X)
TARGETS = {
    "binary": (FLOWERS == 1).astype(int),
    "multiclass": FLOWERS,
    "multilabel": np.column_stack([FLOWERS > 0, FLOWERS == 1, X[:, 0] > 0]).astype(int),
    "multioutput": np.column_stack([FLOWERS, FLOWERS == 1]),
}
NET = ModNetClassifier((16,), max_iter=150, optimizer={"type": "adam", "learning_rate": 0.02}, random_state=0)


class TwoPerClass(Loss):
    """Cross-entropy of the differences of two raw columns per class, the first half and the second."""

    links = True
    inner: CrossEntropy = CrossEntropy()

    def for_task(self, task, widths=()):
        inner = self.inner.for_task(task)
        return inner and replace(self, inner=inner)

    def width(self, targets):
        return 2 * targets

    def value_and_gradient(self, t, raw, *, weight=None, out=None):
        value, dz = self.inner.value_and_gradient(t, self._logits(raw), weight=weight)
        return value, np.concatenate([dz, -dz], axis=1, out=out)

    def predict(self, raw):
        return self.inner.predict(self._logits(raw))

    def _logits(self, raw):
        first, second = np.split(raw, 2, axis=1)
        return first - second


class ComplementaryLogLog(Loss):
    """Cross-entropy of p = 1 − e^(−e^z), which is ½ at z = log log 2."""

    links = True

    def for_task(self, task, widths=()):
        return self if task in ("binary", "multilabel") else None

    def value(self, t, raw, *, weight=None):
        rate = np.exp(np.minimum(raw, 30))
        J = np.where(t == 1, -np.log(-np.expm1(-rate) + 1e-300), rate)
        return float(np.average(J.sum(axis=1), weights=weight))

    def gradient(self, t, raw, *, weight=None, out=None):
        rate = np.exp(np.minimum(raw, 30))
        share = np.full(len(raw), 1 / len(raw)) if weight is None else weight / weight.sum()
        odds = rate / np.expm1(np.clip(rate, 1e-12, 500))
        return np.multiply(np.where(t == 1, -odds, rate), share[:, np.newaxis], out=out)

    def predict(self, raw):
        return -np.expm1(-np.exp(np.minimum(raw, 30)))


LOSSES = [*(registry.get("loss", name)() for name in registry.names("loss")), TwoPerClass(), ComplementaryLogLog()]
SERVED = [(loss, task) for loss in LOSSES for task in served(loss) if task != "regression"]
SERVED += [(loss, "multioutput") for loss in LOSSES if {"binary", "multiclass"} <= set(served(loss))]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("loss", "task"), SERVED, ids=str)
def test_what_is_predicted_is_what_is_most_likely(loss, task, dtype):
    model = ModNetClassifier((4,), loss=loss, max_iter=2, random_state=0).fit(X.astype(dtype), TARGETS[task])
    for scaled in (1, 0, np.finfo(dtype).eps):  # equal probabilities, and nearly equal ones
        model.theta_ *= scaled
        predicted, scores = model.predict(X), model.decision_function(X)
        assert predicted.shape == TARGETS[task].shape
        if not model.spec_.loss.probabilistic:
            if task in ("binary", "multilabel"):
                np.testing.assert_array_equal(predicted, scores > 0)
            elif task == "multiclass":
                np.testing.assert_array_equal(predicted, model.classes_[scores.argmax(axis=1)])
            continue
        p = model.predict_proba(X)
        if task == "multilabel":
            np.testing.assert_array_equal(predicted, p > 0.5)
            continue
        several = task == "multioutput"
        columns = zip(p, model.classes_, predicted.T, strict=True) if several else [(p, model.classes_, predicted)]
        for each, classes, labels in columns:
            np.testing.assert_array_equal(labels, classes[each.argmax(axis=1)])


@pytest.mark.parametrize("task", TARGETS)
def test_a_loss_with_two_raw_columns_per_class_learns_like_one_with_one(task):
    y = TARGETS[task]
    model = ModNetClassifier.from_spec(NET.to_spec(), loss=TwoPerClass(), random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    p, logs, scores = model.predict_proba(X), model.predict_log_proba(X), model.decision_function(X)
    for each, log in zip(p, logs, strict=True) if task == "multioutput" else [(p, logs)]:
        np.testing.assert_allclose(np.exp(log), each, rtol=1e-9, atol=1e-12)
    if task == "multiclass":
        np.testing.assert_array_equal(scores, logs)
    elif task != "multioutput":
        second = p[:, 1] if task == "binary" else p
        assert scores.shape == second.shape
        np.testing.assert_array_equal(scores > 0, second > 0.5)


@pytest.mark.parametrize("task", TARGETS)
def test_probabilities_are_those_of_the_rows_and_not_of_their_smoothed_labels(task):
    y, nothing = TARGETS[task], np.zeros((len(X), 1))  # all that can be learnt is how often a class comes
    smooth = CrossEntropy(label_smoothing=0.3)
    model = ModNetClassifier((), loss=smooth, optimizer="lbfgs", alpha=0, tol=1e-12, random_state=0).fit(nothing, y)
    p, logs = model.predict_proba(nothing[:1]), model.predict_log_proba(nothing[:1])
    columns = list(y.T) if task == "multioutput" else [y]
    for found, log, labels in zip(*((p, logs) if task == "multioutput" else ([p], [logs])), columns, strict=True):
        often = labels.mean(axis=0) if task == "multilabel" else np.bincount(labels) / len(y)
        np.testing.assert_allclose(found[0], often, atol=1e-6)
        np.testing.assert_allclose(log[0], np.log(often), atol=1e-5)
    raw = model.network_.predict(model.theta_, model.state_, nothing[:1])
    np.testing.assert_array_equal(model.decision_function(nothing[:1]), raw[:, 0] if task == "binary" else raw)


def test_a_link_that_is_one_half_elsewhere_is_followed():
    model = ModNetClassifier.from_spec(NET.to_spec(), loss=ComplementaryLogLog(), random_state=0)
    model.set_params(layers=(), max_iter=30).fit(X, TARGETS["binary"])
    p, scores = model.predict_proba(X)[:, 1], model.decision_function(X)
    np.testing.assert_array_equal(model.predict(X), p > 0.5)
    assert ((p > 0.5) != (scores > 0)).any()  # what the raw output would have said


def test_early_stopping_watches_what_is_predicted():
    model = clone(NET).set_params(loss=TwoPerClass(), early_stopping=True, scoring=None)
    model.fit(X, FLOWERS, X_val=X[::3], y_val=FLOWERS[::3])
    assert max(model.validation_scores_) == model.score(X[::3], FLOWERS[::3]) > 0.9


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_drop_in_decides_by_probabilities_as_scikit_learn_does(dtype):
    model = MLPClassifier((4,), max_iter=2, random_state=0).fit(X.astype(dtype), TARGETS["binary"])
    model.theta_ *= 1e-12
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X)[:, 1] > 0.5)


# Several columns of classes


def test_per_output_needs_no_widths():
    y = TARGETS["multioutput"]
    expected = clone(NET).set_params(loss="cross_entropy").fit(X, y)
    assert isinstance(expected.spec_.loss, PerOutput)
    for loss in ("per_output", {"type": "per_output"}, PerOutput([CrossEntropy()]), PerOutput(["cross_entropy"] * 2)):
        model = ModNetClassifier.from_spec(NET.to_spec(), loss=loss, random_state=0).fit(X, y)
        np.testing.assert_array_equal(model.theta_, expected.theta_)


@pytest.mark.parametrize("use", ["value", "predict", "log_predict", "codes", "check_truth"])
@pytest.mark.parametrize("loss", [PerOutput(), PerOutput(["cross_entropy"] * 2)], ids=repr)
def test_per_output_by_hand_asks_for_widths(loss, use):
    t, raw = np.zeros((3, 2), int), np.zeros((3, 4))
    arguments = {"value": (t, raw), "codes": ("multioutput", raw), "check_truth": (t,)}.get(use, (raw,))
    with pytest.raises(ValueError, match=r"^PerOutput\(.*\) has no widths: say how many .* as in widths=\(3, 1\)"):
        getattr(loss, use)(*arguments)


def test_a_single_loss_by_hand_looks_at_every_column():
    t, raw = np.array([[2, 1], [0, 0]]), np.arange(12.0).reshape(2, 6) ** 0.5
    single, several = PerOutput([CrossEntropy()], [3, 3]), PerOutput([CrossEntropy()] * 2, [3, 3])
    assert single.value(t, raw) == several.value(t, raw)
    assert single.width(6) == 6
    with pytest.raises(ValueError, match="row"):
        single.check_truth(np.array([[0, -1]]))


def test_each_column_may_have_a_loss_of_its_own():
    y = TARGETS["multioutput"]
    loss = PerOutput([TwoPerClass(), "hinge"])
    model = ModNetClassifier.from_spec(NET.to_spec(), loss=loss, random_state=0).fit(X, y)
    assert model.network_.output_shape == (7,)
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("loss", ["per_output", PerOutput(["squared_error", "poisson"])], ids=repr)
def test_columns_of_numbers_with_a_loss_each_are_told_what_to_do(loss):
    with pytest.raises(ValueError, match=r"sum over the columns of y, .* fit an estimator for each"):
        ModNetRegressor((4,), loss=loss).fit(X, X[:, :2])


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (PerOutput(["cross_entropy"] * 3), "one per column of y.* there are 3 losses, and 2 columns"),
        (PerOutput(["poisson"]), r"PerOutput\(.* does not serve a multioutput target; it serves: none"),
        ("poisson", r"Poisson\(\) does not serve a multioutput target; it serves: regression"),
        ("per_output", None),
    ],
)
def test_a_loss_that_does_not_serve_says_what_it_serves(loss, words):
    model = ModNetClassifier((4,), loss=loss)
    if words:
        with pytest.raises(ValueError, match=words):
            model.fit(X, TARGETS["multioutput"])
    else:
        with pytest.raises(ValueError, match="does not serve a multiclass target; it serves: multioutput"):
            model.fit(X, FLOWERS)
    assert not hasattr(model, "spec_")


# Output activations


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        ("cross_entropy", "sigmoid"),
        ("cross_entropy", "softmax"),
        ("focal", "softmax"),
        ("hinge", "softplus"),
        ("poisson", "exponential"),
        ("gaussian_nll", "tanh"),
        ("per_output", "softmax"),
        ("auto", "softmax"),
    ],
)
def test_an_output_activation_in_front_of_a_link_is_refused(loss, activation):
    estimator = ModNetRegressor if loss in ("poisson", "gaussian_nll") else ModNetClassifier
    with pytest.raises(InvalidSpecError, match=r"output_activation: should be None, because \w+\(.* leave it out"):
        estimator((4,), loss=loss, output_activation=activation).to_spec()
    if loss != "auto":
        with pytest.raises(InvalidSpecError, match="output_activation: should be None"):
            ModelSpec(loss=loss, output_activation=activation)


@pytest.mark.parametrize("loss", ["squared_error", "huber", "quantile", "auto"])
def test_a_loss_that_predicts_the_raw_output_takes_one(loss):
    assert (
        ModNetRegressor((4,), loss=loss, output_activation="softplus", max_iter=2).fit(X, X[:, 0]).predict(X) > 0
    ).all()


# The last layer of Keras

HABIT = [
    ([8, Dense(3, "softmax")], "multiclass", r"layers\[1\]\.activation \(Softmax\)"),
    ([8, 3, "log_softmax"], "multiclass", r"layers\[2\] \(LogSoftmax\)"),
    ([8, Dense(3, "sigmoid")], "multilabel", r"layers\[1\]\.activation \(Sigmoid\)"),
    ([8, Dense(1, "sigmoid")], "binary", r"layers\[1\]\.activation \(Sigmoid\)"),
    ([8, Dense(2, "softmax")], "binary", r"layers\[1\]\.activation \(Softmax\)"),
    ([Sequential([Dense(3, "softmax")])], "multiclass", r"layers\[0\]\.body\[0\]\.activation \(Softmax\)"),
    ([Sequential([Dense(8), "tanh", Sequential([Dense(1), "sigmoid"])])], "binary", r".*body\[1\] \(Sigmoid\)"),
    ([8, Dense(3), ActivationLayer("softmax", name="p")], "multiclass", r"layers\[2\]\.activation \(Softmax\)"),
]


@pytest.mark.parametrize(("layers", "task", "link"), HABIT, ids=str)
def test_probabilities_in_front_of_the_output_layer_are_said_at_once(layers, task, link):
    with pytest.warns(UserWarning, match=f"^{link} makes probabilities .* leave this layer out"):
        ModNetClassifier(layers, max_iter=1).fit(X, TARGETS[task])


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model",
    [
        ModNetClassifier([8, Dense(4, "softmax"), Dense(8, "relu")]),
        ModNetClassifier([Dense(4, "softmax")]),
        ModNetClassifier((3,)),
        ModNetClassifier((3,), "sigmoid"),
        ModNetClassifier([Dense(3), Residual([Dense(3), "softmax"])]),
        ModNetClassifier([3, "softmax", "batch_norm"]),
        MLPClassifier((3,), "logistic"),
    ],
    ids=repr,
)
def test_hidden_layers_are_let_be(model):
    model.set_params(max_iter=1).fit(X, FLOWERS)
