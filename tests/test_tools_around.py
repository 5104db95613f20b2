"""Libraries that people use beside scikit-learn, each as its documentation shows it; skipped where one is missing."""

import warnings
from typing import Any

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModNetClassifier, ModNetRegressor, save
from modnet.callbacks import MLflowLogging, OptunaPruning
from modnet.estimators.persistence import ModelFileError
from modnet.inspection import expected_gradients
from modnet.registry import estimators

pytestmark = pytest.mark.filterwarnings("ignore")  # of others
X, y = load_diabetes(return_X_y=True)
FLOWERS, CODES = load_iris(return_X_y=True, as_frame=True)
CLASSIFIER = ModNetClassifier((8,), random_state=0)


def type_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def test_optuna_prunes_a_trial_that_learns_nothing():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial: Any) -> float:
        rate = (0.01, 1e-9)[trial.number > 0]
        model = ModNetRegressor((8,), optimizer={"type": "adam", "learning_rate": rate}, max_iter=30, random_state=0)
        return model.set_callbacks(OptunaPruning(trial)).fit(X, y).score(X, y)

    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(1, n_warmup_steps=5))
    study.optimize(objective, n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED"]
    assert len(study.trials[1].intermediate_values) < len(study.trials[0].intermediate_values)


@pytest.mark.parametrize("around", ["nothing", "a pipeline", "a search"])
@pytest.mark.parametrize("name", ["classifier", "tabular_classifier"])
def test_skops_has_one_type_of_ours_to_trust(name: str, around: str):
    io = pytest.importorskip("skops.io")
    cls = estimators.get("estimator", name)
    model = cls(layers=(8,), random_state=0)
    model = {"a pipeline": make_pipeline(StandardScaler(), model), "a search": GridSearchCV(model, {}, cv=2)}.get(
        around, model
    )
    written = io.dumps(model.fit(FLOWERS, CODES))
    assert [each for each in io.get_untrusted_types(data=written) if "modnet" in each] == [type_name(cls)]
    again = io.loads(written, trusted=io.get_untrusted_types(data=written))
    np.testing.assert_array_equal(again.predict_proba(FLOWERS), model.predict_proba(FLOWERS))


@pytest.fixture
def mlflow(tmp_path: Any) -> Any:
    """MLflow, with a store of its own."""
    mlflow = pytest.importorskip("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("flowers", artifact_location=tmp_path.as_uri()))
    return mlflow


@pytest.mark.slow
def test_mlflow_logs_and_loads_in_its_default_format(mlflow: Any):
    model = CLASSIFIER.fit(FLOWERS, CODES)
    made = mlflow.sklearn.log_model(
        model, name="model", skops_trusted_types=[type_name(type(model))], pip_requirements=["modnet-layers"]
    )
    again = mlflow.sklearn.load_model(made.model_uri)
    np.testing.assert_array_equal(again.predict_proba(FLOWERS), model.predict_proba(FLOWERS))
    np.testing.assert_array_equal(mlflow.pyfunc.load_model(made.model_uri).predict(FLOWERS), model.predict(FLOWERS))


@pytest.mark.slow
def test_mlflow_has_the_parameters_and_each_epoch_of_a_fit(mlflow: Any):
    model = ModNetClassifier((8,), max_iter=6, early_stopping=True, random_state=0)
    with mlflow.start_run() as run:
        model.set_callbacks(MLflowLogging()).fit(FLOWERS, CODES)
    logged = mlflow.get_run(run.info.run_id).data
    assert logged.params.keys() == model.get_params(deep=False).keys()
    for name in ("loss", "validation_loss"):
        steps = {each.step: each.value for each in mlflow.MlflowClient().get_metric_history(run.info.run_id, name)}
        curve = getattr(model, f"{name}_curve_")
        assert steps == dict(enumerate(curve, 1))


def test_skrub_takes_it_at_the_end_of_a_tabular_pipeline():
    skrub = pytest.importorskip("skrub")
    table = FLOWERS.assign(kind=np.where(np.arange(150) % 2, "a", "b"))
    assert skrub.tabular_pipeline(CLASSIFIER).fit(table, CODES).score(table, CODES) > 0.9


def test_imbalanced_learn_samples_in_front_of_it():
    pytest.importorskip("imblearn")
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import make_pipeline as with_samplers

    rows = np.r_[0:65]
    model = with_samplers(SMOTE(random_state=0), CLASSIFIER).fit(FLOWERS.iloc[rows], CODES[rows])
    assert model.score(FLOWERS[:100], CODES[:100]) > 0.9


def test_mapie_makes_intervals_that_hold():
    regression = pytest.importorskip("mapie.regression")
    model = regression.SplitConformalRegressor(
        ModNetRegressor((8,), random_state=0), confidence_level=0.9, prefit=False
    )
    model.fit(X[:200], y[:200]).conformalize(X[200:350], y[200:350])
    low, high = model.predict_interval(X[350:])[1][..., 0].T
    assert 0.8 < np.mean((low <= y[350:]) & (y[350:] <= high)) <= 1


@pytest.mark.slow
def test_shap_draws_what_expected_gradients_find_and_agrees():
    shap = pytest.importorskip("shap")
    model = ModNetRegressor((8,), random_state=0).fit(X, y)
    mine = expected_gradients(model, X[:10], X[:50], n_samples=1000, random_state=0)
    others = shap.KernelExplainer(model.predict, X[:50], silent=True).shap_values(X[:10], nsamples=200, silent=True)
    assert np.corrcoef(mine.ravel(), others.ravel())[0, 1] > 0.95
    shap.plots.beeswarm(shap.Explanation(mine, model.predict(X[:50]).mean(), X[:10]), show=False)


def test_sktime_forecasts_with_it():
    reduction = pytest.importorskip("sktime.forecasting.compose")
    series = np.sin(np.arange(120) / 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it will change itself
        forecaster = reduction.make_reduction(ModNetRegressor((16,), max_iter=60, random_state=0), window_length=12)
        found = forecaster.fit(series[:108], fh=list(range(1, 13))).predict()
    assert np.abs(np.ravel(found) - series[108:]).mean() < 0.5


@pytest.mark.slow
def test_a_dask_cluster_fits_searches_and_ensembles():
    distributed = pytest.importorskip("distributed")
    search = GridSearchCV(CLASSIFIER, {"layers__0__units": [2, 8]}, cv=3, n_jobs=-1)
    ensemble = BaggingClassifier(CLASSIFIER, n_estimators=3, n_jobs=-1, random_state=0)
    workers = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**workers) as cluster, distributed.Client(cluster), parallel_config("dask"):
        found = search.fit(FLOWERS, CODES).cv_results_["mean_test_score"]
        voted = ensemble.fit(FLOWERS, CODES).predict_proba(FLOWERS)
    np.testing.assert_array_equal(search.fit(FLOWERS, CODES).cv_results_["mean_test_score"], found)
    np.testing.assert_array_equal(ensemble.fit(FLOWERS, CODES).predict_proba(FLOWERS), voted)


def test_saving_a_pipeline_or_a_search_names_the_ways_out(tmp_path: Any):
    for model in (make_pipeline(StandardScaler(), CLASSIFIER), GridSearchCV(CLASSIFIER, {})):
        with pytest.raises(ModelFileError, match=r"joblib.dump or skops.io.dump, or give the network .* inputs="):
            save(model, tmp_path / "model.npz")
