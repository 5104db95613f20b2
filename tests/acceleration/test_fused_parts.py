"""What an accelerator runs is seen in the summary: links, the loss and the optimizer, without running any."""

import numpy as np
import pytest

from modnet import Accelerator, Fused, Loss, ModNetRegressor, ModNetTransformer, Module, Network, Optimizer
from modnet.acceleration import accelerated, fused_parts
from modnet.acceleration.engine import fused_loss
from modnet.activations import ReLU
from modnet.layers import Dense, Dropout, Residual
from modnet.losses import Huber, SquaredError
from modnet.network.summary import FusedParts, summarize
from modnet.neural_network import MLPRegressor
from modnet.optimizers import LBFGS, SGD, Adam

FLOAT64 = np.dtype(np.float64)
RUN: list[tuple[int, ...]] = []
"""What the fused layer was given."""
LAYERS = [Dense(4, "relu"), Residual([Dense(4, "relu"), Dropout(0.5)]), Dense(2, "tanh")]


class DenseReLU(Module):
    """A dense layer and its rectifier as one: y = max(x W + b, 0)."""

    dense: Dense
    slip: float = 0.0

    def output_shape(self, input_shape):
        return self.dense.output_shape(input_shape)

    def parameters(self, input_shape):
        return self.dense.parameters(input_shape)

    def forward(self, ctx, x):
        RUN.append(x.shape)
        return np.maximum(x @ ctx.p.W + ctx.p.b + self.slip, 0)

    def grad_params(self, ctx, dy):
        dz = dy * (ctx.y > 0)
        ctx.g.W[...] = ctx.x.mT @ dz
        ctx.g.b[...] = dz.sum(axis=-2, keepdims=True)

    def grad_input(self, ctx, dy):
        return (dy * (ctx.y > 0)) @ ctx.p.W.mT


class Squares(Loss):
    """The squared error by another name, off by a factor if it slips."""

    factor: float = 1.0

    def for_task(self, task, widths=()):
        return self if task == "regression" else None

    def value(self, t, raw, *, weight=None):
        return self.factor * SquaredError().value(t, raw, weight=weight)

    def gradient(self, t, raw, *, weight=None, out=None):
        return SquaredError().gradient(t, raw, weight=weight, out=out)

    def predict(self, raw):
        return raw


class Fast(Accelerator):
    """Offers to run dense + ReLU, the squared error and SGD, all right unless they slip."""

    slip: float = 0.0

    def fuse(self, modules):
        match modules:
            case [Dense(), ReLU(), *_]:
                return Fused(DenseReLU(modules[0], self.slip), 2)
        return None

    def loss(self, loss: Loss) -> Loss | None:
        return Squares(1 + self.slip) if isinstance(loss, SquaredError) else None

    def optimizer(self, optimizer: Optimizer) -> Optimizer | None:
        return optimizer if isinstance(optimizer, SGD) else None


def network() -> Network:
    return Network(LAYERS, (3,))


def marked(accelerator: Accelerator) -> list[str]:
    """The paths that are marked in the summary."""
    rows = summarize(network(), fused_parts(network(), accelerator, FLOAT64)).rows
    return [row.path for row in rows if row.fused]


ALL = ["layers[0]", "layers[0].activation", "layers[1].body[0]", "layers[1].body[0].activation"]


def test_every_link_that_is_fused_is_marked_inside_composites_too():
    assert marked(Fast()) == ALL
    assert marked(Accelerator()) == []


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_transformer_runs_what_an_accelerator_offers():
    X = np.random.default_rng(0).normal(size=(30, 3))
    fast, plain = (
        ModNetTransformer((5, 2, 5), accelerator=each, max_iter=2, random_state=0).fit(X) for each in (Fast(), None)
    )
    RUN.clear()
    code = fast.transform(X)
    assert len(RUN) == 2  # 3 → 5 → 2, and nothing behind
    np.testing.assert_allclose(code, plain.transform(X), rtol=1e-12)
    fast.inverse_transform(code)
    fast.score(X)
    assert len(RUN) == 2 + 1 + 3


def test_what_is_marked_is_what_is_run():
    fast = accelerated(network(), Fast(), FLOAT64)
    assert [link.path for link in fast.walk() if isinstance(link.module, DenseReLU)] == ALL[::2]
    assert marked(Fast()) == ALL


def test_what_is_known_to_differ_is_not_marked():
    assert marked(Fast(slip=1.0)) == ALL
    with pytest.warns(RuntimeWarning, match="modnet runs Dense"):
        accelerated(network(), Fast(slip=1.0), FLOAT64)
    with pytest.warns(RuntimeWarning, match="modnet runs SquaredError"):
        fused_loss(SquaredError(), Fast(slip=1.0), np.ones((5, 1)), 1, FLOAT64)
    assert marked(Fast(slip=1.0)) == []
    assert fused_parts(network(), Fast(slip=1.0), np.dtype(np.float32)).links == set(ALL)  # not compared yet
    assert not fused_parts(network(), Fast(slip=1.0), FLOAT64, loss=SquaredError()).loss_is_fused


def test_nothing_is_run_for_it(monkeypatch: pytest.MonkeyPatch):
    def forward(self, ctx, x):
        raise AssertionError("run")

    monkeypatch.setattr(DenseReLU, "forward", forward)
    assert marked(Fast()) == ALL


def test_the_loss_and_the_optimizer_are_looked_at():
    found = fused_parts(network(), Fast(), FLOAT64, name="fast", loss=SquaredError(), optimizer=SGD())
    assert (found.loss, found.loss_is_fused, found.optimizer, found.optimizer_is_fused) == (
        "SquaredError",
        True,
        "SGD",
        True,
    )
    for optimizer in (Adam(), LBFGS()):
        found = fused_parts(network(), Fast(), FLOAT64, loss=Huber(), optimizer=optimizer)
        assert (found.loss_is_fused, found.optimizer_is_fused) == (False, False)


def test_the_table_names_the_accelerator_where_it_runs():
    model = ModNetRegressor((4, "dropout"), inputs=None, loss="huber", optimizer="sgd", accelerator=Fast())
    assert str(model.summary(3, 1)) == "\n".join(
        [
            "path                  layer           output  parameters  multiply-adds  fused",
            "──────────────────────────────────────────────────────────────────────────────",
            "                      input                3",
            "layers[0]             Dense(units=4)       4          16             12  Fast",
            "layers[0].activation  ReLU()               4           0              0  Fast",
            "layers[1]             Dropout()            4           0              0  –",
            "output                Dense(units=1)       1           5              4  –",
            "loss                  Huber                                              –",
            "optimizer             SGD                                                Fast",
            "──────────────────────────────────────────────────────────────────────────────",
            "                      total                           21             16",
            "accelerator: Fast",
        ]
    )


def test_a_composite_is_not_marked_and_what_is_in_it_is():
    lines = str(summarize(network(), fused_parts(network(), Fast(), FLOAT64))).splitlines()
    marks = {line.split()[0]: line.split()[-1] for line in lines if line.startswith(("layers", "  body"))}
    assert marks == {
        "layers[0]": "Fast",
        "layers[0].activation": "Fast",
        "layers[1]": "0",  # its multiply-adds, and nothing behind them
        "body[0]": "Fast",
        "body[0].activation": "Fast",
        "body[1]": "–",
        "layers[2]": "–",
        "layers[2].activation": "–",
    }


@pytest.mark.parametrize("model", [ModNetRegressor((4,), accelerator=None), MLPRegressor()], ids=repr)
def test_without_an_accelerator_the_summary_says_so_and_marks_nothing(model):
    summary = model.summary(3, 1)
    assert "fused" not in str(summary)
    assert str(summary).endswith("\naccelerator: none")
    assert summary.parts.accelerator is None
    assert not any(row.fused for row in summary.rows)


def test_a_network_by_itself_has_no_accelerator_to_tell_of():
    assert "accelerator" not in str(summarize(network()))
    assert fused_parts(network(), None, FLOAT64, loss=Huber()) == FusedParts(loss="Huber")


def test_a_fitted_model_is_summarized_in_its_own_dtype():
    X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    model = ModNetRegressor((4,), inputs=None, tol=10, n_iter_no_change=1, accelerator=Fast(slip=2.0), random_state=0)
    with pytest.warns(RuntimeWarning, match="modnet runs"):
        model.fit(X, X[:, 0])
    assert not any(row.fused for row in model.summary().rows)
    anew = ModNetRegressor((4,), inputs=None, accelerator=Fast(slip=2.0)).summary(3, 1)
    assert [row.fused for row in anew.rows] == [
        True,
        True,
        False,
    ]
