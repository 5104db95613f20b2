"""modnet's MLPs beside scikit-learn's at the edges: what diverges, stops at once, is sparse, or is set from outside."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from scipy import sparse
from sklearn import config_context
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine, make_multilabel_classification

import modnet
import modnet.neural_network as ours
from modnet.callbacks import EpochCallback

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WINE, GRAPES = load_wine(return_X_y=True)
TUMOURS, MALIGN = load_breast_cancer(return_X_y=True)
FEATURES, SCORE = load_diabetes(return_X_y=True)
ROWS, LABELS = make_multilabel_classification(80, random_state=0)


def pair(name: str, **params: Any) -> tuple[Any, Any]:
    """Return scikit-learn's estimator and ours."""
    params = {"random_state": 0, "hidden_layer_sizes": (8,), **params}
    return getattr(theirs, name)(**params), getattr(ours, name)(**params)


# What diverges


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_first_epoch_that_diverges_under_early_stopping_ends_as_scikit_learns(solver: str):
    for model in pair("MLPRegressor", solver=solver, early_stopping=True, max_iter=3):
        model.fit(FEATURES * 1e200, SCORE)
        assert np.isnan([model.loss_, *model.loss_curve_, *model.validation_scores_]).all()
        assert (model.best_validation_score_, model.best_loss_) == (-np.inf, None)
        assert np.isfinite(model.coefs_[0]).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_second_fit_that_diverges_shows_nothing_of_the_first():
    model = pair("MLPRegressor", early_stopping=True, max_iter=3)[1].fit(FEATURES, SCORE)
    model.fit(FEATURES * 1e200, SCORE)
    assert (len(model.loss_curve_), len(model.validation_scores_), model.n_iter_) == (1, 1, 1)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_warm_start_that_diverges_goes_on_behind_the_curve_so_far():
    model = pair("MLPRegressor", early_stopping=True, max_iter=3, warm_start=True)[1].fit(FEATURES, SCORE)
    before = model.loss_curve_
    model.fit(FEATURES * 1e200, SCORE)
    assert model.loss_curve_[:-1] == before
    assert np.isnan(model.loss_curve_[-1])


# Solvers that have nothing to do


@pytest.mark.parametrize(("name", "X", "y"), [("MLPRegressor", FEATURES, SCORE), ("MLPClassifier", WINE, GRAPES)])
def test_lbfgs_without_an_iteration_has_the_loss_of_its_first_weights(name: str, X: Any, y: Any):
    first, second = (model.fit(X, y) for model in pair(name, solver="lbfgs", tol=1e9, alpha=0.1))
    assert first.n_iter_ == second.n_iter_ == 0
    np.testing.assert_allclose([second.loss_, second.best_loss_], first.loss_)
    np.testing.assert_allclose(second.predict(X), first.predict(X))


# Losses of rows that are far off: scikit-learn clips probabilities


@pytest.mark.parametrize(
    "data", [(WINE, GRAPES), (TUMOURS, MALIGN), (ROWS * 100, LABELS)], ids=["softmax", "sigmoid", "labels"]
)
@pytest.mark.parametrize(("solver", "dtype"), [("adam", float), ("sgd", float), ("lbfgs", float), ("adam", np.float32)])
def test_losses_of_unscaled_features_are_the_same(data: Any, solver: str, dtype: Any):
    X, y = data[0].astype(dtype), data[1]
    first, second = (model.fit(X, y) for model in pair("MLPClassifier", solver=solver, max_iter=20))
    assert first.n_iter_ == second.n_iter_
    curves = [[model.loss_] if solver == "lbfgs" else model.loss_curve_ for model in (first, second)]
    rtol = 1e-3 if dtype == np.float32 else 1e-6 if solver == "lbfgs" else 1e-9
    np.testing.assert_allclose(curves[1], curves[0], rtol=rtol)


def test_weights_and_streams_show_the_same_losses_of_unscaled_features():
    weight = np.random.default_rng(0).uniform(0.5, 2, len(WINE))
    for model in (models := pair("MLPClassifier", batch_size=len(WINE), max_iter=10)):
        model.fit(WINE, GRAPES, sample_weight=weight)
    np.testing.assert_allclose(models[1].loss_curve_, models[0].loss_curve_, rtol=1e-9)
    for model in (models := pair("MLPClassifier")):
        for _ in range(3):
            model.partial_fit(WINE, GRAPES, classes=[0, 1, 2])
    np.testing.assert_allclose(models[1].loss_curve_, models[0].loss_curve_, rtol=1e-9)


# Sparse labels


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix])
def test_sparse_labels_are_predicted_sparse(form: Any):
    for method in ("fit", "partial_fit"):
        found = []
        for model in pair("MLPClassifier", max_iter=3):
            getattr(model, method)(ROWS, form(LABELS), **({"classes": range(5)} if method == "partial_fit" else {}))
            found.append(model.predict(ROWS))
            assert model.score(ROWS, form(LABELS)) == model.score(ROWS, LABELS)
        assert type(found[1]) is type(found[0])
        assert (found[1] != found[0]).nnz == 0
    assert isinstance(model.fit(ROWS, LABELS).predict(ROWS), np.ndarray)


def test_the_kind_of_sparse_labels_is_the_one_that_scikit_learn_is_set_to():
    model = pair("MLPClassifier", max_iter=3)[1].fit(ROWS, sparse.csr_matrix(LABELS))
    with config_context(sparse_interface="sparray"):
        assert isinstance(model.predict(ROWS), sparse.csr_array)


def test_a_model_file_remembers_that_labels_were_sparse(tmp_path: Any):
    model = pair("MLPClassifier", max_iter=3)[1].fit(ROWS, sparse.csr_matrix(LABELS))
    modnet.save(model, tmp_path / "model.npz")
    assert sparse.issparse(modnet.load(tmp_path / "model.npz").predict(ROWS))


# Weights from outside


def two_fits() -> tuple[Any, Any]:
    return tuple(pair("MLPClassifier", max_iter=5, random_state=seed)[1].fit(WINE, GRAPES) for seed in (0, 1))


def test_averaged_weights_predict_and_train_on():
    first, second = two_fits()
    logits = WINE @ ((first.coefs_[0] + second.coefs_[0]) / 2) + (first.intercepts_[0] + second.intercepts_[0]) / 2
    mean = [(a + b) / 2 for a, b in zip(first.coefs_, second.coefs_, strict=True)]
    first.coefs_ = mean
    first.intercepts_ = [(a + b) / 2 for a, b in zip(first.intercepts_, second.intercepts_, strict=True)]
    raw = np.maximum(logits, 0) @ mean[1] + first.intercepts_[1]
    np.testing.assert_allclose(first.decision_function(WINE), raw)
    first.partial_fit(WINE, GRAPES)
    assert not np.array_equal(first.coefs_[0], mean[0])


def test_weights_of_one_layer_are_assigned_as_in_a_list():
    first, second = two_fits()
    for i in range(2):
        first.coefs_[i] = second.coefs_[i]
        first.intercepts_[i] = second.intercepts_[i].tolist()
    np.testing.assert_array_equal(first.predict_proba(WINE), second.predict_proba(WINE))
    assert not np.shares_memory(first.coefs_[0], second.coefs_[0])


def test_wrong_weights_are_refused_and_nothing_is_written():
    model, other = two_fits()
    before = model.theta_.copy()
    with pytest.raises(ValueError, match=r"shapes \[\(13, 8\)\], got \[\(3, 3\)\]"):
        model.coefs_[0] = np.eye(3)
    with pytest.raises(ValueError, match="shapes"):
        model.coefs_ = [other.coefs_[0], np.eye(2)]
    with pytest.raises(ValueError, match="shapes"):
        model.intercepts_ = other.intercepts_[:1]
    with pytest.raises(ValueError, match="could not convert"):
        model.intercepts_[0] = ["a"] * 8
    np.testing.assert_array_equal(model.theta_, before)
    with pytest.raises(ValueError, match="not fitted"):
        ours.MLPClassifier().coefs_ = other.coefs_


def test_layers_that_are_swapped_are_not_mixed():
    model = pair("MLPClassifier", hidden_layer_sizes=(3, 3, 3), max_iter=2)[1].fit(WINE, GRAPES)
    second, third = model.coefs_[1].copy(), model.coefs_[2].copy()
    model.coefs_[1:3] = [model.coefs_[2], model.coefs_[1]]
    np.testing.assert_array_equal(model.coefs_[1], third)
    np.testing.assert_array_equal(model.coefs_[2], second)


def test_weights_are_lists_that_copy_pickle_and_add():
    model, _ = two_fits()
    for copied in (copy.deepcopy(model.coefs_), pickle.loads(pickle.dumps(model.coefs_))):
        copied[0] = np.zeros((13, 8))
        assert model.coefs_[0].any()
    assert len(model.coefs_ + model.intercepts_) == 4
    assert isinstance(model.coefs_, list)


class Interrupting(EpochCallback):
    """Presses Ctrl-C behind the second epoch."""

    epochs = 0

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        if context.task_name == "epoch":
            self.epochs += 1
            if self.epochs == 2:
                raise KeyboardInterrupt


def test_a_warm_start_that_is_interrupted_goes_on_behind_the_curve_so_far():
    model = pair("MLPRegressor", max_iter=3, warm_start=True)[1].fit(FEATURES, SCORE)
    before = model.loss_curve_
    with pytest.warns(UserWarning, match="Training interrupted by user."):
        model.set_params(max_iter=50).set_callbacks(Interrupting()).fit(FEATURES, SCORE)
    assert model.loss_curve_[:3] == before
    assert len(model.loss_curve_) == 5
