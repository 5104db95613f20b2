"""The picture of a training has the curves of the estimator, in panels that fit where they are put."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import sklearn.neural_network
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.distributions import run_python

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer, TrainingCurveDisplay
from modnet.neural_network import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(60, 4))
y = X[:, 0] - X[:, 1]
DECAYING = {"type": "sgd", "learning_rate": 0.01, "schedule": "inverse_scaling"}


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    """Figures that no screen shows, gone after the test."""
    mpl.use("Agg")
    yield
    plt.close("all")


def net(**params: Any) -> ModNetRegressor:
    return ModNetRegressor(**{"layers": (4,), "max_iter": 20, "random_state": 0, **params})


def labels(display: TrainingCurveDisplay) -> list[str]:
    return [axes.get_ylabel() for axes in display.axes_]


def test_a_bare_fit_is_one_panel_with_one_line() -> None:
    model = net(early_stopping=False).fit(X, y)
    display = TrainingCurveDisplay.from_estimator(model)
    assert labels(display) == ["Loss"]
    assert list(display.lines_) == ["loss"]
    np.testing.assert_array_equal(display.lines_["loss"].get_data(), [range(1, 21), model.loss_curve_])
    assert display.figure_.axes == [display.ax_]


def test_everything_there_is_to_see_is_drawn() -> None:
    model = net(optimizer=DECAYING, scoring="neg_mean_squared_error").fit(X, y, X_val=X, y_val=y)
    display = TrainingCurveDisplay.from_estimator(model)
    assert labels(display) == ["Loss", "Neg mean squared error", "Learning rate"]
    curves = [
        model.loss_curve_,
        model.validation_loss_curve_,
        model.validation_scores_,
        model.learning_rate_curve_,
    ]
    drawn = [line.get_ydata() for line in display.lines_.values()]
    assert list(display.lines_) == ["loss", "validation_loss", "validation_score", "learning_rate"]
    np.testing.assert_array_equal(drawn, curves)


@pytest.mark.parametrize(
    ("model", "label"),
    [(ModNetClassifier(scoring=None), "Accuracy"), (net(scoring=None), "R²"), (net(scoring=lambda *_: 0.0), "Score")],
)
def test_the_score_is_called_by_its_name(model: Any, label: str) -> None:
    model.set_params(max_iter=2).fit(X, y > 0, X_val=X, y_val=y > 0)
    assert labels(TrainingCurveDisplay.from_estimator(model))[1] == label


class TestTheBestEpoch:
    def marks(self, model: Any) -> list[list[float]]:
        display = TrainingCurveDisplay.from_estimator(model)
        return [[line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"] for axes in display.axes_]

    @pytest.mark.parametrize("scoring", ["loss", "r2"])
    def test_is_marked_where_early_stopping_kept_the_weights(self, scoring: str) -> None:
        noise = np.random.default_rng(1).normal(size=60)
        model = net(
            early_stopping=True,
            cooldown=0,
            scoring=scoring,
            max_iter=200,
            optimizer={"type": "adam", "learning_rate": 0.1},
        )
        model.fit(X, noise, X_val=-X, y_val=noise)
        best = model.validation_loss_curve_ if scoring == "loss" else np.negative(model.validation_scores_)
        assert self.marks(model) == [[np.argmin(best) + 1]] * (1 if scoring == "loss" else 2)
        assert np.argmin(best) + 1 < model.n_iter_

    @pytest.mark.parametrize("model", [net(), net(scoring="r2", n_iter_no_change=3)])
    def test_is_not_marked_without_early_stopping(self, model: Any) -> None:
        model.fit(X, y, X_val=X, y_val=y).set_params(early_stopping=True)
        assert not any(self.marks(model))

    def test_is_not_marked_where_a_cool_down_moved_on_from_it(self) -> None:
        model = net(early_stopping=True, scoring="r2", max_iter=20).fit(X, y)
        assert not any(self.marks(model))
        line = TrainingCurveDisplay.from_estimator(model).lines_["validation_loss"]
        assert list(line.get_xdata()) == list(range(1, model.n_iter_ + 1))
        seen = len(model.validation_loss_curve_)
        assert list(line.get_ydata()[:seen]) == model.validation_loss_curve_
        assert np.isnan(line.get_ydata()[seen:]).all()

    def test_of_a_warm_start_is_among_the_epochs_of_the_last_fit(self) -> None:
        model = MLPRegressor(hidden_layer_sizes=(4,), early_stopping=True, warm_start=True, max_iter=5, random_state=0)
        model.fit(X, y).fit(X, -y)
        best = 5 + int(np.argmax(model.validation_scores_[5:])) + 1
        assert max(model.validation_scores_[:5]) > max(model.validation_scores_[5:])
        assert self.marks(model) == [[best], [best]]


def test_shorter_curves_end_with_the_last_epoch() -> None:
    display = TrainingCurveDisplay(loss=[3.0, 2.0, 1.0], validation_loss=[2.5, 1.5]).plot()
    assert list(display.lines_["validation_loss"].get_xdata()) == [2, 3]


def test_a_learning_rate_that_spans_decades_has_a_logarithmic_axis() -> None:
    displays = [TrainingCurveDisplay(loss=[2.0, 1.0], learning_rate=rates).plot() for rates in ([1, 0.5], [1, 0.05])]
    assert [display.axes_[-1].get_yscale() for display in displays] == ["linear", "log"]


def test_one_epoch_can_be_seen() -> None:
    assert TrainingCurveDisplay(loss=[1.0]).plot().lines_["loss"].get_marker() == "o"


class TestWhereItIsDrawn:
    display = TrainingCurveDisplay(loss=[2.0, 1.0], validation_score=[0.5, 0.6], learning_rate=[0.1, 0.05])

    @pytest.mark.parametrize("free", [False, True])
    def test_axes_that_are_given_are_divided(self, free: bool) -> None:
        figure = plt.figure()
        ax = figure.add_axes((0.1, 0.2, 0.5, 0.7)) if free else figure.add_subplot(1, 2, 1)
        before = ax.get_position()
        drawn = self.display.plot(ax)
        boxes = [axes.get_position() for axes in drawn.axes_]
        assert drawn.ax_ is ax
        assert drawn.figure_ is figure
        assert [box.x0 for box in boxes] == [before.x0] * 3
        assert boxes[0].y1 == pytest.approx(before.y1)
        assert boxes[2].y0 == pytest.approx(before.y0)
        assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes))

    def test_a_second_estimator_goes_into_the_panels_of_the_first(self) -> None:
        first = self.display.plot(name="first")
        axes = list(first.axes_)
        second = self.display.plot(ax=axes, name="second")
        assert second.axes_ == axes
        assert first.figure_.axes == axes
        legend = second.ax_.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == ["first: training loss", "second: training loss"]

    def test_too_few_axes_are_an_error(self) -> None:
        _, axes = plt.subplots(2)
        with pytest.raises(ValueError, match=r"one Axes or 3 \(Loss, Score, Learning rate\), got 2"):
            self.display.plot(axes)

    def test_line_kw_reaches_every_line(self) -> None:
        assert {line.get_alpha() for line in self.display.plot(line_kw={"alpha": 0.5}).lines_.values()} == {0.5}


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), net()),
        GridSearchCV(make_pipeline(net()), {"modnetregressor__alpha": [0.1]}, cv=2),
        TransformedTargetRegressor(net()),
        ModNetTransformer((2,), max_iter=20),
        ModNetTransformer(estimator=net()),
        MLPRegressor(max_iter=20),
        sklearn.neural_network.MLPRegressor(max_iter=20, early_stopping=True),
    ],
)
def test_the_estimator_is_found_wherever_it_is(model: Any) -> None:
    display = TrainingCurveDisplay.from_estimator(model.fit(X, y))
    assert len(np.asarray(display.lines_["loss"].get_ydata())) <= 20


@pytest.mark.parametrize("model", [net(), make_pipeline(net()), GridSearchCV(net(), {"alpha": [0.1]})])
def test_what_is_not_fitted_says_so(model: Any) -> None:
    with pytest.raises(NotFittedError, match="not fitted"):
        TrainingCurveDisplay.from_estimator(model)


def test_what_has_no_training_curve_is_refused() -> None:
    with pytest.raises(TypeError, match=r"LinearRegression has no loss_curve_: pass a fitted estimator of modnet"):
        TrainingCurveDisplay.from_estimator(LinearRegression().fit(X, y))


def test_matplotlib_is_needed_only_when_something_is_drawn() -> None:
    code = """
import sys, modnet
display = modnet.TrainingCurveDisplay(loss=[1.0])
print("matplotlib" in sys.modules)
sys.modules["matplotlib"] = None
try: display.plot()
except ImportError as error: print(error)
"""
    imported, message = run_python(code).split("\n", 1)
    assert imported == "False"
    assert message.startswith("TrainingCurveDisplay.plot requires matplotlib")
