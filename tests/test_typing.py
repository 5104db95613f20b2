"""What type checkers make of modnet: a user's script and a plugin author's are clean, and what is wrong is found."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import author_script, user_script

pytestmark = pytest.mark.slow
SCRIPTS = [str(script.__file__) for script in (user_script, author_script)]
CHECKERS = {
    "mypy": ["--strict", "--python-executable", sys.executable],
    "pyright": ["--pythonpath", sys.executable],
}

HEAD = [
    "from modnet import ModNetClassifier",
    "from modnet.activations import ReLU",
    "from modnet.layers import Columns, Dense, Parallel",
    "from modnet.optimizers import Adam",
]
WRONG = [
    'Dense("64")',
    "Dense(64, activation=3)",
    "Dense(64, activation=Adam())",
    "Dense(64, aktivation=ReLU())",
    "Parallel(3)",
    "Parallel([3.5])",
    "Columns([0.5])",
    "Adam(schedule=ReLU())",
    "ModNetClassifier(layers=3.5)",
    "ModNetClassifier(optimizer=ReLU())",
    "Dense(64).activation.f",
]
"""Lines that a checker refuses."""


def checked(checker: str, folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """Run a type checker on files, from a folder where no settings are found."""
    if importlib.util.find_spec(checker) is None or (checker == "pyright" and shutil.which("node") is None):
        pytest.skip(f"{checker} is not installed")
    command = [sys.executable, "-m", checker, *CHECKERS[checker], *files]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("checker", CHECKERS)
def test_scripts_of_users_and_authors_are_clean_and_what_does_not_fit_is_found(checker: str, tmp_path: Path):
    copies = [str(shutil.copy(script, tmp_path)) for script in SCRIPTS]
    (tmp_path / "wrong.py").write_text("\n".join([*HEAD, *WRONG, ""]))
    done = checked(checker, tmp_path, *copies, "wrong.py")  # in one run: most of its time goes into modnet itself
    found = [line for line in done.stdout.splitlines() if "error:" in line]
    assert [line for line in found if "wrong.py" not in line] == []
    missed = [
        line for number, line in enumerate(WRONG, start=len(HEAD) + 1) if f"wrong.py:{number}:" not in done.stdout
    ]
    assert missed == []


def test_the_scripts_run_too(tmp_path: Path):
    assert user_script.NETWORK.output_shape == (8,)
    assert [type(each).__name__ for each in author_script.MADE] == ["Gate", "Narrow", "Gate", "Gate", "Gate"]
    done = subprocess.run([sys.executable, SCRIPTS[0]], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "True 4 3 1\n"
