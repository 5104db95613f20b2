"""Schedules: a rate that is a finite, non-negative float at every point of a training, and depends on nothing else."""

import math

import pytest

from modnet import Progress
from modnet.optimizers import SGD
from modnet.schedules import Constant

PLAN = {"steps_per_epoch": 10, "epochs": 20}
POINTS = [Progress(step=step, epoch=step // 10, losses=[1.0] * (step // 10), **PLAN) for step in (0, 1, 57, 199, 500)]


@pytest.mark.parametrize("progress", POINTS, ids=lambda progress: f"step{progress.step}")
def test_rates_are_finite_floats_and_depend_on_the_progress_alone(schedule, progress):
    rate = schedule.rate(0.1, progress)
    assert type(rate) is float
    assert 0 <= rate < math.inf
    assert schedule.rate(0.1, progress) == rate


@pytest.mark.parametrize("progress", POINTS, ids=lambda progress: f"step{progress.step}")
def test_constant_changes_nothing(progress):
    assert SGD(0.1, schedule=Constant()).rate(progress) == SGD(0.1).rate(progress) == 0.1
