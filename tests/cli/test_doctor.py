"""The command ``modnet doctor``: its report, its JSON, its exit status."""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_wine
from support.distributions import Site, run_python

from modnet import ModNetClassifier
from modnet.cli import main
from modnet.estimators.persistence import save

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOUND = {"layers": ["standardize", {"type": "dense", "units": 32, "activation": "relu"}]}
SICK = {"layers": [{"type": "dense", "units": 32, "activation": "relu"}]}


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def wine(tmp_path: Path) -> Path:
    """A table whose columns are not scaled."""
    path = tmp_path / "wine.csv"
    load_wine(as_frame=True).frame.to_csv(path, index=False)
    return path


def written(path: Path, spec: dict[str, Any]) -> Path:
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


# The machine


def test_the_report_has_a_section_for_each_part(capsys: pytest.CaptureFixture[str]):
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert [line for line in report.splitlines() if line and not line.startswith(" ")] == [
        "Versions",
        "BLAS",
        "Threads",
        "Plugins",
    ]
    assert "  modnet-layers  " in report
    assert "  ok       every component can be imported" in report
    assert max(map(len, report.splitlines())) <= 120


def test_json_has_the_same(capsys: pytest.CaptureFixture[str]):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["versions", "blas", "threads", "plugins", "findings"]
    assert found["versions"]["numpy"]
    assert found["blas"]["measured"] is None
    assert found["threads"]["cores"]["available"] >= 1


def test_a_broken_plugin_is_marked_and_makes_the_status_1(site: Site, capsys: pytest.CaptureFixture[str]):
    points = {"modnet.activations": {"boom": "boom:Boom"}}
    site.install("boom", modules={"boom": "import nowhere_to_be_found"}, entry_points=points)
    assert main(["doctor"]) == 1
    report = capsys.readouterr().out
    assert "  problem  activation 'boom', boom 1.2: boom:Boom fails to import: ModuleNotFoundError" in report
    assert "→ repair, update or uninstall boom" in report
    assert main(["doctor", "--json"]) == 1
    (finding,) = [each for each in json.loads(capsys.readouterr().out)["findings"] if each["severity"] == "problem"]
    assert (finding["section"], finding["check"]) == ("plugins", "broken-plugin")


def test_it_is_done_in_seconds_and_leaves_scikit_learn_alone():
    code = """
import sys, time
from modnet.cli import main
main(["doctor"])
assert "sklearn" not in sys.modules
print(time.process_time())
"""
    assert float(run_python(code).splitlines()[-1]) < 3


@pytest.mark.slow
def test_measured_kernels_stand_in_a_table(capsys: pytest.CaptureFixture[str]):
    assert main(["doctor", "--measure"]) == 0
    report = capsys.readouterr().out
    assert "in use" in report
    assert "GFLOP/s" in report


@pytest.mark.skipif(not os.path.exists("/proc/cpuinfo"), reason="what the CPU has is not known here")
def test_an_old_kernel_is_noted_with_the_remedy(capsys: pytest.CaptureFixture[str]):
    code = 'from modnet.cli import main; main(["doctor", "--json"])'
    blas = json.loads(run_python(code, OPENBLAS_CORETYPE="Nehalem"))
    if any(library["kernel"] == "Nehalem" for library in blas["blas"]["libraries"]) and blas["blas"]["cpu"]["kernels"]:
        (finding,) = [each for each in blas["findings"] if each["check"] == "blas-kernel"]
        assert "set OPENBLAS_CORETYPE=" in finding["remedy"]


# A network


def test_a_spec_that_learns_has_nothing(wine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    spec = written(tmp_path / "sound.json", SOUND)
    assert main(["doctor", "--spec", str(spec), "--data", str(wine), "--target", "target"]) == 0
    report = capsys.readouterr().out
    assert report.startswith(f"Spec {spec}\n  estimator  ModNetClassifier\n  rows       178\n")
    assert "layers[1].activation (ReLU)" in report
    assert "  ok       nothing ails it" in report


def test_a_model_and_a_spec_are_examined_on_the_same_data(
    wine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    frame = pd.read_csv(wine)
    X, y = frame.drop(columns=["target", "ash"]), frame["target"]
    model = ModNetClassifier((32,), max_iter=20, random_state=0).fit(X, y)
    save(model, tmp_path / "wine.npz")
    spec = written(tmp_path / "sound.json", SOUND)
    arguments = ["doctor", "--model", str(tmp_path / "wine.npz"), "--spec", str(spec), "--data", str(wine)]
    assert main([*arguments, "--target", "target", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["model", "spec", "findings"]
    assert found["model"]["fitted"]
    assert not found["spec"]["fitted"]
    assert [layer["path"] for layer in found["model"]["layers"]] == ["layers[0]", "layers[0].activation", "output"]
    assert {finding["section"] for finding in found["findings"]} == {"model"}
    assert found["findings"][0]["check"] == "scale-spread"
    assert "proline" in found["findings"][0]["found"]


def test_remedies_that_findings_share_are_given_once(wine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    spec = written(tmp_path / "sick.json", SICK)
    assert main(["doctor", "--spec", str(spec), "--data", str(wine), "--target", "target"]) == 1
    report = capsys.readouterr().out
    assert "  problem  X: standard deviations differ" in report
    assert "  note     X: 1 column far from zero" in report
    assert report.count("put StandardScaler in front") == 1


def test_columns_can_be_left_out_and_the_task_be_named(wine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    spec = written(tmp_path / "sound.json", SOUND)
    arguments = ["doctor", "--spec", str(spec), "--data", str(wine), "--target", "target", "--json"]
    assert main([*arguments, "--without", "ash", "--task", "regression"]) == 0
    (first, *_) = json.loads(capsys.readouterr().out)["spec"]["layers"]
    assert first["path"] == "layers[0]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--spec", "spec.json"], "a network needs --data DATA and --target COL"),
        (["--data", "data.csv"], "data needs --model MODEL or --spec SPEC"),
        (["--spec", "spec.json", "--data", "nowhere.csv", "--target", "y"], "No such file"),
    ],
)
def test_what_is_missing_is_named(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    assert main(["doctor", *arguments]) == 1
    assert message in capsys.readouterr().err
