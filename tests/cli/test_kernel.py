"""The BLAS kernel of ``modnet train``: when it is changed, when it is not, and that nothing else changes it.

What `OPENBLAS_CORETYPE` is in the environment of the tests stays as it is: a machine may need it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.distributions import run_python

from modnet.cli.kernel import REPLACED, Choice, choice, improvement
from modnet.diagnosis.blas import CORETYPE, Cpu, Library, cpu, loaded, of_numpy

AVX2 = Cpu("narrow", frozenset({"avx2", "fma"}))
AVX512 = Cpu("wide", AVX2.flags | {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"})


def openblas(kernel: str | None) -> list[Library]:
    return [Library("numpy", "openblas", "0.3.31", kernel, 2), Library("scipy", "openblas", "0.3.30", "Nehalem", 2)]


def own_kernel() -> str:
    """The kernel of this process."""
    library = of_numpy(loaded())
    if library is None or library.name != "openblas" or library.kernel is None:
        pytest.skip("NumPy has no OpenBLAS that says which kernel it uses")
    return library.kernel


@pytest.fixture
def trained(spec: Path, iris: Path, tmp_path: Path) -> Any:
    """Run ``modnet train`` as a user does, and return its lines and what it says of BLAS in JSON."""

    def run(**environment: str) -> tuple[str, Any]:
        command = [sys.executable, "-m", "modnet", "train", spec, iris, "--target", "species", "--quiet"]
        settings: Any = {"capture_output": True, "text": True, "check": True, "timeout": 120}
        settings["env"] = {**os.environ, **environment}
        text = subprocess.run([*command, "--out", tmp_path / "model.npz"], **settings)
        found = subprocess.run([*command, "--out", tmp_path / "model.npz", "--json"], **settings)
        return text.stdout, json.loads(found.stdout)["blas"]

    return run


# When


@pytest.mark.parametrize(
    ("kernel", "processor", "better"), [("Haswell", AVX512, "SkylakeX"), ("Nehalem", AVX2, "Haswell")]
)
def test_a_kernel_with_wider_vectors_is_worth_a_trial(kernel: str, processor: Cpu, better: str):
    assert improvement(openblas(kernel), processor, {}) == {CORETYPE: better, REPLACED: kernel}


@pytest.mark.parametrize("kernel", ["SkylakeX", "Cooperlake", "NEOVERSEN1", None])
def test_a_kernel_that_suits_the_cpu_is_kept(kernel: str | None):
    assert improvement(openblas(kernel), AVX512, {}) is None


def test_other_libraries_are_left_alone():
    assert improvement([Library("numpy", "mkl", "2024", None, 2)], AVX512, {}) is None
    assert improvement([], AVX512, {}) is None
    assert choice([]) is choice([Library("numpy", "mkl", "2024", None, 2)]) is None


@pytest.mark.parametrize("value", ["Haswell", "SkylakeX", ""])
def test_whoever_has_set_the_variable_has_chosen(value: str):
    assert improvement(openblas("Haswell"), AVX512, {CORETYPE: value}) is None


def test_one_new_start_is_never_followed_by_another():
    variables = improvement(openblas("Haswell"), AVX512, {})
    assert variables is not None
    # Not even where the variable does not get through to the new process.
    for lost in ((), (CORETYPE,), (REPLACED,)):
        environment = {name: value for name, value in variables.items() if name not in lost}
        assert improvement(openblas("Haswell"), AVX512, environment) is None


def test_what_is_in_use_is_said_with_who_chose_it():
    assert choice(openblas("SkylakeX"), {}) == Choice("SkylakeX", "OpenBLAS")
    assert choice(openblas("SkylakeX"), {CORETYPE: ""}) == Choice("SkylakeX", "OpenBLAS")
    assert choice(openblas("Haswell"), {CORETYPE: "Zen"}) == Choice("Haswell", CORETYPE)
    made = choice(openblas("SkylakeX"), {CORETYPE: "SkylakeX", REPLACED: "Haswell"})
    assert made == Choice("SkylakeX", "modnet train", "Haswell")
    assert str(made) == "kernel SkylakeX, faster here than OpenBLAS's choice Haswell (OPENBLAS_CORETYPE overrides)"


def test_a_choice_that_had_no_effect_is_not_claimed():
    assert choice(openblas("Haswell"), {REPLACED: "Haswell"}) == Choice("Haswell", "OpenBLAS")


# In the process


def test_a_kernel_that_the_user_has_chosen_is_trained_on(trained: Any):
    kernel = own_kernel()
    text, found = trained(**{CORETYPE: kernel})
    assert found == {"kernel": kernel, "chosen_by": CORETYPE, "in_place_of": None}
    assert f"BLAS      kernel {kernel}, as OPENBLAS_CORETYPE asks\n" in text


@pytest.mark.skipif(CORETYPE in os.environ, reason=f"{CORETYPE} is set here, which is respected")
def test_training_uses_a_better_kernel_where_openblas_takes_a_narrow_one(trained: Any):
    variables = improvement(loaded(), cpu())
    if variables is None:
        pytest.skip("OpenBLAS takes the widest vectors of this CPU by itself")
    text, found = trained()
    assert found == {
        "kernel": variables[CORETYPE],
        "chosen_by": "modnet train",
        "in_place_of": variables[REPLACED],
    }
    assert f"BLAS      kernel {variables[CORETYPE]}, faster here than OpenBLAS's choice" in text


@pytest.mark.skipif(CORETYPE in os.environ, reason=f"{CORETYPE} is set here, which is respected")
def test_nothing_is_said_of_a_kernel_that_openblas_has_chosen_well(trained: Any):
    kernel = own_kernel()
    if improvement(loaded(), cpu()) is not None:
        pytest.skip("OpenBLAS takes a narrow kernel here")
    text, found = trained()
    assert found == {"kernel": kernel, "chosen_by": "OpenBLAS", "in_place_of": None}
    assert "BLAS" not in text


ANEW = """
import json, os, sys
from modnet.cli.kernel import is_own_process, start_anew
if "BEFORE" not in os.environ:
    assert is_own_process(sys.argv[1:])
    print("before")
    start_anew({"BEFORE": str(os.getpid())})
print(json.dumps([os.getpid() == int(os.environ["BEFORE"]), sys.argv[1:], sys.warnoptions, sys.stdin.read()]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a process is not replaced here")
def test_a_process_that_starts_anew_keeps_arguments_options_input_and_its_number(tmp_path: Path):
    (tmp_path / "program.py").write_text(ANEW)
    command = [sys.executable, "-W", "error", tmp_path / "program.py", "train", "my spec.json", ""]
    done = subprocess.run(command, input="rows", capture_output=True, text=True, timeout=60, check=True)
    first, second = done.stdout.splitlines()
    assert first == "before"
    assert json.loads(second) == [True, ["train", "my spec.json", ""], ["error"], "rows"]


def test_a_process_that_was_started_for_something_else_is_not_replaced():
    code = """
import sys
from modnet.cli.kernel import is_own_process
sys.argv = ["modnet", "train", "spec.json"]  # as a notebook's %run has it
print(is_own_process(sys.argv[1:]))
"""
    assert run_python(code) == "False"


def test_importing_modnet_never_touches_the_environment():
    code = """
import os, pkgutil, sys
from importlib import import_module
import sklearn  # which does
before = dict(os.environ)
import modnet, modnet_standard
for package in (modnet, modnet_standard):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        import_module(module.name)
assert "modnet.cli.kernel" in sys.modules
print(dict(os.environ) == before)
"""
    assert run_python(code) == "True"
