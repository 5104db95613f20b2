"""Schedules in optimizers: the constant one changes nothing."""

import pytest

from modnet import Progress
from modnet.optimizers import SGD
from modnet.schedules import Constant

PLAN = {"steps_per_epoch": 10, "epochs": 20}
POINTS = [Progress(step=step, epoch=step // 10, losses=[1.0] * (step // 10), **PLAN) for step in (0, 1, 57, 199, 500)]


@pytest.mark.parametrize("progress", POINTS, ids=lambda progress: f"step{progress.step}")
def test_constant_changes_nothing(progress):
    assert SGD(0.1, schedule=Constant()).rate(progress) == SGD(0.1).rate(progress) == 0.1
