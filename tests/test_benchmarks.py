"""The benchmark's command runs on a small net with what is installed everywhere, and says what it found."""

import doctest
import importlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.agreement import disagreements
from benchmarks.command import main
from benchmarks.contenders import CONTENDERS, drop_in, modnet_estimator, modnet_numpy, scikit_learn
from benchmarks.job import Job, Options
from benchmarks.picture import draw
from benchmarks.problem import CASES, Case, Problem, mean_loss
from benchmarks.searching import EPOCHS, GRID, SEARCHES, TABLES, Candidate, Searched, Table, grid
from benchmarks.sections import SECTIONS, search, section
from benchmarks.stopwatch import PARTS, REST, Stopwatch
from benchmarks.tables import shown
from benchmarks.targets import RATIOS, outcomes
from benchmarks.timing import seconds_of
from matplotlib.image import imread

from modnet.optimizers import Adam

IGNORE_EPOCHS = pytest.mark.filterwarnings(
    "ignore:.*max_iter", "ignore:.*Maximum iterations", "ignore:.*larger than sample size"
)
"""Trainings here are as long, and batches as small, as they are meant to be."""

RUN = Path(__file__).parent / "benchmarks" / "run.py"


def run(*options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, RUN, *options],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
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


@pytest.mark.slow
@IGNORE_EPOCHS
def test_a_search_with_the_drop_in_finds_what_scikit_learn_finds():
    iris = Table.of("iris")
    expected, found = (grid(each.searched(iris, 10), iris.X) for each in (scikit_learn, drop_in))
    assert len(expected.scores) == len(GRID)
    assert found.winner == expected.winner
    np.testing.assert_allclose(found.scores, expected.scores, atol=0.01)


@IGNORE_EPOCHS
@pytest.mark.parametrize("name", ["cancer", "diabetes"])
def test_searched_contenders_have_the_same_settings(name: str):
    data, candidate = Table.of(name), Candidate(8, 0.5, 0.02)

    def fitted(searched: Searched) -> Any:
        return searched.pipeline().set_params(**searched.names(candidate)).fit(data.X, data.y)[-1]

    ours, theirs, like = (fitted(each.searched(data, 3)) for each in (modnet_numpy, scikit_learn, drop_in))
    np.testing.assert_allclose(like.loss_curve_, theirs.loss_curve_, rtol=1e-4)
    assert ours.n_iter_ == theirs.n_iter_ == 3
    assert ours.theta_.dtype == np.float32
    assert ours.theta_.size == sum(each.size for each in (*theirs.coefs_, *theirs.intercepts_))


@IGNORE_EPOCHS
def test_parts_of_a_fit_add_up_to_all_of_it():
    iris, watch = Table.of("iris"), Stopwatch()
    model = modnet_numpy.searched(iris, 2).estimator
    with watch.watching():
        seconds = seconds_of(lambda: model.fit(iris.X, iris.y))
    parts = {"spec", "validation of X and y", "epochs", "trial", "fit, the rest"}
    assert parts <= watch.seconds.keys() <= {*PARTS, REST}
    assert sum(watch.seconds.values()) == pytest.approx(seconds, rel=0.2, abs=1e-3)


def test_the_panel_is_the_geometric_mean_of_all_searches():
    of = {"kind": "search", "epochs": EPOCHS, "scores": [0.5], "winner": None}
    records = [
        {**of, "search": kind, "table": name, "contender": contender, "s": [seconds]}
        for i, (kind, name) in enumerate((kind, name) for kind in SEARCHES for name in TABLES)
        for contender, seconds in (("modnet", 1.0), ("scikit-learn", 2.0 if i % 2 else 18.0))
    ]
    assert search.panel(records, "modnet") == pytest.approx(6.0)
    assert search.panel(records[2:], "modnet") is None
    found = {(each.what, each.case): each.verdict for each in outcomes({"search": records}, None)}
    assert found["searches: scikit-learn / modnet", "geometric mean"] == "met"
    assert found["searches: scikit-learn / drop-in", "geometric mean"] == "not measured"


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
