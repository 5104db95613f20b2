"""``modnet new-plugin``: what it writes is a whole plugin whose tests pass as they are, for every kind."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from modnet.cli import main
from modnet.cli.new_plugin import KINDS, files_of, names_of
from modnet.registry import estimators, registry


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def run(*command: object, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plugin of each kind."""
    folder = tmp_path_factory.mktemp("written")
    for kind in KINDS:
        assert main(["new-plugin", f"soft-{kind}", "--kind", kind, *GIVEN, f"Acme.soft-{kind}", "--directory", str(folder)]) == 0
    return folder


GIVEN = ("--license", "MIT", "--url", "https://example.org/acme?a=1", "--url", "Issue tracker=http://example.org")
GIVEN += ("--distribution",)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_it_installs_and_its_tests_and_the_lines_in_its_readme_pass(written: Path, kind: str, tmp_path: Path):
    root, site = written / f"Acme.soft-{kind}", tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, root, cwd=tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    said = run(*command, cwd=root, PYTHONPATH=str(site))
    assert "passed" in said
    assert "skipped" not in said


@pytest.mark.slow
def test_type_checkers_find_nothing_in_what_it_writes(written: Path):
    pytest.importorskip("mypy")
    packages = [f"Acme.soft-{kind}/acme_soft_{kind}" for kind in KINDS]
    run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull, *packages, cwd=written)


def test_it_is_a_complete_distribution(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["new-plugin", "soft-step", "--kind", "activation", "--directory", str(tmp_path)]) == 0
    root = tmp_path / "modnet-soft-step"
    assert files(root) == {
        "pyproject.toml",
        "README.md",
        "modnet_soft_step/__init__.py",
        "modnet_soft_step/soft_step.py",
        "modnet_soft_step/py.typed",
        "tests/test_soft_step.py",
    }
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"] == {"modnet.activations": {"soft_step": "modnet_soft_step.soft_step:SoftStep"}}
    assert not any("$" in path.read_text(encoding="utf-8") for path in root.rglob("*.*") if path.is_file())
    said = capsys.readouterr().out
    assert f'pip install -e "{root}[test]"' in said
    assert f"python -m pytest {root}" in said


def test_what_it_writes_is_formatted_and_typed_as_modnet_is(tmp_path: Path):
    ruff = pytest.importorskip("ruff").find_ruff_bin()
    for kind in KINDS:
        for path, text in files_of(names_of("soft-step", kind)).items():
            (tmp_path / kind / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / kind / path).write_text(text, encoding="utf-8")
    settings = Path(__file__).parents[2] / "pyproject.toml"
    source = f"src = {[str(tmp_path / kind) for kind in KINDS]}"
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *command, "--no-cache", "--config", settings, "--config", source, "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_machines_are_told_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["new-plugin", "soft-step", "--directory", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert Path(told["directory"]) == tmp_path / "modnet-soft-step"
    assert (told["distribution"], told["name"], told["kind"]) == ("modnet-soft-step", "soft_step", "layer")


@pytest.mark.parametrize("name", ["Soft-Step", "soft_step", "1step", "soft--step", "-soft", ""])
def test_a_name_that_is_no_name_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["new-plugin", "--directory", str(tmp_path), "--", name])
    assert "lower-case words with hyphens, such as soft-step" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_modnet_in_front_of_the_name_is_not_said_twice(tmp_path: Path):
    assert main(["new-plugin", "modnet-soft-step", "--directory", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["modnet-soft-step"]


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "modnet-soft-step").mkdir()
    assert main(["new-plugin", "soft-step", "--directory", str(tmp_path)]) == 1
    assert "is there already: choose another name" in capsys.readouterr().err
    assert not files(tmp_path)


def test_a_name_that_is_taken_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["new-plugin", "relu", "--kind", "activation", "--directory", str(tmp_path)]) == 1
    assert "activation 'relu' from modnet-layers" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_there_is_a_template_for_every_kind():
    offered = {entry.kind for each in (registry, estimators) for entry in each.entries() if entry.standard}
    assert set(KINDS) == offered | {"accelerator"}
