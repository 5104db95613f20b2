"""What cannot be exported is named, with what its author would add."""

import numpy as np
import pytest

from modnet import Activation, ModNetClassifier, ModNetRegressor, to_onnx
from modnet.base import Graph
from modnet.errors import ExportError
from modnet.onnx import exports
from modnet.onnx.protobuf import model_of
from modnet.registry import registry

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(40, 3))


class Double(Activation):
    """Twice as much: a = 2z, dz = 2da."""

    reads = frozenset()

    def f(self, z, *, out=None):
        return np.multiply(z, 2, out=out)

    def df(self, z, a, da, *, out=None):
        return np.multiply(da, 2, out=out)


def test_a_layer_without_nodes_is_named_by_its_path():
    model = ModNetRegressor((4, Double()), max_iter=2).fit(X, X[:, 0])
    message = (
        r"layers\[1\] \(Double\): Double cannot be exported to ONNX: .*Double has no method onnx; its author would"
    )
    with pytest.raises(ExportError, match=message):
        to_onnx(model)


def test_an_estimator_that_predicts_in_its_own_way_is_refused():
    class Doubled(ModNetRegressor):
        def predict(self, X):
            return 2 * super().predict(X)

    with pytest.raises(ExportError, match="Doubled has predict of its own, and so its author would add"):
        to_onnx(Doubled(max_iter=2).fit(X, X[:, 0]))


def test_operators_of_an_unknown_version_are_refused():
    with pytest.raises(ExportError, match="target_opset should be a whole number from 13 to 22, got 12"):
        to_onnx(ModNetClassifier(max_iter=2).fit(X, X[:, 0] > 0), target_opset=12)


def test_every_registered_layer_and_loss_is_exported():
    ours = ("modnet-layers", "modnet-tabular", "modnet-ordinal", "modnet-sequence", "modnet-example")
    entries = [each for kind in ("layer", "activation", "loss") for each in registry.entries(kind)]
    mine = [each for each in entries if each.distribution in ours]
    assert [
        each.name for each in mine if not exports(registry.get(each.kind, f"{each.distribution}:{each.name}"))
    ] == []
    assert not exports(Double)


def test_weights_that_no_file_holds_are_refused():
    graph = Graph()
    x = graph.add_input("x", np.float64, (1,))
    graph.outputs["y"] = x @ graph.constant(np.broadcast_to(0.0, (1, 3 * 10**8)))
    with pytest.raises(ExportError, match=r"take 2.4 GB, and a file of ONNX holds less than 2.1 GB"):
        model_of(graph, metadata={})
