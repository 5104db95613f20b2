"""The two ends of a network: inputs in front of the layers, and the output behind them, as slots like any other."""

import json
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

import modnet
from modnet import Inputs, ModelSpec, ModNetClassifier, ModNetRegressor, ModNetTransformer, Output
from modnet.errors import InvalidSpecError, ShapeError
from modnet.layers import Columns, Dense, Scale, Standardize
from modnet.neural_network import MLPClassifier, MLPRegressor
from modnet.registry import registry

X, y = load_iris(return_X_y=True)
QUICK = {"layers": (8,), "max_iter": 3, "tol": 0.0, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Centred(Inputs):
    """Standardized columns, each with a gain."""

    gain: float = 1.0

    def links(self, shape):
        return (("", Standardize()), ("gains", Scale({"type": "constant", "value": self.gain})))


class Deep(Output):
    """An output of two layers."""

    units: int = 5

    def links(self, shape, width):
        return (("hidden", Dense(self.units, "tanh")), ("", Dense(width)))


@pytest.fixture(autouse=True)
def _registered():
    for cls in (Centred, Deep):
        registry.register(cls)
    yield
    for cls in (Centred, Deep):
        registry.unregister(cls)


def paths(model):
    return [link.path for link in model.network_.links]


def test_inputs_stand_in_front_and_the_output_behind():
    model = ModNetClassifier(**QUICK, inputs="centred", output="deep").fit(X, y)
    layers = ["layers[0]", "layers[0].activation"]
    ends = ["output.hidden", "output.hidden.activation", "output"]
    assert paths(model) == ["inputs", "inputs.gains", *layers, *ends]
    assert {"inputs.gains.g", "output.W"} <= set(model.network_.parameters(model.theta_))


def test_any_layer_may_stand_as_inputs():
    front = ModNetRegressor(**QUICK, inputs="standardize").fit(X, y)
    inside = ModNetRegressor(**{**QUICK, "layers": ("standardize", 8)}).fit(X, y)
    assert paths(front)[0] == "inputs"
    assert front.theta_.shape == inside.theta_.shape


def test_fields_of_both_ends_have_nested_names():
    model = ModNetClassifier(inputs="centred", output="deep")
    params = model.get_params()
    assert params["inputs__gain"] == 1
    assert params["output__units"] == 5
    model = clone(model).set_params(inputs__gain=2.0, output__units=3)
    assert (model.to_spec().inputs, model.to_spec().output) == (Centred(2.0), Deep(3))
    with pytest.raises(ValueError, match="gian"):
        model.set_params(inputs__gian=2)


def test_both_ends_survive_json_and_stand_in_the_schema(tmp_path):
    spec = ModelSpec(inputs=Centred(2.0), layers=[8], output="deep")
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert json.loads(spec.to_json())["inputs"] == {"type": "centred", "gain": 2.0}
    schema = ModelSpec.json_schema()
    assert {"$ref": "#/$defs/inputs"} in schema["properties"]["inputs"]["anyOf"][0]["anyOf"]
    assert schema["properties"]["output"]["$ref"] == "#/$defs/output"
    assert "output.affine" in schema["$defs"]


def test_files_bring_both_ends_back(tmp_path):
    model = ModNetClassifier(**QUICK, inputs=Centred(2.0), output="deep").fit(X, y)
    modnet.save(model, tmp_path / "model.npz")
    again = modnet.load(tmp_path / "model.npz")
    assert paths(again) == paths(model)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_the_summary_and_the_picture_begin_with_the_inputs():
    model = ModNetClassifier(**QUICK, inputs="centred")
    drawn = [model._repr_html_(), model.fit(X, y)._repr_html_()]
    for html, title in zip(drawn, ("Centred()", "Standardize()"), strict=True):
        shown = re.sub("<style>.*?</style>", "", html, flags=re.DOTALL)
        assert 0 < shown.index(title) < shown.index("Dense(units=8")
    assert model.summary().rows[0].path == "inputs"
    assert model.summary(n_features=4, n_outputs=3).rows[-1].path == "output"


@pytest.mark.parametrize(("name", "value"), [("inputs", "standardize"), ("output", Deep(4))])
def test_a_warm_start_does_not_change_an_end(name, value):
    model = ModNetClassifier(**QUICK, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=f"{name} has changed since the network was made"):
        model.set_params(**{name: value}).fit(X, y)


class Short(Output):
    """Always one column."""

    def links(self, shape, width):
        return (("", Dense(1)),)


def test_an_output_of_another_width_is_refused_with_both_shapes():
    model = ModNetClassifier(**QUICK, output=Short())
    with pytest.raises(ShapeError, match=r"output \(Short\): should end in rows of shape \(3,\), got \(1,\)"):
        model.fit(X, y)
    assert not hasattr(model, "theta_")


class Threes(Output):
    """An output that takes some widths only."""

    def links(self, shape, width):
        if width % 3:
            raise ShapeError(f"takes a multiple of three columns, got {width}")
        return (("", Dense(width)),)


def test_an_output_takes_data_frames_whatever_widths_it_refuses():
    frame = pd.DataFrame(X, columns=list("abcd")).assign(town="far")
    model = ModNetClassifier((Columns(list("abcd")), 8), output=Threes(), max_iter=2).fit(frame, y)
    assert model.predict(frame).shape == y.shape
    with pytest.raises(ShapeError, match="takes a multiple of three columns, got 1"):
        model.fit(frame, y > 0)
    with pytest.raises(ValueError, match="column 'town'"):  # an output alone reads every column
        ModNetClassifier((), inputs=None, max_iter=2).fit(frame, y)


def test_a_summary_asks_the_loss_for_the_width_of_the_output():
    model = ModNetRegressor((4,), loss={"type": "quantile", "quantiles": (0.1, 0.5, 0.9)})
    assert model.summary(n_features=4, n_outputs=2).rows[-1].output_shape == (6,)
    assert ModNetClassifier((4,), loss="per_output").summary(n_features=4, n_outputs=4).rows[-1].output_shape == (4,)


def test_an_output_is_no_layer_and_inputs_are_no_output():
    for fields in ({"layers": [Deep()]}, {"output": "standardize"}, {"inputs": "affine"}, {"output": None}):
        with pytest.raises((InvalidSpecError, ValueError), match=next(iter(fields))):
            ModelSpec(**fields)


# Numbers of units


@pytest.mark.parametrize("suffix", ["json", "toml"])
def test_a_number_of_units_in_a_file_means_what_it_means_in_python(tmp_path, suffix):
    text = {"json": '{"layers": [64, "dropout"]}', "toml": 'layers = [64, "dropout"]'}[suffix]
    (tmp_path / f"spec.{suffix}").write_text(text)
    assert ModelSpec.load(tmp_path / f"spec.{suffix}") == ModNetClassifier(layers=(64, "dropout")).to_spec()


# From a spec, and to a file


SPEC = ModelSpec(inputs="standardize", layers=[Dense(8, "tanh")], optimizer="sgd", training={"max_iter": 7})


@pytest.mark.parametrize("form", [SPEC, SPEC.to_dict(), SPEC.to_json()], ids=["spec", "mapping", "text"])
@pytest.mark.parametrize("cls", [ModNetClassifier, ModNetRegressor, ModNetTransformer])
def test_from_spec_takes_a_spec_its_mapping_or_its_text(cls, form):
    assert cls.from_spec(form).to_spec() == SPEC


@dataclass(eq=False, repr=False, kw_only=True)
class Descending(ModNetRegressor):
    """Another default."""

    optimizer: str = "sgd"


@pytest.mark.parametrize("cls", [ModNetClassifier, ModNetRegressor, ModNetTransformer, Descending])
def test_what_a_spec_leaves_at_its_default_is_not_shown(cls):
    usual, rule = ("sgd", "sgd") if cls is Descending else ("auto", "adam")
    short = cls.from_spec(ModelSpec(layers=["tanh"], optimizer=usual))
    assert repr(short) == f"{cls.__name__}(layers=(Tanh(),))"
    assert (short.optimizer, short.output) == (usual, "affine")
    other = cls.from_spec(ModelSpec(optimizer={"type": rule, "learning_rate": 0.5}, output=Deep()))
    assert other.optimizer == ModelSpec(optimizer={"type": rule, "learning_rate": 0.5}).optimizer
    assert other.output == Deep()


def test_a_default_of_the_spec_that_is_none_of_the_estimator_stays():
    assert Descending.from_spec(ModelSpec()).to_spec() == ModelSpec()


@pytest.mark.parametrize("cls", [ModNetRegressor, MLPClassifier])
@pytest.mark.parametrize("wrong", [None, 3, [SPEC], ModNetClassifier()], ids=repr)
def test_from_spec_says_what_it_takes(cls, wrong):
    with pytest.raises(TypeError, match="a spec is a ModelSpec, its mapping or its JSON text, got"):
        cls.from_spec(wrong)


MLPS = [
    MLPClassifier(),
    MLPClassifier((3, 4), activation="logistic", solver="lbfgs", max_fun=9),
    MLPRegressor(solver="sgd", learning_rate="invscaling", power_t=0.3, nesterovs_momentum=False, loss="poisson"),
    MLPRegressor(hidden_layer_sizes=(), early_stopping=True, validation_fraction=0.3, batch_size=5, beta_1=0.8),
]


@pytest.mark.parametrize("mlp", MLPS, ids=repr)
def test_a_drop_in_comes_back_from_its_spec(mlp):
    again = type(mlp).from_spec(mlp.to_spec().to_json(), random_state=1)
    assert again.get_params() == {**mlp.get_params(), "random_state": 1}


def test_a_plain_spec_makes_a_drop_in():
    optimizer = {"type": "adam", "learning_rate": 0.01}
    mlp = MLPClassifier.from_spec({"inputs": None, "layers": [16], "optimizer": optimizer})
    usual = {"alpha": 0.0, "max_iter": 120, "n_iter_no_change": 8, "validation_fraction": 0.15}  # of a spec
    assert mlp.get_params() == MLPClassifier(hidden_layer_sizes=(16,), learning_rate_init=0.01, **usual).get_params()


@pytest.mark.parametrize(("early_stopping", "cooldown"), [("auto", 1.0), (False, 1.0), (True, 0.0)])
def test_a_drop_in_has_no_cool_down_and_chooses_where_a_spec_says_auto(early_stopping, cooldown):
    training = {"early_stopping": early_stopping, "cooldown": cooldown}
    plain = {"inputs": None, "layers": [16], "optimizer": "adam"}
    mlp = MLPClassifier.from_spec({**plain, "training": training})
    assert mlp.early_stopping is (early_stopping is True)
    with pytest.raises(InvalidSpecError, match=r"cooldown: no parameter of scikit-learn's says 0\.5"):
        MLPClassifier.from_spec({**plain, "training": {"early_stopping": True, "cooldown": 0.5}})


def test_what_scikit_learn_has_no_parameter_for_is_named():
    spec = ModelSpec(inputs="standardize", layers=[Dense(8, "gelu")], optimizer="adamw", training={"l1_ratio": 0.5})
    with pytest.raises(InvalidSpecError, match="MLPClassifier: 4 problems") as caught:
        MLPClassifier.from_spec(spec)
    assert {path for path, _ in caught.value.problems} == {"inputs", "layers", "optimizer", "l1_ratio"}
    assert "ModNetClassifier.from_spec takes it" in str(caught.value)


def test_a_spec_is_saved_where_load_finds_it(tmp_path):
    SPEC.save(tmp_path / "spec.json")
    assert ModelSpec.load(tmp_path / "spec.json") == SPEC
    with pytest.raises(InvalidSpecError, match=r"\.json file, got .*spec\.toml"):
        SPEC.save(tmp_path / "spec.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["spec.json"]
