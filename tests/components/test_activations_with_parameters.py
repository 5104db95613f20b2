"""`activation=` takes whatever keeps the shape: layers with parameters, with noise, with statistics of the batch."""

import numpy as np
import pytest

from modnet import ModelSpec, ModNetClassifier, Network
from modnet.activations import ReLU, Tanh
from modnet.errors import InvalidSpecError, ShapeError
from modnet.initializers import GlorotUniform, HeUniform
from modnet.layers import ActivationLayer, BatchNorm, Dense, Dropout, GatedLinear, Parallel, PReLU, Residual
from modnet.testing import check_network

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
KEEPING = [
    ("prelu", PReLU()),
    ({"type": "dropout", "rate": 0.2}, Dropout(0.2)),
    (BatchNorm(), BatchNorm()),
    (Residual([Dense(4, "tanh"), Dense(4)]), Residual([Dense(4, Tanh()), Dense(4)])),
]


@pytest.mark.parametrize(("given", "meant"), KEEPING, ids=repr)
def test_a_dense_layer_ends_with_any_layer_that_keeps_the_shape(given, meant):
    inside, behind = (Network(layers, (3,)) for layers in ([Dense(4, given)], [Dense(4), meant]))
    assert [link.module for link in inside.links] == [link.module for link in behind.links]
    assert [place.shape for place in inside.layout.places.values()] == [
        place.shape for place in behind.layout.places.values()
    ]
    check_network([Dense(4, given)], (3,))


@pytest.mark.parametrize(("given", "meant"), KEEPING, ids=repr)
def test_an_estimator_puts_it_behind_its_hidden_units(given, meant):
    model = ModNetClassifier(layers=(4, ActivationLayer(meant)), activation=given, tol=np.inf).fit(X, Y)
    assert model.spec_.layers == (Dense(4, meant), ActivationLayer(meant))
    assert ModelSpec.from_json(model.spec_.to_json()) == model.spec_
    assert "layers[0].activation" in str(model.summary())
    assert type(meant).__name__ in model._repr_html_()


def test_its_fields_have_nested_names():
    model = ModNetClassifier(layers=(4, Dense(4, "prelu")), activation="prelu")
    assert model.get_params()["layers__1__activation__shared"] is False
    model.set_params(layers__1__activation__shared=True, activation__shared=True)
    assert model.to_spec().layers == (Dense(4, PReLU(shared=True)), Dense(4, PReLU(shared=True)))


@pytest.mark.parametrize(
    ("layer", "path"),
    [
        (Dense(8, Dense(4)), r"layers\[0\].activation \(Dense\)"),
        (Dense(8, Dense(4, "relu")), r"layers\[0\].activation.activation \(ReLU\)"),
        (ActivationLayer(Dense(4)), r"layers\[0\].activation \(Dense\)"),
        (Parallel([Dense(8, Dense(4))]), r"layers\[0\].branches\[0\].activation \(Dense\)"),
    ],
    ids=repr,
)
def test_a_layer_that_changes_the_shape_is_refused_with_path_shapes_and_remedy(layer, path):
    with pytest.raises(
        ShapeError, match=path + r": should end in rows of shape .* got \(4,\): .* keeps the shape; put"
    ):
        Network([layer], (8,))


def test_auto_weights_go_by_what_any_layer_recommends():
    for activation, initializer in [(PReLU(), HeUniform()), (BatchNorm(), GlorotUniform()), (ReLU(), HeUniform())]:
        assert Dense(4, activation, kernel_initializer="auto").parameters((3,))["W"].initializer == initializer


@pytest.mark.parametrize("made", [lambda: GatedLinear(3, gate="prelu"), lambda: ModelSpec(output_activation="prelu")])
def test_a_gate_and_the_output_take_functions_only(made):
    with pytest.raises(InvalidSpecError, match="unknown activation 'prelu'; there is a layer of that name"):
        made()
