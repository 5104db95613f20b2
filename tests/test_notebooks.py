"""What a notebook shows: the tables of summaries, traces and diagnoses, as HTML that says what the text says."""

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from modnet import ModNetRegressor, Network, diagnose, trace
from modnet.layers import BatchNorm, Dense, Residual
from modnet.network.summary import summarize
from modnet.text import Table

LAYERS = [Dense(4, "tanh"), Residual([Dense(4, "relu"), BatchNorm()]), Dense(1)]
X = np.random.default_rng(0).normal(size=(5, 4))
T = trace(Network(LAYERS, (4,)), X, np.arange(5.0))
SHOWN = {
    "summary": summarize(Network(LAYERS, (4,))),
    "trace": T,
    "check": T.check(2),
    "diagnosis": diagnose(ModNetRegressor(inputs=None, max_iter=2, random_state=0), X * 1e6, X[:, 0]),
    "nothing found": type(diagnose(ModNetRegressor(inputs=None, max_iter=2), X, X[:, 0]))([], None, fitted=True),
}


class Page(HTMLParser):
    """The words of a page, its tags, and what of them is still open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.styles = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.styles += dict(attrs).get("style", "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data.split()


@pytest.mark.parametrize("name", SHOWN)
def test_notebooks_say_what_the_text_says(name: str) -> None:
    page = Page(SHOWN[name]._repr_html_())
    assert page.words == str(SHOWN[name]).replace("─", "").split()
    assert page.open == []
    assert ("table" in page.tags) == (name != "nothing found")


@pytest.mark.parametrize("name", SHOWN)
def test_colours_are_those_of_the_notebook(name: str) -> None:
    styles = Page(SHOWN[name]._repr_html_()).styles
    assert "color" not in styles
    assert "background" not in styles


def test_rows_of_a_composite_are_set_back() -> None:
    assert ">  body[0]</td>" in SHOWN["summary"]._repr_html_()


def test_what_people_call_their_columns_is_no_markup() -> None:
    html = Table(["<b>", "n"], [["<script>alert()</script>", "1 & 2"]], foot=["<i>", ""]).html()
    assert Page(html).words == ["<b>", "n", "<script>alert()</script>", "1", "&", "2", "<i>"]
    assert not {"b", "script", "i"} & {*Page(html).tags}
