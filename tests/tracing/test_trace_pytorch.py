"""A trace beside PyTorch's autograd: values and gradients of every link in float64."""

import numpy as np
import pytest

from modnet import Network, trace
from modnet.layers import BatchNorm, Dense

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("training", [False, True])
def test_a_trace_is_what_autograd_finds(training):
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)
    network = Network([Dense(5), BatchNorm(), Dense(4, "sigmoid"), Dense(3)], (4,))
    t = trace(network, X, codes, loss="cross_entropy", training=training)
    linear = [torch.nn.Linear(*shape).double() for shape in ((4, 5), (5, 4), (4, 3))]
    norm = torch.nn.BatchNorm1d(5, eps=network.links[1].module.epsilon).double().train(training)
    with torch.no_grad():
        for i, layer in enumerate(linear, 1):
            layer.weight.copy_(torch.tensor(t[f"W{i}"].T))
            layer.bias.copy_(torch.tensor(t[f"b{i}"][0]))
    q = {"x": torch.tensor(X, requires_grad=True)}
    q["z1"] = linear[0](q["x"])
    q["layers[1]"] = norm(q["z1"])
    q["z2"] = linear[1](q["layers[1]"])
    q["a2"] = torch.sigmoid(q["z2"])
    q["z3"] = linear[2](q["a2"])
    for each in q.values():
        each.retain_grad()
    J = torch.nn.functional.cross_entropy(q["z3"], torch.tensor(codes))
    J.backward()
    assert t["J"] == pytest.approx(J.item(), rel=1e-12)
    for name, theirs in q.items():
        np.testing.assert_allclose(t[name], theirs.detach(), rtol=1e-10, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(t.d[name], theirs.grad, rtol=1e-10, atol=1e-12, err_msg=name)
    for i, layer in enumerate(linear, 1):
        np.testing.assert_allclose(t.d[f"W{i}"], layer.weight.grad.T, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(t.d[f"b{i}"][0], layer.bias.grad, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(t.d["layers[1].gamma"][0], norm.weight.grad, rtol=1e-10, atol=1e-12)
