"""How a trace is shown: as a table, in notebooks, and as a picture."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from modnet import Network, trace
from modnet.layers import Dense, Residual

X = np.random.default_rng(0).normal(size=(5, 4))
T = trace(Network([Dense(4, "tanh"), Residual([Dense(4, "relu")]), Dense(1)], (4,)), X, np.arange(5.0))


def row(name: str) -> list[str]:
    (line,) = (line for line in str(T).splitlines() if line.startswith(f"{name} "))
    return line.split(maxsplit=7)


def test_the_table_tells_name_shape_size_and_what_a_gradient_is_made_of():
    assert str(T).startswith(f"J = {T['J']:.6g}, SquaredError of 5 rows in prediction")
    size, slope = (f"{np.sqrt(np.mean(array**2)):.3g}" for array in (T["W1"], T.d["W1"]))
    assert row("W1") == ["W1", "layers[0].W", "4", "×", "4", size, slope, "xᵀ ∂J/∂z1"]
    assert row("z1")[-1].endswith("∂J/∂a1 ∘ σ'(z1)")
    assert row("x")[-1] == "∂J/∂z1 W1ᵀ"
    assert row("b2")[-1] == "Σ rows ∂J/∂z2"
    assert row("a1")[-1].endswith("through Residual")
    assert row("z2")[-1].endswith("of the loss")
    assert all(path in str(T) for path in T.network.layout.places)


def test_the_verdict_names_what_was_compared():
    assert "backpropagation and central differences agree: the largest deviation is" in str(T.check())


def test_the_picture_shows_every_link_with_its_shape_and_both_sizes():
    figure = T.plot()
    (axes,) = figure.axes
    (links,) = axes.child_axes
    assert [tick.get_text() for tick in links.get_xticklabels()] == [
        f"{kind} →" for kind in ("Dense", "Tanh", "Dense", "ReLU", "Residual", "Dense")
    ]
    assert [tick.get_text() for tick in axes.get_xticklabels()][:3] == ["x\n5 × 4", "z1\n5 × 4", "a1\n5 × 4"]
    assert axes.get_yscale() == "log"
    found = {line.get_label(): line.get_ydata() for line in axes.lines}
    np.testing.assert_allclose(found["value"][0], np.sqrt(np.mean(X**2)))
    np.testing.assert_allclose(found["gradient of J"][-1], np.sqrt(np.mean(T.d["z2"] ** 2)))
    plt.close(figure)


def test_a_vanishing_gradient_is_seen_in_a_figure_of_ones_own():
    t = trace(Network([Dense(6, "sigmoid")] * 10 + [Dense(1)], (4,)), X, np.arange(5.0))
    (axes,) = t.plot(Figure()).axes
    (slopes,) = (line.get_ydata() for line in axes.lines if line.get_label() == "gradient of J")
    assert slopes[0] < 1e-6 * slopes[-1]
