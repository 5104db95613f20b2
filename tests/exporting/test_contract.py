"""Every registered layer, activation and loss predicts in onnxruntime what it predicts here."""

import pytest

from modnet import Activation
from modnet.testing import CheckFailed, check_onnx, registered_examples

COMPONENTS = registered_examples(kinds=("layer", "activation", "loss"))


@pytest.mark.parametrize("component", COMPONENTS, ids=repr)
def test_onnxruntime_predicts_the_same(component):
    check_onnx(component)


def test_a_wrong_equation_is_caught():
    from modnet.activations import ReLU

    class Wrong(Activation):
        """A rectifier with another function in its nodes."""

        reads = frozenset({"y"})
        f, df = ReLU.f, ReLU.df

        def onnx(self, graph, z):
            return abs(z)

    with pytest.raises(CheckFailed, match="onnxruntime"):
        check_onnx(Wrong())
