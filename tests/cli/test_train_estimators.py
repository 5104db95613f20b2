"""``modnet train --estimator``: the registered estimators, those of plugins too, by their names."""

from pathlib import Path
from typing import Any

import pytest
from support.distributions import Site

from modnet.estimators.persistence import load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.npz"


def test_an_estimator_of_a_plugin_is_trained_by_its_name(modnet: Any, site: Site, spec: Path, iris: Path, file: Path):
    source = 'from modnet import ModNetClassifier\nclass Own(ModNetClassifier):\n    """One of its own."""\n'
    site.install("acme-own", modules={"acme_own": source}, entry_points={"modnet.estimators": {"own": "acme_own:Own"}})
    train = ("train", spec, iris, "--target", "species", "--out", file, "--quiet", "--estimator", "own")
    done = modnet(*train)
    assert done.status == 0
    assert "model     Own, 67 parameters, cross_entropy" in done.out
    assert "held out  accuracy" in done.out
    assert type(load(file)).__name__ == "Own"
    assert len(modnet("predict", file, iris, "--proba").out.splitlines()) == 151
    assert "acme-own 1.2 (acme_own:Own) is not allowed here" in modnet(*train, "--allow", "other").err
    assert modnet(*train, "--allow", "acme-own").status == 0


def test_an_estimator_for_another_task_is_refused(modnet: Any, spec: Path, iris: Path, file: Path):
    train = ("train", spec, iris, "--target", "species", "--out", file, "--quiet", "--estimator")
    done = modnet(*train, "classifier", "--task", "regression")
    assert done.err == (
        "modnet: error: classifier is a ModNetClassifier, for classification: choose an estimator for the task\n"
    )
    assert "for no target" in modnet(*train, "transformer").err
    assert "column 'species' holds no numbers, as regression needs them" in modnet(*train, "regressor").err
    assert "unknown estimator 'regresor'; did you mean 'regressor'?" in modnet(*train, "regresor").err


def test_training_ends_when_its_time_is_over(modnet: Any, spec: Path, iris: Path, file: Path):
    train = ("train", spec, iris, "--target", "species", "--out", file, "--quiet", "--max-time")
    assert "training  1 epochs, all that max_time allows, in " in modnet(*train, "1e-9").out
    assert load(file).max_time == 1e-9
    assert "should be a number of seconds above 0, got '0'" in modnet(*train, "0").err
    assert modnet(*train, "100", "--json").json["timed_out"] is None
