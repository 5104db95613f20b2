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
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


GIVEN = ("--license", "mit", "--url", "https://example.org/?a=1", "--url", "Issue tracker=http://example.org?b=2")
"""What is not about the kind."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plugin of each kind."""
    folder = tmp_path_factory.mktemp("written")
    for kind in KINDS:
        command = ["new-plugin", f"soft-{kind}", "--kind", kind, "--directory", str(folder), *GIVEN]
        assert main([*command, "--distribution", f"Acme.soft-{kind}"]) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_it_installs_and_its_tests_and_the_lines_in_its_readme_pass(written: Path, kind: str, tmp_path: Path):
    root, site = written / f"Acme.soft-{kind}", tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, root, cwd=tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    said = run(*command, cwd=root, PYTHONPATH=str(site))
    assert "passed" in said
    assert "skipped" not in said or kind == "estimator"  # scikit-learn's check of other array libraries, unless asked


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


def test_the_distribution_has_the_name_the_licence_and_the_addresses_that_are_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["new-plugin", "soft-step", "--distribution", "Acme.Layers", "--directory", str(tmp_path), *GIVEN]) == 0
    root = tmp_path / "Acme.Layers"
    assert {"acme_layers/soft_step.py", "acme_layers/__init__.py"} <= files(root)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["name"], project["license"]) == ("Acme.Layers", "MIT")
    assert project["urls"] == {"Homepage": "https://example.org/?a=1", "Issue tracker": "http://example.org?b=2"}
    assert project["entry-points"] == {"modnet.layers": {"soft_step": "acme_layers.soft_step:SoftStep"}}
    assert "Typing :: Typed" in project["classifiers"]
    assert f"The text of MIT belongs into {root / 'LICENSE'}" in capsys.readouterr().out


def test_nobody_is_given_a_licence_or_an_address_that_was_not_asked_for(tmp_path: Path):
    assert main(["new-plugin", "soft-step", "--directory", str(tmp_path)]) == 0
    text = (tmp_path / "modnet-soft-step" / "pyproject.toml").read_text(encoding="utf-8")
    assert not {"license", "urls"} & set(tomllib.loads(text)["project"])


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--license", "BSD", "of https://spdx.org/licenses, such as MIT, BSD-3-Clause"),
        ("--license", "Apache 2.0", "got 'Apache 2.0'"),
        ("--url", "example.org", "an address such as https://example.org/acme"),
        ("--url", "Source=ftp://example.org", "got 'Source=ftp://example.org'"),
        ("--url", "=https://example.org", "got '=https://example.org'"),
        ("--url", f"{'a' * 33}=https://example.org", "a label of at most 32 characters"),
        ("--url", "https://exam ple.org", "an address such as"),
        ("--distribution", "3d-layers", "begin with a letter"),
        ("--distribution", "../acme", "begin with a letter"),
        ("--distribution", "acme-", "end with a letter or digit"),
        ("--kind", "metric", "invalid choice: 'metric'"),
    ],
)
def test_what_cannot_stand_in_a_distribution_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, words: str
):
    with pytest.raises(SystemExit):
        main(["new-plugin", "soft-step", "--directory", str(tmp_path), f"{option}={value}"])
    said = capsys.readouterr().err
    assert f"argument {option}: " in said
    assert words in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--distribution", "Modnet_Layers"], "the distribution Modnet_Layers is installed already"),
        (["--distribution", "json"], "there is a package json already"),
        (["--distribution", "class"], "class is a word of Python's"),
        (["--url", "https://example.org", "--url", "https://example.com"], "two addresses have one label, Homepage"),
    ],
)
def test_what_is_there_already_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
):
    assert main(["new-plugin", "soft-step", "--directory", str(tmp_path), *arguments]) == 1
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_name_of_an_estimator_is_taken_for_estimators_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["new-plugin", "regressor", "--kind", "estimator", "--directory", str(tmp_path)]) == 1
    assert "estimator 'regressor' from modnet-layers" in capsys.readouterr().err


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
