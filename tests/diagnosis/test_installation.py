"""What is found out about the machine: BLAS kernels against the CPU, threads against cores, plugins, versions."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.distributions import Site, run_python

from modnet.diagnosis.blas import (
    CORETYPE,
    Cpu,
    Library,
    better_kernel,
    cpu,
    kernel_findings,
    libraries,
    loaded,
    of_numpy,
)
from modnet.diagnosis.kernel_trial import Trial, is_right, present, proves
from modnet.diagnosis.measure import Measurement, measure, measured_findings
from modnet.diagnosis.plugins import plugins
from modnet.diagnosis.threads import Cores, cores, limits, thread_findings
from modnet.diagnosis.versions import versions
from modnet.registry import DISABLE

AVX2 = Cpu("narrow", frozenset({"avx2", "fma"}))
AVX512 = Cpu("wide", AVX2.flags | {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"})
BF16 = Cpu("wider", AVX512.flags | {"avx512_bf16"})


def openblas(owner: str, kernel: str | None, threads: int = 2) -> Library:
    return Library(owner, "openblas", "0.3.31", kernel, threads)


# BLAS


def test_the_libraries_of_numpy_and_scipy_are_found():
    found = libraries()
    assert {library.owner for library in found} >= {"numpy", "scipy"} or os.name != "posix"
    assert all(library.threads >= 1 for library in found)


def test_numpys_library_is_its_own_or_the_one_that_is_shared():
    scipy, numpy, shared = openblas("scipy", "Zen"), openblas("numpy", "Zen"), openblas("libopenblas.so.0", "Zen")
    assert of_numpy([Library("libmkl_rt.so", "mkl", None, None, 2), numpy, scipy]) is numpy
    assert of_numpy([shared, scipy]) is shared
    assert of_numpy([scipy]) is of_numpy([]) is None


def test_the_flags_of_the_cpu_are_read(tmp_path: Path):
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2 fma\n", encoding="utf-8")
    assert cpu(path) == Cpu("Some CPU", frozenset({"fpu", "avx2", "fma"}))
    path.write_text("processor\t: 0\nFeatures\t: fp asimd sve\n", encoding="utf-8")  # as on ARM
    assert cpu(path).kernels == cpu(tmp_path / "none").kernels == ()


@pytest.mark.parametrize(
    ("kernel", "processor", "better"),
    [
        ("Haswell", AVX512, "SkylakeX"),
        ("Zen", BF16, "SkylakeX"),
        ("Nehalem", AVX2, "Haswell"),
        ("Prescott", AVX512, "SkylakeX"),
        ("SkylakeX", BF16, None),
        ("Haswell", AVX2, None),
        ("Zen", Cpu("no fma", frozenset({"avx2"})), None),
        ("Haswell", Cpu("half of it", AVX2.flags | {"avx512f"}), None),
        ("Haswell", Cpu(), None),
        ("NEOVERSEN1", AVX512, None),
        (None, AVX512, None),
    ],
)
def test_a_better_kernel_has_wider_vectors_and_the_cpu_has_them(kernel, processor: Cpu, better):
    assert better_kernel(kernel, processor) == better


def test_a_mismatch_is_said_once_for_all_libraries_that_have_it():
    found = [openblas("numpy", "Haswell"), openblas("scipy", "Haswell")]
    (finding,) = kernel_findings(found, AVX512, {})
    assert (finding.severity, finding.subject) == ("note", "numpy, scipy")
    assert "kernel Haswell (256-bit vectors), and the CPU has 512-bit vectors" in finding.found
    assert "OPENBLAS_CORETYPE=SkylakeX in the environment before Python starts" in finding.remedy


def test_a_mismatch_that_was_asked_for_says_so():
    (finding,) = kernel_findings([openblas("numpy", "Haswell")], AVX512, {"OPENBLAS_CORETYPE": "Haswell"})
    assert "as OPENBLAS_CORETYPE=Haswell asks" in finding.found
    assert finding.remedy.startswith("unset OPENBLAS_CORETYPE, or set OPENBLAS_CORETYPE=SkylakeX")


def test_other_libraries_choose_for_themselves():
    assert not list(kernel_findings([Library("numpy", "mkl", "2024", None, 2)], AVX512, {}))
    assert not list(kernel_findings([openblas("numpy", "SkylakeX")], AVX512, {}))


# Measuring


def measured(kernel: str, gflops: float, step_ms: float, coretype: str | None = "it") -> Measurement:
    return Measurement(kernel, coretype, {"128": gflops, "512": gflops}, step_ms)


def test_a_kernel_that_measures_better_is_recommended_with_its_ratio():
    present = measured("Haswell", 115, 4.0, None)
    (finding,) = measured_findings([present, measured("SkylakeX", 205, 2.5)])
    assert "kernel SkylakeX trains 1.60 times as fast as Haswell" in finding.found
    assert "OPENBLAS_CORETYPE=SkylakeX" in finding.remedy


def test_a_setting_that_keeps_the_library_from_a_better_kernel_is_to_be_removed():
    present = measured("Haswell", 115, 4.0, None)
    (finding,) = measured_findings([present, measured("SkylakeX", 205, 2.5, "")])
    assert finding.remedy.startswith("unset OPENBLAS_CORETYPE in the environment: the library chooses SkylakeX")


@pytest.mark.parametrize(("gflops", "step_ms"), [(100, 4.0), (100, 3.0), (180, 4.0), (50, 8.0), (103, 3.9)])
def test_what_does_not_measure_better_is_not_recommended(gflops: float, step_ms: float):
    present = measured("Haswell", 100, 4.0, None)
    assert not list(measured_findings([present, measured("SkylakeX", gflops, step_ms)]))


def test_a_kernel_that_computes_wrongly_is_no_remedy():
    present = measured("Haswell", 115, 4.0, None)
    fast = replace(measured("SkylakeX", 205, 2.5), right=False)
    assert not list(measured_findings([present, fast]))
    (finding,) = measured_findings([replace(present, right=False), fast, measured("Nehalem", 60, 8.0)])
    assert (finding.check, finding.severity) == ("blas-kernel-wrong", "problem")
    assert "OPENBLAS_CORETYPE=Nehalem" in finding.remedy
    (finding,) = measured_findings([replace(present, right=False), fast])
    assert "install another NumPy" in finding.remedy


def test_nothing_is_recommended_where_nothing_was_measured():
    assert not list(measured_findings([]))
    assert not list(measured_findings([measured("SkylakeX", 200, 2.0)]))


def test_a_process_that_does_not_answer_in_time_is_left_out():
    assert measure(AVX2, seconds=0.01) == ()


@pytest.mark.slow
@pytest.mark.skipif(CORETYPE in os.environ, reason=f"{CORETYPE} is set here: this machine may need it")
def test_kernels_are_measured_in_processes_of_their_own():
    processor = cpu()
    found = measure(processor)
    assert found[0].coretype is None
    assert len({each.kernel for each in found}) == len(found)
    assert found[0].right
    assert all(each.step_ms > 0 and min(each.gflops.values()) > 0 for each in found)
    assert {each.kernel for each in found[1:] if each.coretype} <= set(processor.kernels)


# Trying


def test_a_kernel_is_taken_if_it_is_right_and_faster_by_a_tenth():
    present = Trial("Haswell", True, 1.0)
    assert Trial("SkylakeX", True, 0.9).beats(present)
    assert not Trial("SkylakeX", True, 0.92).beats(present)
    assert not Trial("SkylakeX", False, 0.5).beats(present)


def test_the_kernel_of_this_process_is_right():
    assert is_right()


@pytest.mark.parametrize(
    "product", [lambda a, b: 1.001 * (a @ b), lambda a, b: a[:, :-1] @ b[:-1], lambda a, b: np.round(a @ b, 3)]
)
def test_products_that_are_wrong_are_found_out(product):
    assert not is_right(product)


def test_a_kernel_is_no_improvement_on_itself():
    library = of_numpy(loaded())
    if library is None or library.name != "openblas" or library.kernel is None:
        pytest.skip("NumPy has no OpenBLAS that says which kernel it uses")
    assert present().kernel == library.kernel
    assert not proves(library.kernel)


def test_a_trial_that_does_not_end_in_time_proves_nothing():
    assert proves(present().kernel or "Haswell", seconds=0.01) is False  # and raises nothing


# Threads


def test_cores_are_those_that_this_process_may_use():
    assert 1 <= cores().available <= cores().machine


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away here")
def test_cores_that_were_taken_away_do_not_count():
    code = """
import os
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
from modnet.diagnosis.threads import cores
print(cores().available)
"""
    assert run_python(code) == "1"


def test_more_threads_than_cores_are_noted_with_the_variable_that_limits_them():
    found = [openblas("numpy", "Zen", threads=64), openblas("scipy", "Zen", threads=64), openblas("x", "Zen", 4)]
    (finding,) = thread_findings(found, Cores(machine=64, available=4))
    assert (finding.severity, finding.subject) == ("note", "numpy, scipy")
    assert finding.found.startswith("64 threads on 4 cores")
    assert "OPENBLAS_NUM_THREADS=4" in finding.remedy
    (finding,) = thread_findings([Library("numpy", "mkl", None, None, 8)], Cores(8, 4))
    assert "MKL_NUM_THREADS=4" in finding.remedy


def test_variables_that_limit_threads_are_listed():
    assert limits({"OMP_NUM_THREADS": "3", "PATH": "/"}) == {"OMP_NUM_THREADS": "3"}


# Plugins


def test_components_are_counted_by_distribution_modnets_own_first(site: Site):
    site.wobble("a-layers", "a_layers")
    found = plugins()
    assert next(iter(found.counts)).startswith("modnet-layers ")
    assert found.counts["a-layers 1.2"] == 1
    assert found.findings == ()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("raise SystemExit('not today')", "SystemExit: not today"),
        ("class Boom: pass", "does not derive from modnet.Activation"),
    ],
)
def test_a_broken_plugin_is_a_problem_with_the_reason(site: Site, source: str, reason: str):
    site.install("boom", modules={"boom": source}, entry_points={"modnet.activations": {"boom": "boom:Boom"}})
    (finding,) = plugins().findings
    assert (finding.check, finding.severity) == ("broken-plugin", "problem")
    assert finding.subject == "activation 'boom', boom 1.2"
    assert reason in finding.found
    assert "uninstall boom" in finding.remedy


def test_a_name_that_two_offer_is_a_note(site: Site):
    site.wobble("a-layers", "a_layers")
    site.wobble("b-layers", "b_layers")
    (finding,) = plugins().findings
    assert (finding.check, finding.severity, finding.subject) == ("ambiguous-name", "note", "activation 'wobble'")
    assert finding.found == "is offered by a-layers 1.2 and b-layers 1.2"
    assert finding.remedy == "write 'a-layers:wobble' or 'b-layers:wobble'"


def test_plugins_that_are_switched_off_are_noted(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(DISABLE, "1")
    site.wobble("a-layers", "a_layers")
    found = plugins()
    assert len(found.counts) == 1
    assert [finding.check for finding in found.findings] == ["plugins-off"]


# Versions


def test_versions_are_those_of_what_is_installed():
    found = versions()
    assert all(found[name] for name in ("Python", "modnet-layers", "numpy", "scipy", "scikit-learn", "pydantic"))
    assert "torch" not in found


def test_looking_at_the_machine_does_not_import_scikit_learn():
    code = """
import sys
from modnet.diagnosis import blas, plugins, threads, versions
print("sklearn" in sys.modules)
"""
    assert run_python(code) == "False"
