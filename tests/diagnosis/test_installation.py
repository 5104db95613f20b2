"""What is found out about the machine: BLAS kernels against the CPU, threads against cores, plugins, versions."""

import os
from pathlib import Path

import pytest
from support.distributions import Site, run_python

from modnet.diagnosis.machine import (
    CORETYPE,
    Cores,
    Cpu,
    Library,
    better_kernel,
    blas,
    cores,
    cpu,
    libraries,
    threads,
    versions,
)
from modnet.diagnosis.plugins import plugins
from modnet.entries import DISABLE

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


def test_the_kernel_is_that_of_numpys_own_library_or_of_the_one_that_is_shared():
    scipy, numpy, shared = (openblas(owner, "Zen") for owner in ("scipy", "numpy", "libopenblas.so.0"))
    for found in ([numpy, scipy], [scipy, numpy], [shared, scipy]):
        assert blas(found, AVX2, {}).facts == [("NumPy", "OpenBLAS 0.3.31, kernel Zen")]


def test_a_library_that_is_not_known_is_named_as_numpy_was_built():
    for found in ([], [openblas("scipy", "Zen")]):
        ((name, text),) = blas(found, AVX512, {}).facts
        assert name == "NumPy"
        assert text.startswith("built with ")


def test_the_flags_of_the_cpu_are_read(tmp_path: Path):
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2 fma\n", encoding="utf-8")
    assert cpu(path) == Cpu("Some CPU", frozenset({"fpu", "avx2", "fma"}))
    path.write_text("processor\t: 0\nFeatures\t: fp asimd sve\n", encoding="utf-8")  # as on ARM
    assert cpu(path).flags is None


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


def test_a_narrow_kernel_is_told_with_the_wider_one_and_how_to_choose_it():
    section = blas([openblas("numpy", "Haswell"), openblas("scipy", "Haswell")], AVX512, {})
    ((_, text),) = section.facts
    assert text == (
        "OpenBLAS 0.3.31, kernel Haswell; this CPU can run SkylakeX, with wider vectors: "
        "set OPENBLAS_CORETYPE=SkylakeX before Python starts"
    )
    assert (section.data["kernel"], section.data["wider_kernel"]) == ("Haswell", "SkylakeX")


def test_a_narrow_kernel_that_was_asked_for_may_be_unset():
    ((_, text),) = blas([openblas("numpy", "Haswell")], AVX512, {CORETYPE: "Haswell"}).facts
    assert "unset OPENBLAS_CORETYPE (now 'Haswell'), or set OPENBLAS_CORETYPE=SkylakeX" in text


def test_of_other_libraries_and_of_a_wide_kernel_nothing_more_is_said():
    for library in (Library("numpy", "mkl", "2024", None, 2), openblas("numpy", "SkylakeX")):
        section = blas([library], AVX512, {})
        assert section.facts == [("NumPy", str(library))]
        assert section.data["wider_kernel"] is None


# Threads


def test_cores_are_those_that_this_process_may_use():
    assert 1 <= cores().available <= cores().machine


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away here")
def test_cores_that_were_taken_away_do_not_count():
    code = """
import os
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
from modnet.diagnosis.machine import cores
print(cores().available)
"""
    assert run_python(code) == "1"


def test_more_threads_than_cores_are_noted_with_the_variable_that_limits_them():
    found = [openblas("numpy", "Zen", threads=64), openblas("scipy", "Zen", threads=64), openblas("x", "Zen", 4)]
    (finding,) = threads(found, Cores(machine=64, available=4), {}).findings
    assert (finding.severity, finding.subject) == ("note", "numpy, scipy")
    assert finding.found.startswith("64 threads on 4 cores")
    assert "OPENBLAS_NUM_THREADS=4" in finding.remedy
    (finding,) = threads([Library("numpy", "mkl", None, None, 8)], Cores(8, 4), {}).findings
    assert "MKL_NUM_THREADS=4" in finding.remedy


def test_variables_that_limit_threads_are_listed():
    found = threads([], Cores(2, 2), {"OMP_NUM_THREADS": "3", "PATH": "/"})
    assert found.data["environment"] == {"OMP_NUM_THREADS": "3"}
    assert ("OMP_NUM_THREADS", "3") in found.facts


# Plugins


def test_components_are_counted_by_distribution_modnets_own_first(site: Site):
    site.wobble("a-layers", "a_layers")
    found = plugins()
    assert next(iter(found.data)).startswith("modnet-layers ")
    assert found.data["a-layers 1.2"] == 1
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
    assert len(found.data) == 1
    assert [finding.check for finding in found.findings] == ["plugins-off"]


@pytest.mark.parametrize(
    ("group", "meant"),
    [
        ("modnet.modules", "modnet.layers"),
        ("modnet.layer", "modnet.layers"),
        ("modnet.activation", "modnet.activations"),
        ("modnet.Losses", "modnet.losses"),
        ("modnet.optimisers", "modnet.optimizers"),
    ],
)
def test_an_entry_point_group_that_nobody_reads_is_a_problem_with_the_one_that_is_meant(site: Site, group, meant):
    site.install("a-layers", modules={"a_layers": "1 / 0"}, entry_points={group: {"wobble": "a_layers:Wobble"}})
    (finding,) = plugins().findings
    assert (finding.check, finding.severity, finding.subject) == ("entry-point-group", "problem", "a-layers 1.2")
    assert finding.found == f"registers 'wobble' in the entry-point group {group!r}, which modnet does not read"
    assert finding.remedy.startswith(f"write {meant!r} in its pyproject.toml")


def test_a_group_that_resembles_none_brings_up_all_of_them_and_other_groups_are_no_business_of_modnets(site: Site):
    points = {"modnet.xyzzy": {"a": "a:A"}, "modnetwork.layer": {"b": "b:B"}, "console_scripts": {"c": "c:C"}}
    site.install("a-layers", entry_points=points)
    (finding,) = plugins().findings
    assert "'modnet.xyzzy'" in finding.found
    assert "write one of modnet.accelerators, modnet.activations, " in finding.remedy


# Versions


def test_another_distribution_with_a_package_called_modnet_is_a_problem(site: Site):
    assert versions().findings == []
    site.install("modnet", modules={"modnet/__init__": "raise ImportError('the other one')"}, version="0.5")
    (finding,) = versions().findings
    assert (finding.check, finding.severity, finding.subject) == ("namesake", "problem", "modnet 0.5")
    assert "uninstall both, and install modnet-layers anew" in finding.remedy


def test_versions_are_those_of_what_is_installed():
    found = versions().data
    assert all(found[name] for name in ("Python", "modnet-layers", "numpy", "scipy", "scikit-learn", "pydantic"))
    assert "torch" not in found


def test_looking_at_the_machine_does_not_import_scikit_learn():
    code = """
import sys
from modnet.diagnosis import machine, plugins
print("sklearn" in sys.modules)
"""
    assert run_python(code) == "False"
