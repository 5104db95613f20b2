"""The summary counts what the network has, and its table can be read."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from modnet import Array, Context, ModNetClassifier, ModNetRegressor, Module, Network, Parameter, Shape
from modnet.errors import InvalidSpecError
from modnet.initializers import Zeros
from modnet.layers import Dense, Dropout, Parallel, Residual, Sequential
from modnet.network.summary import summarize
from modnet.neural_network import MLPClassifier


class Centred(Module):
    """x minus a running mean that is not trained, at each of several positions through one matrix."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        width = input_shape[-1]
        mean = Parameter((1, width), Zeros(), trainable=False)
        return {"W": Parameter((width, width), Zeros(), regularized=False), "mean": mean}

    def forward(self, ctx: Context, x: Array) -> Array:
        return (x - ctx.s.mean) @ ctx.p.W

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        return dy @ ctx.p.W.mT


def dense(units: int) -> Any:
    return st.builds(Dense, st.just(units), st.sampled_from([None, "relu"]), st.booleans())


def blocks(width: int) -> Any:
    def around(block: Any) -> Any:
        body = st.lists(block, min_size=1, max_size=2)
        return st.builds(Residual, body) | st.builds(Sequential, body)

    return st.recursive(dense(width) | st.just(Dropout(0.5)), around, max_leaves=4)


@given(st.lists(blocks(3), min_size=1, max_size=3))
def test_parameters_add_up_to_the_length_of_theta(layers: list[Module]) -> None:
    network = Network(layers, (3,))
    summary = summarize(network)
    assert summary.parameters == network.layout.size
    assert [row.path for row in summary.rows] == [link.path for link in network.walk()]


@pytest.mark.parametrize("features", [1, 7])
def test_a_dense_layer_multiplies_once_per_weight(features: int) -> None:
    (row,) = summarize(Network([Dense(5)], (features,))).rows
    assert row.multiply_adds == 5 * features
    assert row.parameters == 5 * features + 5


def test_a_matrix_counts_at_every_position_that_it_is_used_for() -> None:
    (row,) = summarize(Network([Centred()], (10, 4))).rows
    assert row.multiply_adds == 10 * 4 * 4


def test_what_is_not_trained_is_counted_apart() -> None:
    summary = summarize(Network([Centred()], (4,)))
    assert (summary.parameters, summary.state) == (16, 4)
    assert str(summary).endswith("and 4 numbers that are not trained")


def test_a_composite_does_not_repeat_the_layers_inside_it() -> None:
    body = [Dense(8, "relu", name="wide"), Dense(3)]
    rows = summarize(Network([Parallel([Residual(body), Dense(3)], merge="add", name="both")], (3,))).rows
    assert [(row.depth, row.title) for row in rows] == [
        (0, "Parallel(branches=…, merge='add', name='both')"),
        (1, "Residual(body=…)"),
        (2, "Dense(units=8, name='wide')"),
        (2, "ReLU()"),
        (2, "Dense(units=3)"),
        (1, "Dense(units=3)"),
    ]


@given(st.lists(blocks(3), min_size=1, max_size=3))
def test_the_columns_of_the_table_are_aligned(layers: list[Module]) -> None:
    head, rule, *lines = str(summarize(Network(layers, (3,)))).splitlines()
    ends = [head.index(title) + len(title) for title in ("output", "parameters", "multiply-adds")]
    numbers = [line for line in lines if line != rule]
    assert len(rule) == len(head) == ends[-1]
    assert all(line[end - 1].isdigit() for line in numbers[1:-1] for end in ends)
    assert all(line[end : end + 2].isspace() for line in numbers[1:] for end in ends[:-1])


class TestOfAnEstimator:
    X = np.random.default_rng(0).normal(size=(30, 4))

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    @pytest.mark.parametrize("estimator", [ModNetClassifier, MLPClassifier])
    def test_before_and_after_fit_it_is_the_same(self, estimator: Any) -> None:
        model = estimator((6,), max_iter=1)
        announced = model.summary(n_features=4, n_outputs=3)
        assert model.fit(self.X, np.arange(30) % 3).summary() == announced
        assert announced.parameters == model.theta_.size

    def test_numbers_ask_for_the_network_that_the_parameters_describe_now(self) -> None:
        model = ModNetRegressor((6,), inputs=None, tol=1e9).fit(self.X, self.X[:, 0]).set_params(layers__0__units=9)
        assert [model.summary().rows[0].output_shape, model.summary(4, 1).rows[0].output_shape] == [(6,), (9,)]

    def test_without_fit_or_numbers_it_says_what_it_needs(self) -> None:
        with pytest.raises(NotFittedError, match=r"summary\(n_features=…, n_outputs=…\)"):
            ModNetRegressor().summary()

    @pytest.mark.parametrize("numbers", [{"n_features": 4}, {"n_outputs": 1}])
    def test_one_number_alone_is_an_error(self, numbers: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="n_features and n_outputs belong together"):
            ModNetRegressor().summary(**numbers)

    def test_parameters_that_are_not_valid_are_named(self) -> None:
        with pytest.raises(InvalidSpecError, match=r"layers\[0\].units"):
            ModNetRegressor((-1,)).summary(4, 1)
