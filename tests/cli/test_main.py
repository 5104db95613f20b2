"""The command as a whole: what it lists, what it imports, and what becomes of errors."""

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from support.distributions import run_python

from modnet.cli import COMMANDS


def real(*argv: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Run it as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "modnet", *argv], capture_output=True, text=True, timeout=600, check=False, **settings
    )


def test_help_lists_every_command_with_what_it_does(modnet: Any):
    done = modnet("--help")
    assert done.status == 0
    for name, (_, line) in COMMANDS.items():
        assert name in done.out
        assert line.split()[0] in done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_is_the_docstring_of_its_function(name: str, modnet: Any):
    module, line = COMMANDS[name]
    docstring = inspect.getdoc(getattr(import_module(f"modnet.cli.{module}"), name.replace("-", "_")))
    assert docstring is not None
    assert docstring.splitlines()[0] == line
    done = modnet(name, "--help")
    assert done.status == 0
    assert f"usage: modnet {name}" in done.out
    assert "--json" in done.out


def test_the_usage_is_shown_where_it_is_wrong(modnet: Any):
    for argv in ([], ["trian"], ["describe"], ["components", "layers"], ["train", "spec.json", "data.csv"]):
        done = modnet(*argv)
        assert done.status == 2
        assert done.err.startswith("usage: modnet")
        assert done.out == ""


def test_an_error_is_one_line_and_no_traceback(modnet: Any, tmp_path: Path):
    done = modnet("validate", tmp_path / "no.json")
    assert done.status == 1
    assert done.err.startswith("modnet: error: ")
    assert "no.json" in done.err
    assert "Traceback" not in done.err
    assert "Traceback" in modnet("validate", tmp_path / "no.json", "--traceback").err


def test_a_bug_says_how_to_see_where_it_is(modnet: Any, monkeypatch: pytest.MonkeyPatch, spec: Path):
    monkeypatch.setattr("modnet.cli.specs.summarize", lambda network, _: network.no_such_attribute)
    done = modnet("summary", spec, "--features", 4, "--outputs", 1)
    assert done.status == 1
    assert "modnet: error: AttributeError: 'Network' object has no attribute" in done.err
    assert "(--traceback shows where)" in done.err


def test_a_user_who_has_seen_enough_is_no_error(modnet: Any, monkeypatch: pytest.MonkeyPatch, spec: Path):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("modnet.cli.specs.summarize", interrupt)
    assert modnet("summary", spec, "--features", 4, "--outputs", 1).status == 130


@pytest.mark.filterwarnings("always")
def test_a_warning_is_one_line_too(modnet: Any, tmp_path: Path):
    (tmp_path / "spec.json").write_text('{"requires": {"numpy": "999"}}')
    done = modnet("validate", tmp_path / "spec.json")
    assert done.status == 0
    assert done.err.startswith("modnet: warning: the spec was written with numpy 999")
    assert done.err.count("\n") == 1


def test_python_dash_m_and_the_script_are_the_same():
    done = real("--version")
    assert done.stdout.startswith("modnet-layers ")
    script = Path(sys.executable).parent / "modnet"
    assert subprocess.run([script, "--version"], capture_output=True, text=True, check=True).stdout == done.stdout


def test_a_reader_who_leaves_early_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m modnet schema | head -n 1", shell=True, capture_output=True, text=True, check=True
    )
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_a_terminal_without_the_signs_shows_question_marks():
    done = real("describe", "relu", env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path)})
    assert done.returncode == 0
    assert "a = max(z, 0)" in done.stdout


def test_what_only_looks_does_not_import_scikit_learn():
    code = """
import contextlib, io, sys
from modnet.cli import main
for argv in (["--help"], ["--version"], ["components"], ["components", "--names"], ["schema"], ["describe", "dense"]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main(argv)
    assert "sklearn" not in sys.modules, argv
"""
    run_python(code)


def test_a_command_is_imported_only_when_it_is_asked_for():
    code = """
import contextlib, io, sys
import modnet
before = "modnet.cli" in sys.modules
from modnet.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["--help"])
print(before, sorted(name for name in sys.modules if name.startswith("modnet.cli")))
"""
    assert run_python(code) == "False ['modnet.cli', 'modnet.cli.shared']"


def test_importing_modnet_never_touches_the_environment():
    code = """
import os, pkgutil
from importlib import import_module
import sklearn  # which does
before = dict(os.environ)
import modnet, modnet_standard
for package in (modnet, modnet_standard):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
print(dict(os.environ) == before)
"""
    assert run_python(code) == "True"
