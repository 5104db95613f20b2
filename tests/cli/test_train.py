"""``modnet train`` and ``modnet predict``: from a file of rows to a model, and from a model to predictions."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.estimators.persistence import load, save

CATEGORIES = [
    {
        "type": "parallel",
        "branches": [
            {"type": "sequential", "body": [{"type": "columns", "dtype": "number"}, "standardize"]},
            {
                "type": "sequential",
                "body": [{"type": "columns", "dtype": "category"}, {"type": "embedding", "categories": 2, "units": 2}],
            },
        ],
    },
    {"type": "dense", "units": 8, "activation": "tanh"},
]


@pytest.fixture
def model(modnet: Any, spec: Path, iris: Path, tmp_path: Path) -> Path:
    """A trained classifier of flowers."""
    path = tmp_path / "model.npz"
    assert modnet("train", spec, iris, "--target", "species", "--out", path, "--quiet").status == 0
    return path


def changed(path: Path, **fields: Any) -> Path:
    """The spec with other fields."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
    return path


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# train


def test_training_says_what_it_did_and_saves_the_model(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    done = modnet("train", spec, iris, "--target", "species", "--out", tmp_path / "model.npz")
    assert done.status == 0
    for line in (
        f"data      {iris}: 120 rows to train on, 30 held out",
        "target    species, 3 classes: setosa, versicolor, virginica",
        "model     ModNetClassifier, 67 parameters, cross_entropy",
        "training  30 epochs, all that max_iter allows, in ",
        "held out  accuracy ",
        "(always the most frequent class: 0.333)",
        f"saved     {tmp_path / 'model.npz'}, ",
    ):
        assert line in done.out
    fitted = load(tmp_path / "model.npz")
    assert isinstance(fitted, ModNetClassifier)
    assert list(fitted.classes_) == ["setosa", "versicolor", "virginica"]


def test_no_file_that_is_read_is_written_to(modnet: Any, spec: Path, iris: Path, model: Path, tmp_path: Path):
    link = tmp_path / "link.csv"
    link.symlink_to(iris)
    before = {path: path.read_bytes() for path in (spec, iris, model)}
    for out in (spec, iris, link):
        done = modnet("train", spec, iris, "--target", "species", "--out", out)
        assert (done.status, done.err) == (
            1,
            f"modnet: error: {out} is read by this command, and would be overwritten: choose another name\n",
        )
    for out in (model, iris):
        assert modnet("predict", model, iris, "--out", out).status == 1
    assert before == {path: path.read_bytes() for path in before}


def test_progress_is_a_line_per_tenth_beside_the_result(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    done = modnet("train", spec, iris, "--target", "species", "--out", tmp_path / "model.npz", "--json")
    lines = done.err.splitlines()
    assert [line.split()[1] for line in lines] == [f"{epoch}/30" for epoch in range(3, 31, 3)]
    assert lines[-1].split()[2:] == ["loss", f"{done.json['loss_curve'][-1]:.6f}"]


def test_quiet_is_quiet(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    done = modnet("train", spec, iris, "--target", "species", "--out", tmp_path / "model.npz", "--quiet")
    assert done.err == ""


def test_the_result_is_there_as_json(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    out = tmp_path / "model.npz"
    found = modnet("train", spec, iris, "--target", "species", "--out", out, "--quiet", "--json").json
    assert (found["task"], found["rows"], found["epochs"], found["parameters"]) == ("classification", 120, 30, 67)
    assert found["features"] == ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    assert found["classes"] == ["setosa", "versicolor", "virginica"]
    assert found["held_out"]["rows"] == 30
    assert found["held_out"]["accuracy"] > 0.8
    assert found["held_out"]["accuracy_of_most_frequent"] == pytest.approx(1 / 3)
    assert found["bytes"] == out.stat().st_size
    assert found["picture"] is None


def test_numbers_are_a_regression(modnet: Any, spec: Path, diabetes: Path, tmp_path: Path):
    changed(spec, training={"max_iter": 200, "batch_size": 32})
    done = modnet("train", spec, diabetes, "--target", "target", "--out", tmp_path / "model.npz", "--quiet")
    assert "target    target, regression" in done.out
    assert "held out  R² 0." in done.out
    assert isinstance(load(tmp_path / "model.npz"), ModNetRegressor)


def test_the_score_is_that_of_rows_never_seen(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    argv = ("train", spec, iris, "--target", "species", "--out", tmp_path / "model.npz", "--quiet", "--json")
    frame = pd.read_csv(iris)
    found = modnet(*argv, "--held-out", 0.5, "--seed", 3).json
    assert (found["rows"], found["held_out"]["rows"]) == (75, 75)
    fitted = load(tmp_path / "model.npz")
    again = ModNetClassifier(**fitted.get_params(deep=False))
    X, y = frame.drop(columns="species"), frame.species.to_numpy()
    train, test = train_test_split(np.arange(150), test_size=0.5, stratify=y, random_state=3)
    again.fit(X.iloc[train], y[train])
    np.testing.assert_array_equal(again.theta_, fitted.theta_)
    assert again.score(X.iloc[test], y[test]) == found["held_out"]["accuracy"]


def test_nothing_need_be_held_out(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    argv = ("train", spec, iris, "--target", "species", "--out", tmp_path / "model.npz", "--held-out", 0)
    found = modnet(*argv, "--json", "--quiet").json
    assert (found["rows"], found["held_out"]) == (150, None)
    assert "held out" not in modnet(*argv, "--quiet").out


def test_the_seed_decides(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    def curve(seed: int) -> list[float]:
        argv = ("train", spec, iris, "--target", "species", "--out", tmp_path / "model.npz", "--quiet", "--json")
        return list(modnet(*argv, "--seed", seed).json["loss_curve"])

    assert curve(1) == curve(1) != curve(2)


@pytest.mark.parametrize(
    ("values", "argv", "task"),
    [
        (["a", "b"] * 30, [], "classification"),
        ([True, False] * 30, [], "classification"),
        ([0, 1, 2] * 20, [], "classification"),
        (list(range(60)), [], "regression"),
        ([0.5, 1.5] * 30, [], "regression"),
        ([0, 1, 2] * 20, ["--task", "regression"], "regression"),
        (list(range(5)) * 12, ["--task", "classification"], "classification"),
    ],
    ids=str,
)
def test_the_task_follows_from_the_target(modnet: Any, spec: Path, tmp_path: Path, values: Any, argv: Any, task: str):
    data = tmp_path / "data.csv"
    pd.DataFrame({"x": np.linspace(0, 1, 60), "y": values}).to_csv(data, index=False)
    done = modnet("train", spec, data, "--target", "y", "--out", tmp_path / "m.npz", "--quiet", "--json", *argv)
    assert done.json["task"] == task


@pytest.mark.parametrize(("loss", "task"), [("poisson", "regression"), ("hinge", "classification")])
def test_a_loss_for_one_task_decides(modnet: Any, spec: Path, tmp_path: Path, loss: str, task: str):
    data = tmp_path / "data.csv"
    pd.DataFrame({"x": np.linspace(0, 1, 60), "y": [0, 1, 2] * 20}).to_csv(data, index=False)
    argv = ("train", changed(spec, loss=loss), data, "--target", "y", "--out", tmp_path / "m.npz")
    assert modnet(*argv, "--quiet", "--json").json["task"] == task


def test_the_curve_is_drawn_on_request(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    argv = ("train", spec, iris, "--target", "species", "--out", tmp_path / "model.npz", "--quiet")
    done = modnet(*argv, "--picture", tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert f"picture   {tmp_path / 'curve.png'}" in done.out


def test_columns_of_text_go_to_layers_that_take_codes(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    frame = pd.read_csv(iris).assign(colour=["red", "blue"] * 75)
    frame.to_csv(iris, index=False)
    argv = ("train", spec, iris, "--target", "species", "--out", tmp_path / "model.npz", "--quiet")
    assert modnet(*argv).status == 0  # the plan for columns takes them
    changed(spec, inputs=None)
    done = modnet(*argv)
    assert done.status == 1
    assert "column 'colour' holds text, and no layer of the spec takes codes of it" in done.err
    assert "--without colour" in done.err
    assert modnet(*argv, "--without", "colour").status == 0
    changed(spec, layers=CATEGORIES)
    assert modnet(*argv).status == 0
    frame["colour"] = "green"  # never seen
    frame.to_csv(iris, index=False)
    assert modnet("predict", tmp_path / "model.npz", iris).status == 0


def test_columns_of_dates_are_refused(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    polars = pytest.importorskip("polars")
    path = tmp_path / "iris.parquet"
    polars.read_csv(iris).with_columns(day=polars.date(2020, 1, 1)).write_parquet(path)
    done = modnet("train", spec, path, "--target", "species", "--out", tmp_path / "m.npz")
    assert done.status == 1
    assert "column 'day' holds Date" in done.err


def test_missing_values_are_counted_where_no_layer_takes_them(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    frame = pd.read_csv(iris)
    frame.loc[:4, "petal_width"] = np.nan
    frame.to_csv(iris, index=False)
    argv = ("train", spec, iris, "--target", "species", "--out", tmp_path / "m.npz")
    assert modnet(*argv).status == 0  # the plan for columns takes them
    changed(spec, inputs=None)
    done = modnet(*argv)
    assert done.status == 1
    assert "values are missing in 'petal_width' (5 of 150 rows)" in done.err


@pytest.mark.parametrize(
    ("argv", "status", "found"),
    [
        (["--target", "specis"], 1, "no column 'specis'; did you mean 'species'?"),
        (["--target", "species", "--without", "petal"], 1, "no column 'petal'"),
        (["--target", "species", "--held-out", "1"], 2, "should be a number in [0, 1)"),
        (["--target", "species", "--task", "regression"], 1, "holds no numbers, as regression needs them"),
        (["--target", "species", "--picture", "curve.doc"], 1, "the name of a picture ends in .png, .svg, .pdf"),
        (["--target", "species", "--picture", "no/curve.png"], 1, "lies in no directory"),
        (["--target", "species", "--out", "no/model.npz"], 1, "lies in no directory"),
        (["--target", "species", "--out", "."], 1, "is a directory"),
    ],
)
def test_what_cannot_be_done_is_said_before_training(
    modnet: Any, spec: Path, iris: Path, tmp_path: Path, argv: list[str], status: int, found: str
):
    done = modnet("train", spec, iris, "--out", tmp_path / "model.npz", *argv)
    assert done.status == status
    assert found in done.err
    assert "epoch" not in done.err
    assert not (tmp_path / "model.npz").exists()


def test_a_picture_needs_matplotlib(
    modnet: Any, spec: Path, iris: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("modnet.cli.models.find_spec", lambda name: None)
    argv = ("train", spec, iris, "--target", "species", "--out", tmp_path / "m.npz", "--picture", tmp_path / "c.png")
    done = modnet(*argv)
    assert done.status == 1
    assert "--picture needs matplotlib: python -m pip install matplotlib" in done.err


def test_a_training_that_diverges_is_an_error_and_leaves_no_model(
    modnet: Any, spec: Path, diabetes: Path, tmp_path: Path
):
    changed(spec, layers=[], optimizer={"type": "sgd", "learning_rate": 1e6})
    done = modnet("train", spec, diabetes, "--target", "target", "--out", tmp_path / "model.npz", "--quiet")
    assert done.status == 1
    assert done.err.startswith("modnet: error: ")
    assert not (tmp_path / "model.npz").exists()


# predict


def test_predictions_are_a_line_per_row(modnet: Any, model: Path, iris: Path):
    done = modnet("predict", model, iris)
    assert done.status == 0
    frame = pd.read_csv(iris)
    expected = load(model).predict(frame.drop(columns="species"))
    assert [row["prediction"] for row in rows_of(done.out)] == list(expected)
    assert done.err == "ignored, because the model was not trained on them: species\n"


def test_probabilities_have_a_column_per_class_with_all_their_digits(modnet: Any, model: Path, iris: Path):
    found = rows_of(modnet("predict", model, iris, "--proba").out)
    expected = load(model).predict_proba(pd.read_csv(iris).drop(columns="species"))
    names = [f"probability_{name}" for name in ("setosa", "versicolor", "virginica")]
    assert list(found[0]) == ["prediction", *names]
    np.testing.assert_array_equal([[float(row[name]) for name in names] for row in found], expected)


def test_columns_are_found_by_name_in_any_order(modnet: Any, model: Path, iris: Path, tmp_path: Path):
    frame = pd.read_csv(iris)
    frame[frame.columns[::-1]].to_csv(tmp_path / "turned.csv", index=False)
    assert modnet("predict", model, tmp_path / "turned.csv").out == modnet("predict", model, iris).out


def test_predictions_can_be_written_to_a_file_and_as_json(modnet: Any, model: Path, iris: Path, tmp_path: Path):
    out = tmp_path / "predictions.csv"
    done = modnet("predict", model, iris, "--out", out)
    assert done.out == f"{out}: 150 predictions\n"
    assert out.read_text() == modnet("predict", model, iris).out
    found = modnet("predict", model, iris, "--json", "--proba").json
    assert found["prediction"] == [row["prediction"] for row in rows_of(out.read_text())]
    assert len(found["probability_setosa"]) == 150
    written = modnet("predict", model, iris, "--json", "--out", out).json
    assert written == {"file": str(out), "rows": 150, "columns": ["prediction"]}


def test_a_regressor_gives_numbers_and_no_probabilities(modnet: Any, spec: Path, diabetes: Path, tmp_path: Path):
    path = tmp_path / "model.npz"
    modnet("train", spec, diabetes, "--target", "target", "--out", path, "--quiet")
    expected = load(path).predict(pd.read_csv(diabetes).drop(columns="target"))
    found = rows_of(modnet("predict", path, diabetes).out)
    # Not to the last bit: rows of another order in memory may be added up in another order.
    np.testing.assert_allclose([float(row["prediction"]) for row in found], expected, rtol=1e-13)
    done = modnet("predict", path, diabetes, "--proba")
    assert done.status == 1
    assert "a regressor has no classes" in done.err


def test_a_loss_without_probabilities_says_so(modnet: Any, spec: Path, iris: Path, tmp_path: Path):
    path = tmp_path / "model.npz"
    modnet("train", changed(spec, loss="hinge"), iris, "--target", "species", "--out", path, "--quiet")
    done = modnet("predict", path, iris, "--proba")
    assert done.status == 1
    assert "there are no probabilities with loss=Hinge(" in done.err


def test_what_does_not_fit_the_model_is_said(modnet: Any, model: Path, iris: Path, diabetes: Path, tmp_path: Path):
    assert "no columns 'sepal_length', 'sepal_width', 'petal_length', 'petal_width'" in (
        modnet("predict", model, diabetes).err
    )
    frame = pd.read_csv(iris).assign(petal_width="broad")
    frame.to_csv(iris, index=False)
    assert (
        "column 'petal_width' was numbers in training, and is text here, as 'broad' in row 1 (line 2)"
        in modnet("predict", model, iris).err
    )
    assert "no model file, or not the whole of one" in modnet("predict", iris, iris).err
    assert modnet("predict", tmp_path / "no.npz", iris).status == 1


def test_models_saved_in_python_predict_as_well(modnet: Any, iris: Path, tmp_path: Path):
    X, names = pd.read_csv(iris).drop(columns="species"), pd.read_csv(iris).species
    X.to_csv(tmp_path / "X.csv", index=False)
    columns = np.stack([names, np.where(names == "setosa", "yes", "no")], axis=1)
    estimator = ModNetClassifier((4,), tol=10, n_iter_no_change=1, random_state=0).fit(X.to_numpy(), columns)
    save(estimator, tmp_path / "model.npz")
    found = rows_of(modnet("predict", tmp_path / "model.npz", tmp_path / "X.csv", "--proba").out)
    assert list(found[0])[:3] == ["prediction_0", "prediction_1", "probability_0_setosa"]
    assert "on 4 columns without names, and here are 5" in modnet("predict", tmp_path / "model.npz", iris).err


def test_a_transformer_predicts_nothing(modnet: Any, iris: Path, tmp_path: Path):
    X = pd.read_csv(iris).drop(columns="species")
    save(ModNetTransformer((4,), "tanh", inputs="standardize", random_state=0).fit(X), tmp_path / "model.npz")
    done = modnet("predict", tmp_path / "model.npz", iris)
    assert done.status == 1
    assert "makes features and predicts nothing" in done.err


@pytest.mark.slow
def test_it_all_works_from_a_shell(spec: Path, iris: Path, tmp_path: Path):
    command = [sys.executable, "-m", "modnet"]
    settings: Any = {"capture_output": True, "text": True, "cwd": tmp_path, "check": True, "timeout": 120}
    subprocess.run([*command, "train", spec, iris, "--target", "species", "--out", "model.npz"], **settings)
    done = subprocess.run([*command, "predict", "model.npz", iris], **settings)
    assert done.stdout.startswith("prediction\nsetosa\n")
    assert len(done.stdout.splitlines()) == 151


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_there_is_a_progress_bar(spec: Path, iris: Path, tmp_path: Path):
    pytest.importorskip("rich")
    import pty  # not on Windows

    main, side = pty.openpty()
    argv = [sys.executable, "-m", "modnet", "train", spec, iris, "--target", "species", "--out", "model.npz"]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=side, stderr=side) as process:
        os.close(side)
        shown = b""
        try:
            while part := os.read(main, 4096):
                shown += part
        except OSError:  # how Linux says that the other side has closed
            pass
    os.close(main)
    assert process.returncode == 0
    assert "ModNetClassifier - fit" in shown.decode()
    assert "100%" in shown.decode()
    assert "accuracy" in shown.decode()
