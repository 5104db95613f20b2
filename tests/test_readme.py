"""The README and the page on plugins: their Python runs as printed, their tables tell the truth, and links lead on."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from textwrap import indent

import numpy as np
import pytest
from sklearn.datasets import load_digits
from support.catalogue import BEGIN, END, catalogue

import modnet
from modnet.testing import CheckFailed, check_module

ROOT = Path(__file__).parents[1]
PLUGINS = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
AFTERWARDS = """
model = ModNetClassifier(layers=("log_scale", 64), max_iter=20).fit(X / 16, y)
assert model.score(X / 16, y) > 0.8, model.score(X / 16, y)
assert MLPClassifier.__module__ == "modnet.neural_network"
print(t)
"""


@pytest.mark.slow
def test_the_python_runs_as_printed(tmp_path: Path):
    with_onnx = "( onnx)?" if find_spec("onnx") else ""  # the block that needs it runs where it is installed
    blocks = re.finditer(rf"```python{with_onnx}\n(.*?)```", README, re.DOTALL)
    code = "\n".join(block.groups()[-1] for block in blocks) + AFTERWARDS
    command = [sys.executable, "-W", "ignore:training stopped at max_iter", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    score, covered, search, *traced = done.stdout.splitlines(keepends=True)
    assert indent(score + covered, "    ") in README
    assert 0.75 <= float(covered.partition("%")[0]) / 100 <= 0.85
    assert float(search.split()[-1]) > 0.93
    assert indent("".join(traced), "    ") in README


class Bias(modnet.layers.Bias):
    """y = x + b, with a mistake."""

    def grad_params(self, ctx, dy):
        np.mean(dy, axis=tuple(range(dy.ndim - 1)), out=ctx.g.b[0])


def test_the_failure_that_is_printed_is_what_a_broken_layer_is_told():
    with pytest.raises(CheckFailed) as failed:
        check_module(Bias())
    assert indent(str(failed.value), "    ") in README


def test_the_table_of_a_trace_is_what_the_code_prints():
    (printed,) = re.findall(r"^    (J = .*?)\n\n`", README, re.DOTALL | re.MULTILINE)
    X, y = load_digits(return_X_y=True)
    textbook = modnet.ModNetClassifier((32,), "tanh", inputs=None, loss="cross_entropy", random_state=0)
    t = modnet.trace(textbook, X[:100] / 16, y[:100])
    assert str(t) == printed.replace("\n    ", "\n")


def test_ci_runs_the_test_command_that_is_printed():
    (command,) = re.findall(r"^    (.*pytest)$", README, re.MULTILINE)
    assert command.startswith("python3 -m venv .venv && ")
    assert "grep -m1 'pytest$' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([\w./-]+)\)", README))))
def test_what_is_linked_is_there(path: str):
    assert (ROOT / path).exists()


def test_every_example_is_in_the_table():
    assert {f"examples/{file.name}" for file in (ROOT / "examples").glob("*.py") if file.stem != "conf"} <= set(
        re.findall(r"\]\(([\w./-]+)\)", README)
    )


def test_the_catalogue_is_that_of_the_docstrings():
    shown = README.partition(BEGIN)[2].partition(END)[0].strip()
    assert shown == catalogue(), "python tests/support/catalogue.py writes it anew"


USED = """

def test_the_estimator_is_saved_and_loaded(tmp_path):
    import modnet
    modnet.register(Patient)
    X, y = np.linspace(-1, 1, 40).reshape(20, 2), np.linspace(0, 1, 20)
    model = Patient(max_iter=500, margin=0.2, random_state=0).fit(X, y)
    modnet.save(model, tmp_path / "model.npz")
    again = modnet.load(tmp_path / "model.npz")
    assert (again.margin, again.range_) == (0.2, model.range_)
    assert (again.predict(X) == model.predict(X)).all()
"""


@pytest.mark.slow
def test_the_components_on_the_page_on_plugins_keep_the_contract(tmp_path: Path):
    code = "\n".join(re.findall(r"```python\n(.*?)```", PLUGINS, re.DOTALL))
    others = "[*Power.examples(), InPlaceReLU(), Rectified()]"
    more = f"\n\n@parametrize_with_checks({others})\ndef test_others(check):\n    check()\n{USED}"
    (tmp_path / "test_page.py").write_text(code + more, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([\w./-]+)\)", PLUGINS))))
def test_what_the_page_on_plugins_links_is_there(path: str):
    assert (ROOT / "plugins" / path).exists()
