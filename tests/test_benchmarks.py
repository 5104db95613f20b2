"""The benchmark's command runs on a small net with what is installed everywhere, and says what it found."""

import doctest
import importlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.agreement import disagreements
from benchmarks.command import main
from benchmarks.contenders import CONTENDERS, modnet_estimator, scikit_learn
from benchmarks.job import Job, Options
from benchmarks.picture import draw
from benchmarks.problem import CASES, Case, Problem, mean_loss
from benchmarks.sections import SECTIONS, section
from benchmarks.tables import shown
from benchmarks.targets import RATIOS, outcomes
from matplotlib.image import imread

from modnet.optimizers import Adam

IGNORE_EPOCHS = pytest.mark.filterwarnings("ignore:.*max_iter", "ignore:.*Maximum iterations")
"""Trainings here are as long as they are meant to be."""

RUN = Path(__file__).parent / "benchmarks" / "run.py"


def run(*options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, RUN, *options],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_the_command_writes_a_table_and_a_picture(tmp_path: Path):
    options = ["--only", "training", "--cases", "8-6-3/16", "--contenders", "modnet", "scikit-learn", "--rounds", "2"]
    setting = ["--dtypes", "float64", "--threads", "1", "--kernels", "default"]
    done = run(*options, *setting, "--out", "out", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    report = (tmp_path / "out" / "benchmark.md").read_text(encoding="utf-8")
    for text in (report, done.stdout):
        assert "### float64, 1 thread\n" in text
        assert re.search(r"^\| 8-6-3/16 +\| +\d\S* \|$", text, re.MULTILINE)
        for name in ("modnet", "scikit-learn"):
            assert len(re.findall(rf"^\| 8-6-3/16 \| {name} +(\| +[\d.]+ ){{5}}\|$", text, re.MULTILINE)) == 1
        assert re.search(r"^- BLAS: ", text, re.MULTILINE)
    assert "`python tests/benchmarks/run.py --only training" in report
    assert "![Ratios of training times](benchmark.png)" in report
    assert imread(tmp_path / "out" / "benchmark.png")[..., :3].std() > 0.05
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_runs(name: str, tmp_path: Path):
    options = ["--quick", "--cases", "20-8-2/16", "--contenders", "modnet", "scikit-learn", "--rounds", "2"]
    done = run(*options, "--only", name, "--out", str(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"## {section(name).TITLE}\n" in done.stdout
    assert len(re.findall(r"^\| .*[1-9].* \|$", done.stdout, re.MULTILINE)) >= 2


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--cases", "wide"], "'wide' is no case"),
        (["--threads", "0"], "should be a whole number from 1 on"),
        (["--only", "everything"], "invalid choice: 'everything'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: list[str], reason: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        main(options)
    assert reason in capsys.readouterr().err


def test_the_cases_of_the_targets_are_known_and_have_whole_batches():
    assert set(RATIOS) < {case.name for case in CASES}
    for case in CASES:
        assert Case.of(case.name) is case
        assert case.rows % case.batch_size == 0


def test_a_job_survives_the_way_to_its_process():
    job = Job.of("training", Options(CASES, ("float32",), (1, 2), (None,), ("modnet",), 7), kernel="Haswell")
    assert Job.read(job.write()) == job


@IGNORE_EPOCHS
def test_contenders_begin_with_the_same_loss():
    problem = Problem.of(Case((6, 5, 4), 8, 64, 1), "float64", 1)
    expected = mean_loss(problem, problem.start)
    for contender in (modnet_estimator.estimator(problem, None), scikit_learn.estimator(problem)):
        contender.set_params(batch_size=64).fit(problem.X, problem.y)
        # One batch holds all rows, so the loss of the epoch is that of the first weights.
        np.testing.assert_allclose(contender.loss_curve_, [expected], rtol=1e-12)


@IGNORE_EPOCHS
def test_a_contender_that_learns_faster_is_found_out():
    problem = Problem.of(Case((64, 32, 10), 32, 3_200, 3), "float32", 1)
    hasty = modnet_estimator.estimator(problem, None).set_params(optimizer=Adam(0.0012))
    trained = {
        "modnet": modnet_estimator.prepared(problem, None)(),
        "scikit-learn": scikit_learn.prepare(problem)(),
        "hasty": modnet_estimator.Trained(hasty.fit(problem.X, problem.y)),
    }
    losses = {name: mean_loss(problem, net.weights()) for name, net in trained.items()}
    (found,) = disagreements("64-32-10/32", problem.case.steps, mean_loss(problem, problem.start), losses)
    assert "hasty ended with a loss of" in found


def test_what_is_not_installed_is_named():
    assert replace(CONTENDERS[0], needs=("sys", "no_such_module")).missing == "no_such_module"


def test_targets_are_met_missed_or_not_measured():
    setting = {"dtype": "float32", "threads": 1, "kernel": None}
    times = {"modnet": 10.0, "scikit-learn": 40.0, "torch": 39.0}
    records = [{"case": "64-32-10/32", "contender": name, "us": [us], **setting} for name, us in times.items()]
    found = {(each.what, each.case): each.verdict for each in outcomes({"training": records}, None)}
    assert found.pop(("scikit-learn / modnet, its own kernel", "64-32-10/32")) == "met"
    assert found.pop(("torch / modnet, its own kernel", "64-32-10/32")) == "missed"
    assert set(found.values()) == {"not measured"}


def test_a_picture_shows_both_engines(tmp_path: Path):
    setting = {"dtype": "float32", "threads": 1, "kernel": None, "case": "64-32-10/32"}
    times = {"modnet": 10.0, "modnet-accelerated": 5.0, "jax": 8.0}
    records = [{"contender": name, "us": [us], **setting} for name, us in times.items()]
    draw(records, "a machine", tmp_path / "both.png")
    draw([each for each in records if each["contender"] != "modnet-accelerated"], "a machine", tmp_path / "one.png")
    both, one = (imread(tmp_path / name) for name in ("both.png", "one.png"))
    assert both.shape == one.shape
    assert (both != one).any()


def test_numbers_have_three_digits_and_examples_hold():
    assert [shown(each) for each in (0.0, -0.284, 9.999, 1023.0)] == ["0", "-0.284", "10.0", "1020"]
    for name in ("agreement", "tables", "sections.growth"):
        assert doctest.testmod(importlib.import_module(f"benchmarks.{name}")).failed == 0
