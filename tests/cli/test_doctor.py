"""The command ``modnet doctor``: its report, its JSON, its exit status."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_wine
from support.distributions import Site, run_python

from modnet import ModNetClassifier
from modnet.cli import main
from modnet.diagnosis.plugins import accelerators
from modnet.entries import DISABLE
from modnet.estimators.persistence import save

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOUND = {"inputs": None, "layers": ["standardize", {"type": "dense", "units": 32, "activation": "relu"}]}
SICK = {"inputs": None, "layers": [{"type": "dense", "units": 32, "activation": "relu"}]}


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
        "Estimators",
        "Accelerators",
    ]
    assert "  modnet-layers  " in report
    assert "  ok       every component can be imported" in report
    assert max(map(len, report.splitlines())) <= 120


def test_json_has_the_same(capsys: pytest.CaptureFixture[str]):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["versions", "blas", "threads", "plugins", "estimators", "accelerators", "findings"]
    assert found["versions"]["numpy"]
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
    # Of estimators that other distributions offer it says whether they can be imported, which imports scikit-learn.
    assert float(run_python(code, MODNET_DISABLE_PLUGINS="1").splitlines()[-1]) < 3


def test_the_kernel_of_blas_is_one_line(capsys: pytest.CaptureFixture[str]):
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    (line,) = " ".join(report.partition("BLAS\n")[2].partition("\n\n")[0].split()).splitlines()
    assert line.startswith("NumPy ")
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["blas"]
    assert found["kernel"] is None or f"kernel {found['kernel']}" in line
    assert found["wider_kernel"] is None or f"OPENBLAS_CORETYPE={found['wider_kernel']}" in line


ACCELERATORS = """
from pathlib import Path
from modnet import Accelerator, Fused
from modnet.activations import Tanh

class Compiling(Accelerator):
    seconds = 0.0

    def fuse(self, modules):
        return Fused(Tanh()) if isinstance(modules[0], Tanh) else None

    def warm_up(self, dtype="float32"):
        if dtype == "float64":
            raise RuntimeError("no compiler found")
        Compiling.spent = 2.5
        return 3.0

    def compile_seconds(self):
        return getattr(Compiling, "spent", 0.0)

class Idle(Accelerator):
    pass
"""


@pytest.fixture
def _accelerated(site: Site) -> None:
    """Two accelerators by names that come before those of others."""
    points = {"modnet.accelerators": {"a_compiling": "a_accelerators:Compiling", "a_idle": "a_accelerators:Idle"}}
    site.install("a-accelerators", modules={"a_accelerators": ACCELERATORS}, entry_points=points)


@pytest.mark.usefixtures("_accelerated")
def test_the_accelerator_that_auto_takes_is_named(capsys: pytest.CaptureFixture[str]):
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert '  a_compiling  a-accelerators 1.2, what accelerator="auto" takes\n' in report
    assert "  a_idle       a-accelerators 1.2\n" in report
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["accelerators"]
    assert [each["auto"] for each in found] == [True, *[False] * (len(found) - 1)]


@pytest.mark.usefixtures("_accelerated")
def test_compiling_ahead_is_told_by_accelerator_and_dtype(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    every = accelerators()
    monkeypatch.setattr("modnet.cli.doctor.accelerators", lambda: every[:2])  # others would compile for a minute
    assert main(["doctor", "--warm-up"]) == 1
    report, progress = capsys.readouterr()
    assert report.partition("Accelerators\n")[2].splitlines() == [
        '  a_compiling  a-accelerators 1.2, what accelerator="auto" takes',
        "    fused      0 layers, 1 activation, 0 losses, 0 optimizers",
        "    float32    ready after 3.0 s, 2.5 s of it compiling",
        "    float64    failed",
        "  a_idle       a-accelerators 1.2",
        "    fused      0 layers, 0 activations, 0 losses, 0 optimizers",
        "    float32    compiles nothing",
        "    float64    compiles nothing",
        "  problem  a_compiling, a-accelerators 1.2: compiling for float64 fails: RuntimeError: no compiler found",
        '           → repair, update or uninstall it, or fit with accelerator=None; "auto" takes it otherwise',
    ]
    assert progress.splitlines()[0] == "compiling ahead with a_compiling for float32 …"
    assert main(["doctor", "--warm-up", "--json"]) == 1
    first, idle = json.loads(capsys.readouterr().out)["accelerators"]
    assert first["fused"]["activation"] == ["tanh"]
    assert first["warm_up"]["float32"] == {"seconds": 3.0, "compile_seconds": 0.0}  # what is compiled stays so
    assert idle["warm_up"]["float64"]["seconds"] is None


def test_where_nothing_is_installed_that_compiles_it_says_so(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(DISABLE, "1")
    site.refresh()
    assert main(["doctor", "--warm-up"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Accelerators",
        "  auto  none is installed: every layer runs in NumPy, and there is nothing to compile",
    ]


@pytest.mark.slow
def test_after_a_warm_up_a_fit_compiles_nothing(tmp_path: Path):
    pytest.importorskip("modnet_numba")
    environment = {"NUMBA_CACHE_DIR": str(tmp_path)}
    warm_up = 'from modnet.cli import main; main(["doctor", "--warm-up", "--json"])'
    found = json.loads(run_python(warm_up, **environment))["accelerators"]
    (times,) = (each["warm_up"] for each in found if each["name"] == "numba")
    assert all(times[dtype]["compile_seconds"] > 1 for dtype in ("float32", "float64"))
    fits = """
import warnings
import numpy as np
from modnet import ModNetClassifier, ModNetRegressor
from modnet_numba import Numba
warnings.simplefilter("ignore")
for dtype in ("f4", "f8"):
    X = np.random.default_rng(0).normal(size=(100, 5)).astype(dtype)
    for model in (ModNetClassifier((8, "dropout", 8), "tanh", max_iter=300), ModNetRegressor((8, "batch_norm"))):
        model.set_params(accelerator="numba", batch_size=32).fit(X, np.arange(100) % 3).predict(X)
print(Numba().compile_seconds())
"""
    assert float(run_python(fits, **environment)) == 0


# A network


def test_a_spec_that_learns_has_nothing(wine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    spec = written(tmp_path / "sound.json", SOUND)
    assert main(["doctor", "--spec", str(spec), "--data", str(wine), "--target", "target"]) == 0
    report = capsys.readouterr().out
    assert report.startswith(f"Spec {spec}\n  estimator  ModNetClassifier\n  rows       178\n")
    assert "layers[1].activation (ReLU)" in report
    assert "  ok       nothing found that keeps it from learning" in report


def test_a_model_and_a_spec_are_examined_on_the_same_data(
    wine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    frame = pd.read_csv(wine)
    X, y = frame.drop(columns=["target", "ash"]), frame["target"]
    model = ModNetClassifier((32,), inputs=None, max_iter=20, random_state=0).fit(X, y)
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
        (
            ["--warm-up", "--spec", "s", "--data", "d", "--target", "y"],
            "--warm-up is about the machine: run it without",
        ),
        (["--data", "data.csv"], "data needs --model MODEL or --spec SPEC"),
        (["--spec", "spec.json", "--data", "nowhere.csv", "--target", "y"], "No such file"),
    ],
)
def test_what_is_missing_is_named(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    assert main(["doctor", *arguments]) == 1
    assert message in capsys.readouterr().err
