"""scikit-learn draws an estimator as its layers, whatever state and surroundings it is in."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr
from support.distributions import run_python

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer, Module
from modnet.base import Links
from modnet.estimators import display
from modnet.layers import Dense, Parallel, Residual, Sequential
from modnet.neural_network import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(30, 4))
y = np.arange(30) % 3
PLAIN = {"inputs": None, "max_iter": 1}


def blocks(estimator: Any) -> list[tuple[str, str]]:
    """Return name and caption of the blocks of layers."""
    found = re.findall(r'<div><div>([^<]*)</div>(?:<div class="caption">([^<]*)</div>)?</div>', drawn(estimator))
    return [(name, caption) for name, caption in found if "(" in name]


def drawn(estimator: Any) -> str:
    return str(estimator_html_repr(estimator)).partition('<div class="sk-container" hidden>')[2]


def test_a_fitted_estimator_shows_layers_with_shapes_and_parameters() -> None:
    model = ModNetRegressor((6, "dropout"), output_activation="identity", **PLAIN).fit(X, y)
    assert blocks(model) == [
        ("Dense(units=6, activation=ReLU())", "4 → 6, 30 parameters"),
        ("Dropout()", "6 → 6"),
        ("Dense(units=1)", "6 → 1, 7 parameters"),
        ("Identity()", "1 → 1"),
    ]


def test_an_unfitted_estimator_shows_its_hidden_layers() -> None:
    assert blocks(ModNetClassifier((6, "dropout"), **PLAIN)) == [
        ("Dense(units=6, activation=ReLU())", ""),
        ("Dropout()", ""),
    ]


def test_the_shortcut_of_a_residual_block_is_a_branch_beside_its_body() -> None:
    def branches(*layers: Any) -> tuple[int, int]:
        page = drawn(ModNetRegressor(layers))
        return page.count('<div class="sk-parallel-item">'), page.count("<div>x</div>")

    assert branches(Residual([Dense(4), Dense(4)])) == (2, 1)
    assert branches(Parallel([Dense(4), Dense(4)])) == (2, 0)


def test_only_branches_have_a_frame_inside_the_outer_one() -> None:
    def frames(estimator: Any) -> int:
        return drawn(estimator).count("sk-dashed-wrapped")

    assert frames(ModNetRegressor((4, Sequential([Dense(3), Dense(2)])))) == 1
    assert frames(make_pipeline(StandardScaler(), ModNetRegressor((4,)))) == 1
    assert frames(ModNetRegressor((Parallel([Sequential([Dense(3), Dense(2)]), Dense(2)]),))) == 2


@pytest.mark.parametrize("fitted", [False, True])
def test_layers_inside_layers_are_blocks_inside_blocks(fitted: bool) -> None:
    layers = [Residual([Dense(8, "tanh"), Dense(4)], name="trunk"), Parallel([Dense(2), Dense(3)])]
    model = ModNetRegressor(layers, **PLAIN)
    names = [name for name, _ in blocks(model.fit(X, y) if fitted else model)]
    assert [name.partition(" · ")[0] for name in names[:6]] == [
        "Residual(body=…, name=&#x27;trunk&#x27;)",
        "Dense(units=8, activation=Tanh())",
        "Dense(units=4)",
        "Parallel(branches=…)",
        "Dense(units=2)",
        "Dense(units=3)",
    ]
    assert [name.partition(" · ")[2] for name in (names[0], names[3])] == (
        ["4 → 4, 76 parameters", "4 → 5, 25 parameters"] if fitted else ["", ""]
    )
    assert drawn(model).count('class="sk-parallel-item"') == 2 + 2  # body and shortcut, and the branches


class Bottleneck(Dense):
    """Two layers with few units between them."""

    def links(self) -> Links:
        return (("down", Dense(2)), ("up", Dense(self.units)))


def test_a_layer_that_stands_for_several_links_is_one_block() -> None:
    model = ModNetRegressor([Bottleneck(6)], **PLAIN).fit(X, y)
    assert blocks(model)[0][1] == f"4 → 6, {(4 * 2 + 2) + (2 * 6 + 6)} parameters"


def test_an_opened_block_shows_path_fields_and_arrays() -> None:
    page = drawn(ModNetRegressor((6,), **PLAIN).fit(X, y))
    details = re.findall("<pre>([^<]*)</pre>", page)
    assert details[0].startswith("layers[0]\n\nunits = 6\nactivation = ReLU()\n")
    assert details[0].endswith("\n\nlayers[0].W  (4, 6)\nlayers[0].b  (1, 6)")


@pytest.mark.parametrize(
    "outer",
    [
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: TransformedTargetRegressor(model),
        lambda model: GridSearchCV(model, {"alpha": [0.0]}, cv=2),
    ],
)
def test_layers_are_shown_inside_other_estimators(outer: Any) -> None:
    model = outer(ModNetRegressor((6,), max_iter=1)).fit(X, y)
    assert "Dense(units=6, activation=ReLU())" in [name for name, _ in blocks(model)]


@pytest.mark.parametrize(
    "estimator", [MLPClassifier((6,), max_iter=1), ModNetTransformer((6,), inputs=None, max_iter=1)]
)
def test_every_estimator_shows_its_layers(estimator: Any) -> None:
    assert blocks(estimator.fit(X, y))[0] == ("Dense(units=6, activation=ReLU())", "4 → 6, 30 parameters")


@pytest.mark.parametrize(
    "estimator",
    [
        ModNetClassifier(layers=object()),
        ModNetClassifier(layers=(-3, "no_such_layer", {"units": 2})),
        ModNetClassifier(layers=[Dense], optimizer=3.5, alpha=np.nan),
        ModNetRegressor(layers=(), inputs=None),
        MLPRegressor(hidden_layer_sizes="many"),
    ],
)
def test_what_cannot_be_fitted_is_drawn_like_any_other_estimator(estimator: Any) -> None:
    assert blocks(estimator) == []
    for each in (estimator, make_pipeline(StandardScaler(), estimator)):
        assert f"<div>{type(estimator).__name__}</div>" in drawn(each)


def test_text_is_escaped() -> None:
    class Mine(Dense):
        def __repr__(self) -> str:
            return "<script>(1)</script>"

    layers: list[Module] = [Mine(2)]
    assert "<script>(1)" not in drawn(ModNetRegressor(layers, max_iter=1).fit(X, y))


def test_without_the_blocks_of_scikit_learn_it_is_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ModNetRegressor((6,), max_iter=1).fit(X, y)
    monkeypatch.setattr(display, "VisualBlock", None)
    assert not hasattr(model, "_sk_visual_block_")
    assert blocks(model) == []
    assert "ModNetRegressor" in drawn(model)


@pytest.mark.parametrize("estimator", [ModNetClassifier(), ModNetTransformer(), MLPRegressor()])
def test_there_is_no_link_to_a_page_that_does_not_exist(estimator: Any) -> None:
    assert estimator._get_doc_link() == ""
    assert "href=" not in drawn(estimator)


def test_links_lead_to_the_site_that_the_metadata_name(tmp_path: Path) -> None:
    info = tmp_path / "modnet_layers-0.1.0.dist-info"
    info.mkdir()
    head = "Metadata-Version: 2.1\nName: modnet-layers\nVersion: 0.1.0\n"
    (info / "METADATA").write_text(f"{head}Project-URL: Documentation, https://modnet.example/\n", encoding="utf-8")
    code = """
from modnet import ModNetClassifier
from modnet.neural_network import MLPRegressor
print(ModNetClassifier()._get_doc_link(), MLPRegressor()._get_doc_link())
"""
    path = os.pathsep.join([str(tmp_path), *sys.path])
    classifier, mlp = run_python(code, PYTHONPATH=path).split()
    assert classifier == "https://modnet.example/api/generated/modnet.ModNetClassifier.html"
    assert mlp == "https://modnet.example/api/generated/modnet.neural_network.MLPRegressor.html"
