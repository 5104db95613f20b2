"""Layers against PyTorch's: values, all gradients and running statistics in float64."""

import numpy as np
import pytest
from support.single import Single

from modnet.activations import Sigmoid
from modnet.layers import BatchNorm, Dense, Embedding, Flatten, GatedLinear, LayerNorm, PReLU, Reshape, RMSNorm

torch = pytest.importorskip("torch")

ROWS, WIDTH = 7, 5
TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}
RNG = np.random.default_rng(0)
X = RNG.normal(1, 3, (ROWS, WIDTH))
DY = RNG.normal(size=(ROWS, WIDTH))
GAMMA, BETA = RNG.normal(size=(2, WIDTH))


def agree(ours, theirs):
    np.testing.assert_allclose(ours, theirs.detach().numpy(), **TOLERANCE)


def both(single, module, x, dy):
    """Send x forward and dy backward through a layer of ours and of PyTorch's, compare y and dx, return theirs."""
    module = module.double()
    inputs = torch.tensor(x, requires_grad=True)
    y = module(inputs)
    module.zero_grad()
    y.backward(torch.tensor(dy))
    agree(single.forward(x), y)
    agree(single.backward(dy), inputs.grad)
    return module


def given(module, **parameters):
    """Return a module of PyTorch's with some parameters set."""
    with torch.no_grad():
        for name, value in parameters.items():
            getattr(module, name).copy_(torch.tensor(value))
    return module


@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_is_pytorchs_in_training_and_prediction(affine):
    values = {"gamma": GAMMA, "beta": BETA} if affine else {}
    theirs = torch.nn.BatchNorm1d(WIDTH, affine=affine).double()
    given(theirs, **({"weight": GAMMA, "bias": BETA} if affine else {}))
    ours = Single(BatchNorm(use_scale=affine, use_bias=affine), (WIDTH,), **values)
    rng = np.random.default_rng(1)
    for _ in range(5):
        both(ours, theirs, rng.normal(2, 3, X.shape), rng.normal(size=X.shape))
        if affine:
            agree(ours.g.gamma[0], theirs.weight.grad)
            agree(ours.g.beta[0], theirs.bias.grad)
        agree(ours.s.mean[0], theirs.running_mean)
        agree(ours.s.variance[0], theirs.running_var)
    ours.training = False
    both(ours, theirs.eval(), X, DY)
    if affine:
        agree(ours.g.gamma[0], theirs.weight.grad)
        agree(ours.g.beta[0], theirs.bias.grad)


@pytest.mark.parametrize("affine", [True, False])
def test_layer_norm_is_pytorchs(affine):
    theirs = given(
        torch.nn.LayerNorm(WIDTH, elementwise_affine=affine).double(),
        **({"weight": GAMMA, "bias": BETA} if affine else {}),
    )
    values = {"gamma": GAMMA, "beta": BETA} if affine else {}
    ours = Single(LayerNorm(use_scale=affine, use_bias=affine), (WIDTH,), **values)
    both(ours, theirs, X, DY)
    if affine:
        agree(ours.g.gamma[0], theirs.weight.grad)
        agree(ours.g.beta[0], theirs.bias.grad)


@pytest.mark.parametrize("epsilon", [1e-5, float(np.finfo(np.float64).eps)])
def test_rms_norm_is_pytorchs(epsilon):
    theirs = given(torch.nn.RMSNorm(WIDTH, eps=epsilon).double(), weight=GAMMA)
    ours = Single(RMSNorm(epsilon), (WIDTH,), gamma=GAMMA)
    both(ours, theirs, X, DY)
    agree(ours.g.gamma[0], theirs.weight.grad)


@pytest.mark.parametrize("shared", [True, False])
def test_prelu_is_pytorchs(shared):
    slopes = GAMMA[:1] if shared else GAMMA
    theirs = given(torch.nn.PReLU(slopes.size).double(), weight=slopes)
    ours = Single(PReLU(shared=shared), (WIDTH,), a=slopes)
    both(ours, theirs, X, DY)
    agree(ours.g.a[0], theirs.weight.grad)


def test_prelu_starts_where_pytorchs_does():
    agree(Single(PReLU(shared=True), (WIDTH,)).p.a[0], torch.nn.PReLU().weight)


def test_gated_linear_is_pytorchs_glu_of_a_linear_layer():
    ours = Single(GatedLinear(4, Sigmoid()), (WIDTH,), b=RNG.normal(size=4), c=RNG.normal(size=4))
    p, g = ours.p, ours.g
    linear = given(torch.nn.Linear(WIDTH, 8).double(), weight=np.hstack([p.W, p.V]).T, bias=np.hstack([p.b, p.c])[0])
    both(ours, torch.nn.Sequential(linear, torch.nn.GLU()), X, DY[:, :4])
    agree(np.hstack([g.W, g.V]).T, linear.weight.grad)
    agree(np.hstack([g.b, g.c])[0], linear.bias.grad)


@pytest.mark.parametrize("gate", ["silu", "gelu", "relu"])
def test_gated_linear_is_pytorchs_formula_for_other_gates(gate):
    ours = Single(GatedLinear(4, gate), (WIDTH,), b=0.5, c=-0.5)
    p = {name: torch.tensor(value, requires_grad=True) for name, value in vars(ours.p).items()}
    x = torch.tensor(X, requires_grad=True)
    y = (x @ p["W"] + p["b"]) * getattr(torch.nn.functional, gate)(x @ p["V"] + p["c"])
    y.backward(torch.tensor(DY[:, :4]))
    agree(ours.forward(X), y)
    agree(ours.backward(DY[:, :4]), x.grad)
    for name, theirs in p.items():
        agree(getattr(ours.g, name), theirs.grad)


def test_embedding_is_pytorchs_table_by_table():
    counts, units = (3, 6), 4
    rng = np.random.default_rng(2)
    ours = Single(Embedding(units, categories=counts), (2,), U=rng.normal(size=(2, units)))
    codes = rng.integers(0, counts, (50, 2)).astype(float)
    codes[::7, 0] = np.nan  # PyTorch's tables have one row more for these
    codes[::5, 1] = -1
    split = np.split(ours.p.E, [counts[0]])
    tables = [
        torch.tensor(np.vstack([table, row]), requires_grad=True) for table, row in zip(split, ours.p.U, strict=True)
    ]
    rows = [np.where(np.isnan(code) | (code < 0), n, code) for code, n in zip(codes.T, counts, strict=True)]
    parts = [
        torch.nn.functional.embedding(torch.tensor(each, dtype=torch.long), table)
        for each, table in zip(rows, tables, strict=True)
    ]
    y, dy = torch.cat(parts, dim=1), rng.normal(size=(50, 2 * units))
    y.backward(torch.tensor(dy))
    agree(ours.forward(codes), y)
    ours.backward(dy)
    for table, E, U in zip(tables, np.split(ours.g.E, [counts[0]]), ours.g.U, strict=True):
        agree(np.vstack([E, U]), table.grad)


# Rows of several axes: x has shape (n, l, c), and PyTorch's BatchNorm1d and PReLU want (n, c, l)

STEPS = 4
SERIES, D_SERIES = RNG.normal(1, 3, (2, ROWS, STEPS, WIDTH))


class ChannelsLast(torch.nn.Module):
    """A module of PyTorch's whose features are on axis 1, for features on the last."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x.transpose(1, 2)).transpose(1, 2)


def test_dense_on_series_is_pytorchs_linear():
    ours = Single(Dense(3), (STEPS, WIDTH), b=RNG.normal(size=3))
    theirs = given(torch.nn.Linear(WIDTH, 3).double(), weight=ours.p.W.T, bias=ours.p.b[0])
    both(ours, theirs, SERIES, D_SERIES[..., :3])
    agree(ours.g.W.T, theirs.weight.grad)
    agree(ours.g.b[0], theirs.bias.grad)


def test_gated_linear_on_series_is_pytorchs_glu():
    ours = Single(GatedLinear(3, Sigmoid()), (STEPS, WIDTH))
    p, g = ours.p, ours.g
    linear = given(torch.nn.Linear(WIDTH, 6).double(), weight=np.hstack([p.W, p.V]).T, bias=np.hstack([p.b, p.c])[0])
    both(ours, torch.nn.Sequential(linear, torch.nn.GLU()), SERIES, D_SERIES[..., :3])
    agree(np.hstack([g.W, g.V]).T, linear.weight.grad)
    agree(np.hstack([g.b, g.c])[0], linear.bias.grad)


@pytest.mark.parametrize(
    ("module", "theirs", "names"),
    [
        (LayerNorm(), torch.nn.LayerNorm(WIDTH), {"gamma": "weight", "beta": "bias"}),
        (RMSNorm(1e-5), torch.nn.RMSNorm(WIDTH, eps=1e-5), {"gamma": "weight"}),
        (BatchNorm(), ChannelsLast(torch.nn.BatchNorm1d(WIDTH)), {"gamma": "weight", "beta": "bias"}),
        (PReLU(), ChannelsLast(torch.nn.PReLU(WIDTH)), {"a": "weight"}),
    ],
    ids=lambda each: type(each).__name__ if not isinstance(each, dict) else "",
)
def test_layers_on_the_features_of_series_are_pytorchs(module, theirs, names):
    values = {"gamma": GAMMA, "beta": BETA, "a": GAMMA}
    ours = Single(module, (STEPS, WIDTH), **{name: values[name] for name in names})
    inner = given(getattr(theirs, "inner", theirs).double(), **{names[name]: values[name] for name in names})
    for _ in range(3):
        both(ours, theirs, SERIES, D_SERIES)
    for name, of in names.items():
        agree(getattr(ours.g, name)[0], getattr(inner, of).grad)
    if isinstance(module, BatchNorm):
        agree(ours.s.mean[0], inner.running_mean)
        agree(ours.s.variance[0], inner.running_var)
        ours.training = False
        both(ours, theirs.eval(), SERIES, D_SERIES)


@pytest.mark.parametrize(
    ("module", "theirs"),
    [
        (Flatten(), torch.nn.Flatten()),
        (Reshape((2, 10)), torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Unflatten(1, (2, 10)))),
    ],
    ids=["flatten", "reshape"],
)
def test_shapes_are_pytorchs(module, theirs):
    ours = Single(module, (STEPS, WIDTH))
    both(ours, theirs, SERIES, D_SERIES.reshape(ROWS, *module.output_shape((STEPS, WIDTH))))
