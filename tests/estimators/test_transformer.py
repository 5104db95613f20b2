"""What ModNetTransformer promises: the activations of a layer, of an autoencoder or of another estimator."""

import pickle
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer, errors
from modnet.layers import Dense, Parallel, Residual
from modnet.losses import Poisson
from modnet.optimizers import LBFGS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)

CHECKED = [
    ModNetTransformer(max_iter=20),
    ModNetTransformer((4, Residual([Dense(2, name="code"), Dense(4)])), layer="code", max_iter=20),
    ModNetTransformer(estimator=ModNetRegressor((8, 3), max_iter=20, random_state=0)),
    ModNetTransformer(estimator=ModNetClassifier((8, 3), max_iter=20, random_state=0), layer=0),
]

NOT_YIELDED = [
    "check_dataframe_column_names_consistency",
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]

CODED = (5, Dense(2, name="code"), 5)


def short(layers: Any = CODED, **params: Any) -> ModNetTransformer:
    return ModNetTransformer(layers, **{"max_iter": 5, "random_state": 0, **params})


def linear(k: int) -> ModNetTransformer:
    solver = {"optimizer": LBFGS(), "tol": 1e-8, "max_iter": 2000}
    return ModNetTransformer((k,), None, inputs="standardize", random_state=0, **solver)


def classifier(layers: Any = CODED[:2], **params: Any) -> ModNetClassifier:
    return ModNetClassifier(layers, **{"max_iter": 5, "random_state": 0, **params})


# scikit-learn's own checks


@parametrize_with_checks([ModNetTransformer(), *CHECKED[1:]])
def test_it_passes_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


# These checks fit a frame and transform an array, too, and the other way round.
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
@pytest.mark.parametrize("name", NOT_YIELDED)
@pytest.mark.parametrize("estimator", CHECKED, ids=["default", "inner", "regressor", "classifier"])
def test_it_passes_the_checks_that_scikit_learn_does_not_yield(estimator: ModNetTransformer, name: str) -> None:
    getattr(estimator_checks, name)("ModNetTransformer", estimator)


# What an autoencoder learns


@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_linear_autoencoder_gives_back_as_much_as_pca(k: int) -> None:
    encoder = linear(k).fit(X)
    pca = PCA(k).fit(X)
    error = np.square(X - encoder.inverse_transform(encoder.transform(X))).sum()
    least = np.square(X - pca.inverse_transform(pca.transform(X))).sum()
    assert least <= error <= 1.01 * least


def test_a_linear_autoencoder_spans_the_subspace_of_pca() -> None:
    encoder = linear(2).fit(X)
    basis, _ = np.linalg.qr(encoder.network_.parameters(encoder.theta_)["output.W"].T)
    cosines = np.linalg.svd(PCA(2).fit(X).components_ @ basis, compute_uv=False)
    np.testing.assert_allclose(cosines, 1, atol=1e-3)


def test_score_is_the_share_of_the_variance_that_comes_back() -> None:
    encoder = short().fit(X)
    lost = np.square(X - encoder.inverse_transform(encoder.transform(X))).sum()
    assert encoder.score(X) == pytest.approx(1 - lost / np.square(X - X.mean(axis=0)).sum())


def test_the_inverse_applies_the_link_of_the_loss() -> None:
    counts = np.round(np.exp(X[:, :3]))
    encoder = short(loss=Poisson(), scale_target=True).fit(counts)
    given_back = encoder.inverse_transform(encoder.transform(counts))
    assert (given_back > 0).all()
    rates = np.exp(encoder.network_.predict(encoder.theta_, encoder.state_, counts))
    np.testing.assert_allclose(given_back, counts.mean(axis=0) * rates)


UNITS = np.array([1e-4, 1.0, 1e3, 1e6])
SHIFT = np.array([3e-4, 0.0, -5e3, 7e6])


@pytest.mark.parametrize("n", [len(X), 3 * len(X)])  # with and without rows held out
def test_columns_of_all_sizes_come_back(n: int) -> None:
    raw = X[np.arange(n) % len(X)] * UNITS + SHIFT
    encoder = ModNetTransformer((16, 3, 16), random_state=0).fit(raw)
    shares = r2_score(raw, encoder.inverse_transform(encoder.transform(raw)), multioutput="raw_values")
    assert shares.min() > 0.8
    assert encoder.score(raw) == pytest.approx(shares.mean(), abs=0.01)


def test_an_autoencoder_of_a_raw_table_has_learnt_something(recwarn: pytest.WarningsRecorder) -> None:
    ModNetTransformer((16, 2, 16), random_state=0).fit(load_breast_cancer().data)
    assert not [each for each in recwarn if "nothing was learnt" in str(each.message)]


def test_what_it_could_not_give_back_is_refused() -> None:
    encoder, gap = short().fit(X), X.copy()
    gap[3, 2] = np.nan
    for call in (short().fit, encoder.transform, encoder.score):
        with pytest.raises(ValueError, match="X contains NaN"):
            call(gap)
    with pytest.raises(errors.ShapeError, match=r"column 0 holds categories.*put OneHotEncoder in front"):
        short().fit(np.array([["a", 1], ["b", 2], ["a", 3]], object))
    with pytest.raises(TypeError, match="dense data is required"):
        short().fit(sparse.csr_array(X))


def test_it_does_not_look_at_y() -> None:
    np.testing.assert_array_equal(short().fit(X, y).theta_, short().fit(X).theta_)


def test_a_row_of_weight_two_is_two_rows() -> None:
    weight = np.arange(len(X)) % 3
    weighted = short(batch_size=100).fit(X, sample_weight=weight)  # all rows that weigh something are one batch
    repeated = short(batch_size=150).fit(X.repeat(weight, axis=0))
    np.testing.assert_allclose(weighted.transform(X), repeated.transform(X), rtol=1e-6)


def test_a_validation_set_needs_no_y() -> None:
    encoder = short(early_stopping=True, cooldown=0, scoring=None).fit(X[::2], X_val=X[1::2])
    assert len(encoder.validation_loss_curve_) == len(encoder.validation_scores_) == 5
    assert encoder.score(X[1::2]) == pytest.approx(max(encoder.validation_scores_))


def test_partial_fit_goes_on_where_it_was() -> None:
    encoder = short(batch_size=50, early_stopping=False)
    for _ in range(5):
        encoder.partial_fit(X)
    assert encoder.loss_curve_ == clone(encoder).fit(X).loss_curve_


# What transform returns


def test_transform_is_the_forward_pass_up_to_the_layer() -> None:
    encoder = short((5, Dense(2, activation="sigmoid", name="code"), 5), layer="code", inputs=None).fit(X)
    p = encoder.network_.parameters(encoder.theta_)
    hidden = np.maximum(X @ p["layers[0].W"] + p["layers[0].b"], 0)
    z = hidden @ p["layers[1].W"] + p["layers[1].b"]
    np.testing.assert_allclose(encoder.transform(X), 1 / (1 + np.exp(-z)), rtol=1e-12)


@pytest.mark.parametrize(
    ("layers", "layer", "path"),
    [
        ((5, 2, 4), None, "layers[1]"),
        ((5, 5), None, "layers[1]"),
        ((5, 2, 4), 0, "layers[0]"),
        ((5, 2, 4), -1, "layers[2]"),
        ((5, 2, 4), np.int64(2), "layers[2]"),
        ((5, Dense(9, name="wide"), 4), "wide", "layers[1]"),
        ((5, Residual([Dense(2, name="inner"), Dense(5)])), "inner", "layers[1].body[0]"),
        ((Dense(5, activation={"type": "relu", "name": "bent"}),), "bent", "layers[0].activation"),
    ],
)
def test_a_layer_is_found_by_index_name_or_width(layers: Any, layer: Any, path: str) -> None:
    encoder = short(layers, layer=layer).fit(X)
    assert encoder.layer_ == path
    assert encoder.transform(X).shape == (len(X), *encoder.network_.layer(path).output_shape)


def test_a_layer_inside_another_is_read_but_not_decoded() -> None:
    layers = (Parallel([Dense(3, name="left"), Dense(2, "tanh", name="right")]),)
    encoder, both = (short(layers, layer=layer, accelerator=None).fit(X) for layer in ("right", None))
    np.testing.assert_array_equal(encoder.transform(X), both.transform(X)[:, 3:])
    assert hasattr(both, "inverse_transform")
    assert not hasattr(encoder, "inverse_transform")
    assert not hasattr(short(layer="output").fit(X), "inverse_transform")  # nothing comes behind it


def test_blocks_of_rows_do_not_show() -> None:
    encoder = short((300, 2)).fit(X)
    many = np.tile(X, (20, 1))  # 2 ** 18 elements are 873 rows of 300
    np.testing.assert_allclose(encoder.transform(many), np.tile(encoder.transform(X), (20, 1)), rtol=1e-10, atol=1e-12)


def test_float32_stays_float32() -> None:
    encoder = short().fit(X.astype(np.float32))
    code = encoder.transform(X)
    assert code.dtype == encoder.theta_.dtype == encoder.inverse_transform(code).dtype == np.float32


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_are_named_after_the_layer(library: str) -> None:
    pytest.importorskip(library)
    frame = short().set_output(transform=library).fit_transform(X)
    assert type(frame).__module__.startswith(library)
    assert list(frame.columns) == ["code0", "code1"]


def test_columns_of_a_layer_without_a_name_are_named_after_the_class() -> None:
    assert short((2,)).fit(X).get_feature_names_out().tolist() == ["modnettransformer0", "modnettransformer1"]


# In pipelines and grids


def test_it_is_a_step_of_a_pipeline() -> None:
    digits, digit = load_digits(return_X_y=True)
    encoder = ModNetTransformer((16,), "tanh", max_iter=20, random_state=0)
    model = make_pipeline(StandardScaler(), encoder, LogisticRegression(max_iter=1000)).fit(digits[::2], digit[::2])
    assert model.score(digits[1::2], digit[1::2]) > 0.8
    assert model[:-1].get_feature_names_out()[-1] == "modnettransformer15"


def test_a_grid_reaches_into_its_layers_and_its_estimator() -> None:
    units = [1, 3]
    alone = GridSearchCV(short((1,)), {"layers__0__units": units, "layer": [None, 0]}, cv=2).fit(X)
    assert alone.best_estimator_.transform(X).shape == (len(X), alone.best_params_["layers__0__units"])
    model = make_pipeline(ModNetTransformer(estimator=classifier()), LogisticRegression())
    grid = GridSearchCV(model, {"modnettransformer__estimator__layers__code__units": units}, cv=2).fit(X, y)
    assert grid.best_estimator_[0].transform(X).shape[1] == next(iter(grid.best_params_.values()))


def test_a_layer_that_is_not_there_becomes_an_error_score() -> None:
    with pytest.warns(UserWarning, match="non-finite"), pytest.warns(FitFailedWarning, match="there are 3 layers"):
        grid = GridSearchCV(short(), {"layer": [0, 7]}, cv=2).fit(X)
    assert np.isnan(grid.cv_results_["mean_test_score"]).tolist() == [False, True]


@pytest.mark.parametrize("estimator", [short(), ModNetTransformer(estimator=classifier())])
def test_parameters_make_the_round_trip(estimator: ModNetTransformer) -> None:
    params = estimator.get_params()
    copy = clone(estimator).set_params(**params)
    assert copy.get_params().keys() == params.keys()
    assert repr(copy) == repr(estimator)


def test_set_params_sets_all_or_nothing() -> None:
    reader = ModNetTransformer(estimator=classifier())
    with pytest.raises(ValueError, match="alhpa"):
        reader.set_params(layer=0, estimator__alhpa=1.0)
    assert reader.layer is None
    with pytest.raises(ValueError, match="Invalid parameter 'estimator__alpha'"):
        short().set_params(estimator__alpha=1.0)


def test_it_survives_pickle() -> None:
    for fitted in (short().fit(X), ModNetTransformer(estimator=classifier()).fit(X, y)):
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(X), fitted.transform(X))


# Bad input


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("cod", r"ModNetTransformer: layer: no layer is called 'cod'; there are 'code' .layers\[1\].* mean 'code'\?"),
        ("layers[3]", r"called 'layers\[3\]'; there are 'code' .*; paths are .*layers\[0\], .* mean 'layers\[\d\]'"),
        (3, "layer: there are 3 layers, 0 to 2, got 3"),
        (True, "layer: should be an index, the name or path of a layer or None, got True"),
    ],
)
@pytest.mark.parametrize("estimator", [None, classifier(CODED, inputs=None)], ids=["own", "estimator"])
def test_a_layer_that_is_not_there_is_an_error_that_says_what_is(estimator: Any, layer: Any, message: str) -> None:
    with pytest.raises(errors.InvalidSpecError, match=message):
        short(layer=layer, estimator=estimator).fit(X, y)


def test_a_name_that_nobody_or_everybody_has_is_an_error() -> None:
    with pytest.raises(errors.InvalidSpecError, match=r"none has a name.*Dense\(2, name='code'\)"):
        short((3,), layer="code").fit(X)
    with pytest.raises(errors.InvalidSpecError, match=r"layers\[1\]\.name: 'code' is the name of layers\[0\] already"):
        short((Dense(3, name="code"), Dense(2, name="code")), layer="code").fit(X)
    with pytest.raises(errors.InvalidSpecError, match="no hidden layer to read: layers is empty"):
        short(()).fit(X)


def test_an_estimator_without_a_network_of_ours_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"should be a ModNetClassifier.*got LogisticRegression"):
        ModNetTransformer(estimator=LogisticRegression()).fit(X, y)


def test_a_code_of_the_wrong_width_is_an_error() -> None:
    with pytest.raises(ValueError, match="X has 4 features, but the code of this ModNetTransformer has 2"):
        short().fit(X).inverse_transform(X)


@pytest.mark.parametrize(
    "change", [{"layer": "nope"}, {"estimator": classifier(), "layer": "nope"}, {"optimizer": "nope"}]
)
def test_a_fit_that_fails_leaves_it_as_it_was(change: dict[str, Any]) -> None:
    encoder = short().fit(X)
    before = encoder.transform(X)
    with pytest.raises(errors.ModNetError):
        encoder.set_params(**change).fit(X[:, :3], y)
    assert (encoder.n_features_in_, encoder.layer_) == (4, "layers[1]")
    np.testing.assert_array_equal(encoder.transform(X), before)
