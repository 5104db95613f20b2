"""Fixed layers in front run once on the rows to train on, where the result fits; and it makes no difference."""

from typing import ClassVar

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_diabetes

from modnet import ModNetRegressor, ModNetTransformer, Module, Network, Parameter
from modnet.errors import NonFiniteError
from modnet.layers import Clip, Columns, Dense, Dropout, Parallel, Sequential, Standardize

X, y = load_diabetes(return_X_y=True)
y = (y - y.mean()) / y.std()
QUICK = {"inputs": None, "max_iter": 4, "tol": 0.0, "batch_size": 32, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SEEN: list[int] = []


class Counting(Module):
    """y = 2 x, and a note of how many rows came."""

    reads: ClassVar[frozenset[str]] = frozenset()
    fixed: ClassVar[bool] = True
    takes_sparse: ClassVar[bool] = True

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        SEEN.append(x.shape[0])
        return 2 * x if isinstance(x, np.ndarray) else 2 * x.toarray()

    def grad_input(self, ctx, dy):
        return 2 * dy


def rows_seen(model, *data, method="fit", **more):
    """How many rows the counting layer was given while a model learns."""
    SEEN.clear()
    getattr(model, method)(*data, **more)
    return sum(SEEN)


def test_a_fixed_layer_sees_the_rows_once_whatever_the_epochs():
    models = [ModNetRegressor((Counting(), 8), **{**QUICK, "max_iter": n}) for n in (2, 2, 20)]
    _, few, many = (rows_seen(model, X, y) for model in models)  # the first is tried out as well
    assert few == many < 2 * len(X)


def test_without_room_it_sees_them_in_every_epoch():
    model = ModNetRegressor((Counting(), 8), **QUICK, inputs_budget=0)
    assert rows_seen(model, X, y) >= 4 * len(X)
    room = X.size * X.itemsize
    assert rows_seen(model.set_params(inputs_budget=room), X, y) < 2 * len(X)
    assert rows_seen(model.set_params(inputs_budget=room - 1), X, y) >= 4 * len(X)


FRONTS = {
    "inputs": {"inputs": Standardize(), "layers": (8,)},
    "chain": {"layers": (Clip(-1.0, 1.0), Standardize(), "tanh", 8, Dropout(0.2))},
    "composite": {
        "layers": (Parallel([Columns([0, 1]), Sequential([Columns([2, 3]), Standardize()])]), 8, "batch_norm")
    },
    "nothing else": {"layers": (Standardize(),)},
    "table": {"inputs": "table", "layers": (8,)},
}


@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
@pytest.mark.parametrize("more", [{}, {"early_stopping": True}, {"optimizer": "lbfgs"}], ids=str)
def test_the_weights_are_the_same_to_the_last_bit(front, more):
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X))
    once, always = (
        ModNetRegressor(**{**QUICK, **front, **more}, inputs_budget=budget, accelerator=None).fit(X, y, weight)
        for budget in (2**28, 0)
    )
    np.testing.assert_array_equal(once.theta_, always.theta_)
    np.testing.assert_array_equal(once.predict(X), always.predict(X))
    assert once.loss_curve_ == always.loss_curve_


def test_steps_are_the_same_in_partial_fit():
    once, always = (ModNetRegressor(**{**QUICK, **FRONTS["inputs"]}, inputs_budget=room) for room in (2**28, 0))
    for rows in (slice(0, 100), slice(100, 103), slice(103, None)):
        for model in (once, always):
            model.partial_fit(X[rows], y[rows])
    np.testing.assert_array_equal(once.theta_, always.theta_)


@pytest.mark.parametrize("layers", [("standardize", 8), (Clip(-1e300, 1e300), Standardize(), "tanh", 8)], ids=len)
def test_what_overflows_in_a_fixed_layer_is_named_by_that_layer(layers):
    far = X.copy()
    far[7] = 1e300
    for budget in (2**28, 0):
        model = ModNetRegressor(layers, **QUICK, inputs_budget=budget)
        with pytest.raises(NonFiniteError, match=r"the output of layers\[\d\] \(Standardize\) is the first"):
            model.fit(far, y)


def test_sparse_rows_are_encoded_too():
    rows = sparse.csr_array(np.where(X > 0, X, 0))
    model = ModNetRegressor((Counting(), 8), **QUICK)
    assert rows_seen(model, rows, y) < 2 * len(X)
    np.testing.assert_allclose(model.predict(rows), model.predict(rows.toarray()))


def test_a_layer_is_fixed_if_all_inside_it_are_and_none_is_trained():
    assert Parallel([Standardize(), Sequential([Clip(0.0, 1.0), "tanh"])]).fixed
    assert not Parallel([Standardize(), Dropout()]).fixed
    network = Network([Parallel([Standardize()]), Dense(3), Standardize(), Dense(1)], (4,))
    head, body = network.split()
    assert [link.path for link in head.links] == ["layers[0]"]
    assert [link.path for link in body.links] == ["layers[1]", "layers[2]", "layers[3]"]
    nothing, whole = body.split()
    assert nothing is None
    assert whole is body


class Adapting(Counting):
    """Takes note of how it is told of the data."""

    fixed: ClassVar[bool] = False
    adapts: ClassVar[bool] = True

    def parameters(self, input_shape):
        return {
            "rows": Parameter((1, 1), "zeros", trainable=False),
            "calls": Parameter((1, 1), "zeros", trainable=False),
        }

    def adapt(self, ctx, blocks):
        ctx.s.calls += 1
        ctx.s.rows += sum(len(x) for x, _ in blocks)


def test_adapt_is_called_once_with_all_blocks():
    model = ModNetRegressor((8, Adapting()), **QUICK).fit(np.repeat(X, 200, axis=0), np.repeat(y, 200))
    assert len(list(model.network_.blocks(200 * len(X)))) > 1
    state = model.network_.state_layout.views(model.state_)
    assert (state["layers[1].rows"].item(), state["layers[1].calls"].item()) == (200 * len(X), 1)


class AdaptsBadly(Adapting):
    """Raises while it looks at the data."""

    def adapt(self, ctx, blocks):
        raise ZeroDivisionError("no rows like these")


def test_an_error_in_adapt_names_the_layer():
    model = ModNetRegressor((8, AdaptsBadly()), **QUICK)
    with pytest.raises(TypeError, match=r"layers\[1\] \(AdaptsBadly\).*adapt raised ZeroDivisionError"):
        model.fit(X, y)
    assert not hasattr(model, "theta_")


# What reads a layer


def test_a_path_reads_a_layer():
    model = ModNetRegressor((Sequential([Dense(3), "tanh"]), 4), **{**QUICK, "inputs": "standardize"})
    widths = {"inputs": 10, "layers[0]": 3, "layers[0].body[0]": 3, "layers[1]": 4, "output": 1}
    for path, width in widths.items():
        assert ModNetTransformer(layer=path, estimator=model).fit_transform(X, y).shape == (len(X), width)
    scaled = ModNetTransformer(layer="inputs", estimator=model).fit_transform(X, y)
    np.testing.assert_allclose(scaled.std(axis=0), 1)


def test_a_path_that_leads_nowhere_is_an_error_that_says_what_is_there():
    with pytest.raises(ValueError, match=r"no layer is called 'layers\[7\]'"):
        ModNetTransformer(layer="layers[7]").fit(X)


# What the summary counts


class Projection(Module):
    """y = x P with a matrix that stays as it is drawn."""

    reads: ClassVar[frozenset[str]] = frozenset()
    fixed: ClassVar[bool] = True

    def output_shape(self, input_shape):
        return (3,)

    def parameters(self, input_shape):
        return {"P": Parameter((input_shape[-1], 3), "normal", trainable=False)}

    def forward(self, ctx, x):
        return x @ ctx.s.P

    def grad_input(self, ctx, dy):
        return dy @ ctx.s.P.T


def test_the_summary_counts_products_with_matrices_that_are_not_trained():
    rows = ModNetRegressor((Projection(), Standardize(), 4), inputs=None).summary(n_features=10, n_outputs=1).rows
    assert [row.multiply_adds for row in rows] == [30, 0, 12, 0, 4]
