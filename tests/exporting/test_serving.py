"""The examples that predict with onnxruntime alone, in Python and in JavaScript, and the command."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.onnx_table import BEGIN, END, README, table

from modnet import ModNetRegressor, save
from modnet.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"


def served(folder: Path) -> str:
    """What the example prints."""
    command = [sys.executable, "-W", "error::UserWarning", EXAMPLES / "serve_onnx.py", folder]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_python_predicts_the_same_with_onnxruntime_alone(tmp_path: Path):
    assert "the same predictions of 50 rows" in served(tmp_path)
    imports = (EXAMPLES / "predict_onnx.py").read_text(encoding="utf-8")
    assert "import modnet" not in imports
    assert "sklearn" not in imports


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no node")
def test_javascript_predicts_the_same(tmp_path: Path):
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "onnxruntime-node"]
    subprocess.run(install, cwd=tmp_path, check=True, capture_output=True, timeout=600)
    assert "onnxruntime, JavaScript" in served(tmp_path)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_command_writes_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    X = np.random.default_rng(0).normal(size=(40, 3))
    save(ModNetRegressor(max_iter=2).fit(X, X[:, 0]), tmp_path / "model.npz")
    assert main(["export", str(tmp_path / "model.npz"), "--onnx", str(tmp_path / "model.onnx")]) == 0
    assert (tmp_path / "model.onnx").stat().st_size > 1000
    assert "inputs: X\noutputs: prediction" in capsys.readouterr().out


def test_the_table_of_what_is_exported_is_that_of_the_registry():
    text = README.read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == table()
