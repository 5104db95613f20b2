"""What is printed: tables that fit, JSON that is JSON."""

import argparse
import json
from typing import Any

import numpy as np
import pytest

from modnet.cli.output import emit, filled, table


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


def test_a_long_last_cell_is_wrapped_below_itself():
    lines = table(["name", "what"], [["a", "word " * 30], ["b", "short"]]).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[2].startswith("a     word")
    assert lines[3].startswith("      word")
    assert lines[-1] == "b     short"


def test_numbers_are_aligned_to_the_right():
    assert table(["n", "x"], [["1", "a"], ["100", "b"]], right=["n"]).splitlines()[2:] == ["  1  a", "100  b"]


def test_a_table_without_rows_is_its_header():
    assert table(["a", "b"], []) == "a  b\n────"


def test_paragraphs_are_filled_and_stay_apart():
    lines = filled("one\ntwo\n\nthree " + "four " * 20).splitlines()
    assert lines[:2] == ["one two", ""]
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"x": np.float32(0.5), "n": np.int64(3), "b": np.bool_(True)}, {"x": 0.5, "n": 3, "b": True}),
        ([float("inf"), float("nan"), 1.0], [None, None, 1.0]),
        ({"a": np.array([[1.0, np.nan]])}, {"a": [[1.0, None]]}),
        ((1, ("σ", None)), [1, ["σ", None]]),
        ({1: "one"}, {"1": "one"}),
    ],
)
def test_json_is_json_whatever_is_in_it(value: Any, expected: Any, capsys: pytest.CaptureFixture[str]):
    emit(argparse.Namespace(json=True), value, "text")
    assert json.loads(capsys.readouterr().out) == expected
