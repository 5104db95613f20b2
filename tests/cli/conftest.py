"""The command as tests run it: in this process, with files of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_diabetes, load_iris

from modnet.cli import main


@dataclass(frozen=True)
class Done:
    """What a command has left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Done]


@pytest.fixture
def modnet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command with these arguments."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*argv: object) -> Done:
        capsys.readouterr()
        try:
            status = main([str(arg) for arg in argv])
        except SystemExit as end:  # argparse
            status = int(end.code or 0)
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A small network."""
    path = tmp_path / "spec.json"
    fields = {
        "layers": ["standardize", {"type": "dense", "units": 8, "activation": "tanh"}],
        "optimizer": {"type": "adam", "learning_rate": 0.02},
        "training": {"max_iter": 30, "batch_size": 32},
    }
    path.write_text(json.dumps(fields))
    return path


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    """Flowers, their species as text."""
    bunch = load_iris(as_frame=True)
    frame = bunch.data.rename(columns=lambda name: name.removesuffix(" (cm)").replace(" ", "_"))
    frame["species"] = bunch.target_names[bunch.target]
    frame.to_csv(tmp_path / "iris.csv", index=False)
    return tmp_path / "iris.csv"


@pytest.fixture
def diabetes(tmp_path: Path) -> Path:
    """Patients, and a number that says how they fare."""
    load_diabetes(as_frame=True).frame.to_csv(tmp_path / "diabetes.csv", index=False)
    return tmp_path / "diabetes.csv"
