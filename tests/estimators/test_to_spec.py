"""Between estimators and specs: what an estimator is told, as a spec that can be written down, and back."""

import pytest
from sklearn.base import clone

from modnet import ModelSpec, ModNetClassifier, ModNetRegressor
from modnet.activations import Identity, ReLU, Sigmoid, Tanh
from modnet.errors import InvalidSpecError
from modnet.layers import Dense, Dropout, Residual
from modnet.losses import CrossEntropy, SquaredError
from modnet.optimizers import SGD
from modnet.training import TrainingSettings

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SPEC = ModelSpec(
    layers=[Dense(8, "tanh", name="trunk"), Dropout(0.1), Residual([Dense(8)])],
    output_activation=None,
    optimizer=SGD(0.1, momentum=0.9, nesterov=True),
    training=TrainingSettings(max_iter=7, batch_size=16, alpha=0.01, early_stopping=True, validation_fraction=0.3),
)


def test_defaults_are_the_defaults_of_the_spec():
    for cls in (ModNetClassifier, ModNetRegressor):
        assert cls().to_spec() == ModelSpec(layers=[Dense(128, "relu"), Dense(128, "relu")])
        assert cls(layers=()).to_spec() == ModelSpec()


@pytest.mark.parametrize(
    ("layers", "activation", "expected"),
    [
        ((3, 4), "tanh", (Dense(3, Tanh()), Dense(4, Tanh()))),
        ([3], None, (Dense(3),)),
        ([3, Dense(4)], "identity", (Dense(3, Identity()), Dense(4))),
        ((3,), {"type": "sigmoid"}, (Dense(3, Sigmoid()),)),
        (("relu", {"type": "dense", "units": 5}), "tanh", (ReLU(), Dense(5))),
        ("dropout", "relu", (Dropout(),)),
        ({"type": "dense", "units": 5}, "relu", (Dense(5),)),
    ],
)
def test_layers_are_understood_as_they_are_documented(layers, activation, expected):
    assert ModNetClassifier(layers=layers, activation=activation).to_spec().layers == expected


@pytest.mark.parametrize("cls", [ModNetClassifier, ModNetRegressor])
def test_spec_to_estimator_to_spec_is_the_identity(cls: type):
    for spec in (SPEC, ModelSpec(), ModelSpec(loss="squared_error", output_activation="tanh")):
        model = cls.from_spec(spec)
        assert model.to_spec() == spec
        assert ModelSpec.from_json(clone(model).to_spec().to_json()) == spec


def test_what_a_spec_does_not_have_is_said_beside_it():
    model = ModNetClassifier.from_spec(SPEC, random_state=3, verbose=True, max_iter=9)
    assert (model.random_state, model.verbose, model.max_iter, model.batch_size) == (3, True, 9, 16)
    with pytest.raises(TypeError, match="nonsense"):
        ModNetClassifier.from_spec(SPEC, nonsense=3)


def test_a_fitted_model_can_be_made_again_from_its_spec(case):
    model = case.fitted(layers=(8, "dropout", {"type": "residual", "body": ["tanh", Dense(8)]}))
    text = model.spec_.to_json()
    second = type(model).from_spec(ModelSpec.from_json(text), random_state=0).fit(case.X, case.y)
    assert second.theta_.tobytes() == model.theta_.tobytes()
    assert second.spec_ == model.spec_


def test_the_spec_of_a_fitted_model_names_the_loss_that_was_used(binary, multiclass, multilabel, regression):
    for case, loss in [
        (binary, CrossEntropy("sigmoid", label_smoothing=0.1)),
        (multiclass, CrossEntropy("softmax", label_smoothing=0.1)),
        (multilabel, CrossEntropy("sigmoid", label_smoothing=0.1)),
        (regression, SquaredError()),
    ]:
        assert case.fitted(max_iter=1).spec_.loss == loss
        assert case.model.to_spec().loss == "auto"


def test_parameters_of_a_spec_can_be_reached_by_path():
    model = ModNetRegressor.from_spec(SPEC).set_params(layers__trunk__units=9, layers__2__body__0__units=9)
    assert model.to_spec().layers == (Dense(9, "tanh", name="trunk"), Dropout(0.1), Residual([Dense(9)]))
    assert SPEC.layers[0].units == 8
    assert ModNetRegressor.from_spec(ModelSpec()).to_spec() == ModelSpec()


def test_an_error_has_the_names_of_the_estimators_parameters():
    with pytest.raises(InvalidSpecError) as error:
        ModNetRegressor(max_iter=0, alpha=-1, layers=(0,)).to_spec()
    assert error.value.subject == "ModNetRegressor"
    assert {path for path, _ in error.value.problems} == {"max_iter", "alpha", "layers[0].units"}
