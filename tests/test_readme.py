"""The README: its Python runs as printed, and its commands are those that CI runs and files that are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
AFTERWARDS = """
model = ModNetClassifier(layers=("log_scale", 64), max_iter=20).fit(X / 16, y)
assert model.score(X / 16, y) > 0.8, model.score(X / 16, y)
assert MLPClassifier.__module__ == "modnet.neural_network"
"""


def test_the_python_runs_as_printed(tmp_path: Path):
    code = "\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL)) + AFTERWARDS
    command = [sys.executable, "-W", "ignore:training stopped at max_iter", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) > 0.93


def test_ci_runs_the_test_command_that_is_printed():
    (command,) = re.findall(r"^    (.*pytest)$", README, re.MULTILINE)
    assert command.startswith("python3 -m venv .venv && ")
    assert "grep -m1 'pytest$' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([\w./-]+)\)", README))))
def test_what_is_linked_is_there(path: str):
    assert (ROOT / path).exists()


def test_every_example_is_in_the_table():
    assert {f"examples/{file.name}" for file in (ROOT / "examples").glob("*.py")} <= set(
        re.findall(r"\]\(([\w./-]+)\)", README)
    )
