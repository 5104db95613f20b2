"""What is in a CSV file: the same with every library, with the types that a model knows, and told by row and line."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modnet import ModelSpec, ModNetClassifier, save
from modnet.estimators.persistence import load

BY_CODE = {
    "type": "parallel",
    "branches": [
        {"type": "sequential", "body": [{"type": "columns", "columns": ["a"]}]},
        {"type": "sequential", "body": [{"type": "columns", "columns": ["code"]}, {"type": "embedding", "units": 2}]},
    ],
}


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Write 24 rows of a number, a column and a target, with some fields put in their place."""

    def write(y: Any, name: str = "b", b: Any = (0.5, 1, 2), sep: str = ",", encoding: str = "utf-8", end: str = "\n"):
        rows = [["a", name, "y"], *([str(i / 7), str(b[i % len(b)]), str(y[i % len(y)])] for i in range(24))]
        (tmp_path / "data.csv").write_bytes(end.join(sep.join(row) for row in [*rows, []]).encode(encoding))
        return tmp_path / "data.csv"

    return write


def trained(modnet: Any, data: Path, *argv: Any) -> Any:
    return modnet("train", *argv, data, "--target", "y", "--out", data.with_suffix(".npz"), "--quiet", "--json")


def predicted(modnet: Any, model: Path, text: str) -> list[str]:
    (model.parent / "new.csv").write_text(text)
    done = modnet("predict", model, model.parent / "new.csv")
    assert done.status == 0, done.err
    return [row["prediction"] for row in csv.DictReader(io.StringIO(done.out))]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_file_is_the_same_whatever_is_installed(modnet: Any, file: Any, library: str, monkeypatch: Any):
    pytest.importorskip(library)
    monkeypatch.setattr("modnet.cli.data.LIBRARIES", (library,))
    done = trained(modnet, file(["NA", "None", "null", "x"]))
    assert done.json["classes"] == ["NA", "None", "null", "x"]
    assert "column 'y' holds 'NA' in 6 rows, the first of them row 1 (line 2)" in done.err
    assert trained(modnet, file(["NA", "x", "z"]), "--skip-missing").json["classes"] == ["x", "z"]
    assert trained(modnet, file([2**63, 2**63 + 1])).json["classes"] == [str(2**63), str(2**63 + 1)]
    assert trained(modnet, file("pq", b=[2**64, 5])).status == 0
    assert trained(modnet, file("pq", end="\r")).json["rows"] == 19


def test_separator_and_encoding_are_seen_or_said(modnet: Any, file: Any):
    assert trained(modnet, file("pq", sep=";", b=["0,5", "1,5"])).json["features"] == ["a", "b"]
    assert trained(modnet, file("pq", sep=":"), "--separator", ":").status == 0
    latin = file(["süß", "q"], encoding="latin-1")
    assert "data.csv: cannot read it: line 2 is not in utf-8" in (done := trained(modnet, latin)).err
    assert "--encoding latin-1" in done.err
    assert trained(modnet, latin, "--encoding", "latin-1").json["classes"] == ["q", "süß"]
    assert "a separator" not in trained(modnet, latin, "--separator", "ab").err
    assert "should be one that Python knows" in trained(modnet, latin, "--encoding", "latin-one").err


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "gap": ({"y": [*"pqpq", "", "p"]}, "column 'y' has no value in 4 of 24 rows, the first of them row 5 (line 6)"),
    "infinite": ({"y": [1.5, 2, "-1e999"]}, "column 'y' holds -1e999 in row 3 (line 4)"),
    "infinite feature": ({"y": "pq", "b": [1, "inf"]}, "column 'b' holds inf in row 2 (line 3)"),
    "dates": ({"y": "pq", "b": [f"2024-01-{i}" for i in (31, 30, 29)]}, "column 'b' holds dates, such as '2024-01-31'"),
    "dates to predict": ({"y": ["31.1.2024", "1.2.2024"]}, "column 'y' holds dates, such as 31.1.2024 in row 1"),
    "a name twice": ({"y": "pq", "name": "a"}, "there are 2 columns called 'a'"),
    "a field too many": ({"y": ["p", "p,q"]}, "row 2 (line 3) has 4 fields, and the first line names 3 columns"),
    "an open quote": ({"y": ["p", "q", '"p']}, "is a quotation mark not closed?"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_by_file_column_row_and_line(modnet: Any, file: Any, fields: Any, told: str):
    done = trained(modnet, file(**fields))
    assert done.status == 1
    assert f"{file(**fields)}: " in done.err
    assert told in done.err


def test_a_seed_is_a_whole_number(modnet: Any, file: Any):
    done = trained(modnet, file("pq"), "--seed", "-1")
    assert done.status == 2
    assert "--seed: should be a whole number from 0 to 2³² − 1, got '-1'" in done.err


def test_the_only_row_of_a_class_is_trained_on(modnet: Any, file: Any):
    done = trained(modnet, file([*"pqpqpqpqpqpqpqpqpqpqpqp", "rare"]))
    assert done.json["classes"] == ["p", "q", "rare"]
    assert "column 'y' holds 'rare' in row 24 (line 25) only" in done.err
    assert "--held-out 0" in done.err
    assert "too few rows, 24, to train on some" in trained(modnet, file("abcdefgh")).err


def test_a_column_is_read_with_the_type_that_the_model_knows(modnet: Any, file: Any, tmp_path: Path):
    spec = tmp_path / "spec.json"
    ModelSpec(layers=[BY_CODE, 8], optimizer={"type": "adam", "learning_rate": 0.05}).save(spec)
    data = file("pqr", "code", ["1", "2", "007"])
    text = pd.read_csv(data, dtype={"code": str})
    model = ModNetClassifier.from_spec(ModelSpec.load(spec), random_state=0, max_iter=300, tol=0.0)
    save(model.fit(text[["a", "code"]], text.y), tmp_path / "m.npz")
    assert predicted(modnet, tmp_path / "m.npz", "a,code\n1,1\n1,2\n1,007\n") == ["p", "q", "r"]
    (tmp_path / "new.csv").write_text("a,code\n1,1\n1O,2\n")
    done = modnet("predict", tmp_path / "m.npz", tmp_path / "new.csv")
    assert "column 'a' was numbers in training, and is text here, as '1O' in row 2 (line 3)" in done.err
    (tmp_path / "new.csv").write_text("a,code\n1,1\n,2\n")
    done = modnet("predict", tmp_path / "m.npz", tmp_path / "new.csv")
    assert f"{tmp_path / 'new.csv'}: row 2 (line 3): " in done.err


@pytest.mark.parametrize("y", [["007", "010"], ["1.0", "2.0"], ["1", "2"], ["true", "false"]], ids=str)
def test_classes_are_written_as_they_were(modnet: Any, file: Any, y: list[str]):
    data = file(y)
    assert trained(modnet, data, "--held-out", 0).status == 0
    found = predicted(modnet, data.with_suffix(".npz"), "a,b\n0,1\n")
    assert found[0].lower() in y


def test_numbers_as_classes_of_a_model_are_not_compared_with_text(modnet: Any, file: Any, tmp_path: Path):
    data = file("pq")
    frame = pd.read_csv(data)
    model = ModNetClassifier((2,), max_iter=2, random_state=0)
    save(model.fit(frame[["a", "b"]], (frame.y == "p").astype(int)), tmp_path / "m.npz")
    done = modnet("doctor", "--model", tmp_path / "m.npz", "--data", data, "--target", "y")
    assert "column 'y' does not hold the model's classes, which are [0 1], but 'p' in row 1 (line 2)" in done.err


# Without a spec


@pytest.mark.parametrize(
    ("y", "argv", "task", "why"),
    [
        ("pq", [], "classification", "text: classes"),
        ([0, 1, 2], [], "classification", "3 whole numbers: classes; --task regression learns numbers"),
        (range(24), [], "regression", "24 whole numbers: numbers; --task classification learns classes"),
        ([0.5, 1.5], [], "regression", "numbers with fractions"),
        ([0, 1, 2], ["--estimator", "regressor"], "regression", "--estimator regressor"),
    ],
)
def test_no_spec_is_needed(modnet: Any, file: Any, y: Any, argv: list[str], task: str, why: str):
    data = file(y)
    done = modnet("train", data, "--target", "y", "--out", data.with_suffix(".npz"), "--quiet", *argv)
    assert f"({why})" in done.out
    model = load(data.with_suffix(".npz"))
    assert type(model).__name__ == {"classification": "ModNetClassifier", "regression": "ModNetRegressor"}[task]
    assert model.get_params() == type(model)(random_state=0).get_params()


def test_a_new_spec_has_the_defaults_and_trains_the_same(modnet: Any, file: Any, tmp_path: Path):
    data, spec = file("pq"), tmp_path / "spec.json"
    assert f"modnet train {spec} DATA --target COL --out MODEL" in modnet("new-spec", spec).out
    assert ModelSpec.load(spec) == ModNetClassifier().to_spec()
    assert "is there already" in modnet("new-spec", spec).err
    assert trained(modnet, data).status == 0
    theta = load(data.with_suffix(".npz")).theta_
    assert trained(modnet, data, spec).status == 0
    np.testing.assert_array_equal(load(data.with_suffix(".npz")).theta_, theta)
