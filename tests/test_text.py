"""Text for people: tables, facts and paragraphs that fit the terminal."""

import pytest

from modnet.text import Table, facts, filled


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


def test_a_long_last_cell_is_wrapped_below_itself():
    lines = str(Table(["name", "what"], [["a", "word " * 30], ["b", "short"]])).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[2].startswith("a     word")
    assert lines[3].startswith("      word")
    assert lines[-1] == "b     short"


def test_numbers_are_aligned_to_the_right():
    assert str(Table(["n", "x"], [["1", "a"], ["100", "b"]], right=["n"])).splitlines()[2:] == ["  1  a", "100  b"]


def test_a_table_without_rows_is_its_header():
    assert str(Table(["a", "b"], [])) == "a  b\n────"


def test_paragraphs_are_filled_and_stay_apart():
    lines = filled("one\ntwo\n\nthree " + "four " * 20).splitlines()
    assert lines[:2] == ["one two", ""]
    assert max(map(len, lines)) <= 60


def test_a_table_that_is_not_to_be_wrapped_keeps_its_lines():
    long = "word " * 30 + "end"
    assert str(Table(["name", "what"], [["a", long]], wrap=False)).splitlines()[2] == f"a     {long}"


def test_a_foot_stands_below_a_rule():
    lines = str(Table(["n", "x"], [["1", "a"]], right=["n"], foot=["100", "total"])).splitlines()
    assert lines == ["  n  x", "──────────", "  1  a", "──────────", "100  total"]


def test_facts_are_wrapped_beside_their_names():
    lines = facts([("a", "word " * 30), ("name", "short")], "  ").splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[0].startswith("  a     word")
    assert lines[1].startswith("        word")
    assert lines[-1] == "  name  short"
