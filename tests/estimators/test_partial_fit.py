"""partial_fit: one call is one epoch, many calls are a stream, and what may change between them."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from modnet import ModNetClassifier, ModNetRegressor, Progress, Schedule
from modnet.layers import Dense
from modnet.optimizers import SGD, Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Halving(Schedule):
    """Half the rate with every epoch."""

    def rate(self, learning_rate: float, progress: Progress) -> float:
        return learning_rate / 2**progress.epoch


def classes_of(case) -> dict:
    """The argument that a first call needs."""
    return {"classes": np.unique(case.y)} if isinstance(case.model, ModNetClassifier) and case.y.ndim == 1 else {}


def started(case, **params):
    """A model after its first call."""
    return clone(case.model).set_params(**params).partial_fit(case.X, case.y, **classes_of(case))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"layers": (16, "dropout"), "optimizer": SGD(0.1, 0.9, True)},
        {"batch_size": 7, "shuffle": False},
        {"optimizer": Adam(0.02, schedule=Halving())},
    ],
    ids=["default", "dropout", "in order", "schedule"],
)
def test_k_calls_are_a_fit_of_k_epochs(case, params: dict):
    params = {"accelerator": None, **params}  # an accelerator's steps at once are single steps but for rounding
    fitted = clone(case.model).set_params(max_iter=4, **params).fit(case.X, case.y)
    model = started(case, max_iter=4, **params)
    for _ in range(3):
        model.partial_fit(case.X, case.y)
    assert model.loss_curve_ == fitted.loss_curve_
    assert model.theta_.tobytes() == fitted.theta_.tobytes()
    assert model.n_iter_ == 4


def test_a_stream_learns_what_it_is_shown(case):
    # The scale of a target is that of the first rows, and a fit has all of them to tell it by.
    model = clone(case.model).set_params(shuffle=False, batch_size=25, scale_target=False)
    for _ in range(30):
        for start in range(0, len(case.X), 25):
            rows = slice(start, start + 25)
            model.partial_fit(case.X[rows], case.y[rows], **(classes_of(case) if not hasattr(model, "theta_") else {}))
    whole = clone(model).set_params(max_iter=30, tol=0, n_iter_no_change=30).fit(case.X, case.y)
    np.testing.assert_array_equal(model.theta_, whole.theta_)
    assert model.score(case.X, case.y) > 0.8


@pytest.mark.parametrize("send", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_stream_goes_on_after_a_copy(case, send):
    model = started(case, layers=(16, "dropout"))
    second = send(model)
    for _ in range(2):
        model.partial_fit(case.X, case.y)
        second.partial_fit(case.X, case.y)
    assert model.theta_.tobytes() == second.theta_.tobytes()


def test_a_stream_goes_on_from_a_fit(case):
    model = case.fitted()
    theta, epochs = model.theta_.copy(), model.n_iter_
    model.partial_fit(case.X, case.y)
    assert model.n_iter_ == epochs + 1 == len(model.loss_curve_)
    assert 0 < abs(model.theta_ - theta).max() < 1


def test_fit_starts_anew_after_a_stream(case):
    model = started(case)
    model.fit(case.X, case.y)
    np.testing.assert_array_equal(model.theta_, case.fitted().theta_)


def test_weights_and_optimizer_state_of_a_copy_are_its_own(case):
    model = started(case)
    shallow = copy.copy(model)
    theta, moments = shallow.theta_.copy(), shallow.optimizer_state_.vectors["m"].copy()
    model.partial_fit(case.X, case.y)
    np.testing.assert_array_equal(shallow.theta_, theta)
    np.testing.assert_array_equal(shallow.optimizer_state_.vectors["m"], moments)


# Classes


def test_a_first_call_needs_the_classes(multiclass):
    with pytest.raises(ValueError, match=r"classes must be passed on the first call to partial_fit\."):
        clone(multiclass.model).partial_fit(multiclass.X, multiclass.y)


def test_classes_that_did_not_come_yet_are_predicted_later(multiclass):
    model = clone(multiclass.model)
    model.partial_fit(multiclass.X[:50], multiclass.y[:50], classes=np.unique(multiclass.y))
    assert model.predict_proba(multiclass.X).shape == (150, 3)
    for _ in range(30):
        model.partial_fit(multiclass.X, multiclass.y)
    assert model.score(multiclass.X, multiclass.y) > 0.9


def test_labels_that_were_not_announced_are_refused(multiclass):
    model = clone(multiclass.model)
    for _ in range(2):
        with pytest.raises(
            ValueError,
            match=r"`y` has classes not in `self\.classes_`.* has \['setosa' 'virginica'\]\. 'y' has .*versicolor",
        ):
            model.partial_fit(multiclass.X, multiclass.y, classes=["virginica", "setosa"])
        assert not hasattr(model, "classes_")
        assert vars(model).keys() == vars(clone(model)).keys()


def test_classes_may_be_repeated_but_not_changed(multiclass):
    model = started(multiclass)
    model.partial_fit(multiclass.X, multiclass.y, classes=["virginica", "setosa", "versicolor"])
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        model.partial_fit(multiclass.X, multiclass.y, classes=["setosa", "virginica"])


def test_labels_have_their_classes_in_their_columns(multilabel):
    for classes in (None, [0, 1, 2], multilabel.y):
        model = clone(multilabel.model).partial_fit(multilabel.X, multilabel.y, classes=classes)
        assert model.classes_.tolist() == [0, 1, 2]


def test_classes_that_do_not_match_the_columns_are_refused(multilabel):
    with pytest.raises(ValueError, match=r"classes|columns"):
        clone(multilabel.model).partial_fit(multilabel.X, multilabel.y, classes=[0, 1])


def test_a_target_of_another_shape_is_refused(multilabel, multi_output):
    with pytest.raises(ValueError, match=r"3 columns of labels, as before; got shape \(150, 2\)"):
        started(multilabel).partial_fit(multilabel.X, multilabel.y[:, :2])
    with pytest.raises(ValueError, match=r"should have 3 targets, as before; got shape \(150, 2\)"):
        started(multi_output).partial_fit(multi_output.X, multi_output.y[:, :2])


# What may change


def test_the_learning_rate_may_change_and_the_moments_stay(case):
    model = started(case)
    moments = model.optimizer_state_.vectors["m"].copy()
    theta = model.theta_.copy()
    model.set_params(optimizer__learning_rate=1e-30).partial_fit(case.X, case.y)
    assert model.optimizer_state_.learning_rate == 1e-30
    np.testing.assert_allclose(model.theta_, theta, atol=1e-20)
    assert model.optimizer_state_.step == 2 * -(-len(case.X) // 32)
    assert not np.array_equal(model.optimizer_state_.vectors["m"], moments)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SGD(0.1), SGD(0.1, momentum=0.9)),
        (SGD(0.1, momentum=0.9), SGD(0.1)),
        (SGD(0.1), Adam()),
        (Adam(), SGD(0.1, momentum=0.9, nesterov=True)),
    ],
)
def test_the_optimizer_may_change(case, before, after):
    model = started(case, optimizer=before)
    loss = model.loss_curve_[-1]
    for _ in range(20):
        model.set_params(optimizer=after).partial_fit(case.X, case.y)
    assert model.loss_curve_[-1] < loss


@pytest.mark.parametrize("params", [{"alpha": 1.0}, {"batch_size": 5}, {"shuffle": False}, {"tol": 0.1}])
def test_training_settings_may_change(case, params: dict):
    model = started(case).set_params(**params).partial_fit(case.X, case.y)
    assert all(getattr(model.spec_.training, name) == value for name, value in params.items())


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"layers": (5,)}, "layers"),
        ({"layers__0__units": 5}, "layers"),
        ({"layers": (16, "dropout")}, "layers"),
        ({"activation": "tanh"}, "layers"),
    ],
)
def test_the_architecture_may_not(case, params: dict, name: str):
    model = started(case)
    with pytest.raises(ValueError, match=f"{name} has changed since the network was made; fit a new estimator instead"):
        model.set_params(**params).partial_fit(case.X, case.y)


def test_nor_may_an_output_activation_come_later():
    model = ModNetRegressor((4,), random_state=0).partial_fit([[0.0], [1.0]], [0.0, 1.0])
    with pytest.raises(ValueError, match="output_activation has changed since the network was made; fit a new"):
        model.set_params(output_activation="tanh").partial_fit([[0.0], [1.0]], [0.0, 1.0])


def test_the_same_architecture_in_other_words_is_no_change(case):
    started(case).set_params(layers=[Dense(16, "relu")]).partial_fit(case.X, case.y)


def test_a_loss_by_name_lasts_for_many_calls(case):
    smooth = {"type": "cross_entropy", "label_smoothing": 0.1}
    loss = smooth if isinstance(case.model, ModNetClassifier) else "squared_error"
    named, auto = started(case, loss=loss), started(case)
    for model in (named, auto):
        model.partial_fit(case.X, case.y).partial_fit(case.X, case.y)
    assert named.theta_.tobytes() == auto.theta_.tobytes()
    assert named.spec_ == auto.spec_


def test_a_loss_of_another_task_is_refused_in_any_call(case):
    loss = "squared_error" if isinstance(case.model, ModNetClassifier) else "cross_entropy"
    with pytest.raises(ValueError, match="does not serve"):
        started(case).set_params(loss=loss).partial_fit(case.X, case.y)


# Data


def test_rows_of_weight_zero_are_absent(case):
    weight = np.arange(len(case.X)) % 3 > 0
    weighted = started(case, shuffle=False).partial_fit(case.X, case.y, sample_weight=weight)
    absent = started(case, shuffle=False).partial_fit(case.X[weight], case.y[weight])
    np.testing.assert_allclose(weighted.theta_, absent.theta_, rtol=1e-6, atol=1e-10)


def test_weights_that_are_all_zero_are_refused(case):
    model = started(case)
    with pytest.raises(ValueError, match="weights must contain at least one non-zero"):
        model.partial_fit(case.X, case.y, sample_weight=np.zeros(len(case.X)))


def test_the_type_of_the_first_call_stays(case):
    models = [clone(case.model).partial_fit(case.X.astype("f4"), case.y, **classes_of(case)) for _ in range(2)]
    narrow, wide = (
        model.partial_fit(case.X.astype(to), case.y) for model, to in zip(models, ("f4", "f8"), strict=True)
    )
    assert wide.theta_.dtype == np.float32
    assert wide.theta_.tobytes() == narrow.theta_.tobytes()


def test_other_columns_are_refused(case):
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4 features"):
        started(case).partial_fit(case.X[:, :3], case.y)


def test_a_regressor_needs_no_classes():
    model = ModNetRegressor(random_state=0).partial_fit([[0.0], [1.0]], [0.0, 1.0])
    assert model.partial_fit([[2.0]], [2.0]).predict([[2.0]]).shape == (1,)
