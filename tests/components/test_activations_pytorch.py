"""Activations against PyTorch: values and gradients in float64, at the kinks too."""

import numpy as np
import pytest

from modnet import activations as A

torch = pytest.importorskip("torch")

Z = np.concatenate([np.arange(-300, 301) / 10, np.random.default_rng(0).normal(scale=4, size=399)]).reshape(-1, 4)
"""All kinks of those below are on the grid."""

DA = np.random.default_rng(1).normal(size=Z.shape)

PEERS = {
    A.CELU(0.5): lambda F, z: F.celu(z, alpha=0.5),
    A.ELU(): lambda F, z: F.elu(z),
    A.ELU(0.5): lambda F, z: F.elu(z, alpha=0.5),
    A.Exponential(): lambda F, z: z.exp(),
    A.GELU(): lambda F, z: F.gelu(z),
    A.GELU("sigmoid"): lambda F, z: z * (1.702 * z).sigmoid(),
    A.GELU("tanh"): lambda F, z: F.gelu(z, approximate="tanh"),
    A.HardShrink(): lambda F, z: F.hardshrink(z),
    A.HardSigmoid(): lambda F, z: F.relu6(z + 3) / 6,  # the slope of F.hardsigmoid is 1/6 rounded to float32
    A.HardSwish(): lambda F, z: F.hardswish(z),
    A.HardTanh(-2.0, 1.5): lambda F, z: F.hardtanh(z, -2.0, 1.5),
    A.Identity(): lambda F, z: z * 1,
    A.LeakyReLU(): lambda F, z: F.leaky_relu(z),
    A.LogSigmoid(): lambda F, z: F.logsigmoid(z),
    A.LogSoftmax(): lambda F, z: F.log_softmax(z, dim=-1),
    A.Mish(): lambda F, z: F.mish(z),
    A.ReLU(): lambda F, z: F.relu(z),
    A.ReLU6(): lambda F, z: F.relu6(z),
    A.ReLUSquared(): lambda F, z: F.relu(z).square(),
    A.SELU(): lambda F, z: F.selu(z),
    A.SiLU(): lambda F, z: F.silu(z),
    A.Sigmoid(): lambda F, z: z.sigmoid(),
    A.Sine(3.0): lambda F, z: (3 * z).sin(),
    A.SoftShrink(): lambda F, z: F.softshrink(z),
    A.Softmax(): lambda F, z: F.softmax(z, dim=-1),
    A.Softplus(2.0): lambda F, z: F.softplus(z, beta=2.0, threshold=1000),
    A.Softsign(): lambda F, z: F.softsign(z),
    A.SparsePlus(): lambda F, z: (z.clamp(-1, 1) + 1) ** 2 / 4 + F.relu(z - 1),
    A.Squareplus(): lambda F, z: (z + (z * z + 4).sqrt()) / 2,
    A.Tanh(): lambda F, z: z.tanh(),
    A.TanhShrink(): lambda F, z: F.tanhshrink(z),
    A.Threshold(0.5, -1.0): lambda F, z: F.threshold(z, 0.5, -1.0),
}


def ours(chosen):
    a, reads = chosen.f(Z), chosen.reads
    return a, chosen.df(Z if "x" in reads else None, a if "y" in reads else None, DA)


@pytest.mark.parametrize("chosen", PEERS, ids=repr)
def test_value_and_gradient_are_those_of_pytorch(chosen):
    z = torch.tensor(Z, requires_grad=True)
    a = PEERS[chosen](torch.nn.functional, z)
    a.backward(torch.tensor(DA))
    value, gradient = ours(chosen)
    np.testing.assert_allclose(value, a.detach().numpy(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-10, atol=1e-10)


def test_kinks_of_hard_sigmoid_are_those_of_pytorch():
    z = torch.tensor(Z, requires_grad=True)
    torch.nn.functional.hardsigmoid(z).backward(torch.tensor(DA))
    gradient = ours(A.HardSigmoid())[1]
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-7, atol=0)
    np.testing.assert_array_equal(gradient == 0, z.grad.numpy() == 0)


def test_activations_have_the_defaults_of_pytorch():
    nn = torch.nn
    assert A.CELU().alpha == nn.CELU().alpha
    assert A.ELU().alpha == nn.ELU().alpha
    assert A.GELU().approximate == nn.GELU().approximate
    assert A.HardShrink().threshold == nn.Hardshrink().lambd
    assert (A.HardTanh().min_value, A.HardTanh().max_value) == (nn.Hardtanh().min_val, nn.Hardtanh().max_val)
    assert A.LeakyReLU().negative_slope == nn.LeakyReLU().negative_slope
    assert A.SoftShrink().threshold == nn.Softshrink().lambd
    assert A.Softplus().beta == nn.Softplus().beta
