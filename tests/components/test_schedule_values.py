"""Schedules: the rates that their equations give, ends and kinks, bad settings, and PyTorch's rates one by one."""

import inspect
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

import modnet.schedules
from modnet import Progress, Schedule
from modnet.errors import InvalidSpecError
from modnet.optimizers import SGD
from modnet.schedules import (
    Adaptive,
    Constant,
    Cosine,
    CosineRestarts,
    Coslog,
    Exponential,
    FlatCosine,
    InverseScaling,
    MultiStep,
    OneCycle,
    Plateau,
    Polynomial,
    Step,
    WarmUp,
)

EPOCHS = 60
CLASSES = [cls for _, cls in inspect.getmembers(modnet.schedules, inspect.isclass) if issubclass(cls, Schedule)]
EXAMPLES = [example for cls in CLASSES for example in cls.examples()]


def by_epoch(schedule, epochs=EPOCHS, *, rate=0.1, planned=EPOCHS, steps_per_epoch=7):
    """Return the rate of the first step of each epoch."""
    plan = {"epochs": planned, "steps_per_epoch": steps_per_epoch}
    return [schedule.rate(rate, Progress(epoch * steps_per_epoch, epoch, **plan)) for epoch in range(epochs)]


def by_step(schedule, steps, *, rate=0.1, steps_per_epoch=7, planned=EPOCHS):
    """Return the rate of each step."""
    plan = {"epochs": planned, "steps_per_epoch": steps_per_epoch}
    return [schedule.rate(rate, Progress(step, step // steps_per_epoch, **plan)) for step in range(steps)]


def by_losses(schedule, losses, *, rate=0.1):
    """Return the rate after each epoch's loss."""
    return [schedule.rate(rate, Progress(losses=losses[: i + 1])) for i in range(len(losses))]


# Against PyTorch


def of_pytorch(torch, scheduler, ticks, *, rate=0.1, **settings):
    """Return PyTorch's rate at each tick."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    scheduled = scheduler(optimizer, **settings)
    rates = []
    for _ in range(ticks):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduled.step()
    return rates


@pytest.mark.parametrize(
    ("ours", "name", "settings"),
    [
        (Step(7), "StepLR", {"step_size": 7}),
        (Step(10, 0.5), "StepLR", {"step_size": 10, "gamma": 0.5}),
        (MultiStep((3, 4, 30), 0.5), "MultiStepLR", {"milestones": [3, 4, 30], "gamma": 0.5}),
        (MultiStep((5, 5)), "MultiStepLR", {"milestones": [5, 5]}),
        (Exponential(0.9), "ExponentialLR", {"gamma": 0.9}),
        (Polynomial(40), "PolynomialLR", {"total_iters": 40}),
        (Polynomial(59, 2.0), "PolynomialLR", {"total_iters": 59, "power": 2.0}),
        (Polynomial(), "PolynomialLR", {"total_iters": 60}),
        (Cosine(), "CosineAnnealingLR", {"T_max": 60}),
        (Cosine(75, 0.01), "CosineAnnealingLR", {"T_max": 75, "eta_min": 0.01}),
        (CosineRestarts(9), "CosineAnnealingWarmRestarts", {"T_0": 9}),
        (CosineRestarts(4, 2, 0.01), "CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2, "eta_min": 0.01}),
        (CosineRestarts(1, 3), "CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}),
        (WarmUp(), "LinearLR", {}),
        (WarmUp(20, 0.01), "LinearLR", {"total_iters": 20, "start_factor": 0.01}),
    ],
    ids=lambda value: str(value),
)
def test_rates_are_those_of_pytorch(ours, name, settings):
    torch = pytest.importorskip("torch")
    theirs = of_pytorch(torch, getattr(torch.optim.lr_scheduler, name), 60, **settings)
    in_steps = by_step(replace(ours, unit="step"), 60, planned=10, steps_per_epoch=6)
    np.testing.assert_allclose(by_epoch(ours), theirs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(in_steps, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({}, {}),
        ({"anneal_strategy": "linear"}, {"anneal_strategy": "linear"}),
        ({"pct_start": 0.5, "div_factor": 10, "final_div_factor": 100},) * 2,
        ({"pct_start": 0.0}, {"pct_start": 0.0}),
        ({"pct_start": 0.9}, {"pct_start": 0.9}),
    ],
    ids=str,
)
def test_one_cycle_is_that_of_pytorch(fields, settings):
    torch = pytest.importorskip("torch")
    settings = {"max_lr": 0.1, "total_steps": 60, "cycle_momentum": False, **settings}
    theirs = of_pytorch(torch, torch.optim.lr_scheduler.OneCycleLR, 60, **settings)
    np.testing.assert_allclose(by_step(OneCycle(60, **fields), 60), theirs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(by_step(OneCycle(**fields), 60, planned=10, steps_per_epoch=6), theirs, atol=1e-12)
    np.testing.assert_allclose(by_epoch(OneCycle(**fields, unit="epoch")), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("ours", "settings"),
    [
        (Plateau(min_rate=0.0), {}),
        (Plateau(0.5, 3, 0.05, min_rate=0.0), {"factor": 0.5, "patience": 3, "threshold": 0.05}),
        (Plateau(0.5, 0, min_rate=0.0), {"factor": 0.5, "patience": 0}),
        (Plateau(0.5, 2, cooldown=4, min_rate=0.0), {"factor": 0.5, "patience": 2, "cooldown": 4}),
        (Plateau(0.5, 1, min_rate=0.001), {"factor": 0.5, "patience": 1, "min_lr": 0.001}),
        (Plateau(0.5, 1, min_rate=0.2), {"factor": 0.5, "patience": 1, "min_lr": 0.2}),
    ],
    ids=lambda value: str(value),
)
def test_plateau_is_that_of_pytorch(ours, settings):
    torch = pytest.importorskip("torch")
    losses = np.random.default_rng(0).exponential(size=EPOCHS) + np.linspace(0.5, 1, EPOCHS)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, eps=0, **settings)
    theirs = []
    for loss in losses:
        scheduler.step(loss)
        theirs.append(optimizer.param_groups[0]["lr"])
    np.testing.assert_allclose(by_losses(ours, list(map(float, losses))), theirs, rtol=0, atol=1e-12)
    assert len(set(theirs)) > 1 or ours.min_rate > 0.1


def test_a_warm_up_in_front_of_another_schedule_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    library = torch.optim.lr_scheduler

    def sequence(optimizer):
        first = library.LinearLR(optimizer, start_factor=0.1, total_iters=8)
        return library.SequentialLR(optimizer, [first, library.CosineAnnealingLR(optimizer, 52)], milestones=[8])

    theirs = of_pytorch(torch, sequence, EPOCHS)
    np.testing.assert_allclose(by_epoch(WarmUp(8, 0.1, Cosine())), theirs, rtol=0, atol=1e-12)


# The equations, restated


def test_rates_are_those_of_the_equations():
    t = np.arange(EPOCHS)
    wave = 0.01 + 0.5 * 0.09 * (1 + np.cos(np.pi * np.minimum(t, 40) / 40))
    for schedule, expected in [
        (Constant(), np.full(EPOCHS, 0.1)),
        (Step(7, 0.5), 0.1 * 0.5 ** (t // 7)),
        (MultiStep((3, 30), 0.5), 0.1 * 0.5 ** ((t >= 3) * 1 + (t >= 30))),
        (Exponential(0.9), 0.1 * 0.9**t),
        (Polynomial(40, 2.0, 0.01), 0.01 + 0.09 * (1 - np.minimum(t, 40) / 40) ** 2),
        (Cosine(40, 0.01), wave),
        (CosineRestarts(20), 0.05 * (1 + np.cos(np.pi * (t % 20) / 20))),
        (WarmUp(4, 0.5), 0.1 * np.minimum(0.5 + t / 8, 1)),
        (FlatCosine(0.5, unit="epoch"), 0.05 * (1 + np.cos(np.pi * np.maximum(2 * t / EPOCHS - 1, 0)))),
        (Coslog(unit="epoch"), 0.05 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t / EPOCHS)))),
    ]:
        np.testing.assert_allclose(by_epoch(schedule), expected, rtol=1e-12, err_msg=repr(schedule))


@pytest.mark.parametrize("schedule", [FlatCosine(0.5), FlatCosine(0.0), Coslog(), Coslog(1)], ids=repr)
def test_what_ends_with_the_plan_is_0_from_then_on(schedule):
    rates = [schedule.rate(0.1, Progress(step=step, epochs=10, steps_per_epoch=6)) for step in range(120)]
    assert max(rates) == pytest.approx(0.1, rel=1e-2)
    assert max(rates[60:]) < 1e-12 < min(rates[55:60])


@pytest.mark.parametrize("cls", [Cosine, Polynomial, OneCycle])
def test_a_schedule_ends_with_the_plan_unless_it_has_a_length_of_its_own(cls):
    assert cls().ends
    assert WarmUp(then=cls()).ends
    assert not cls(30).ends
    assert not WarmUp(then=cls(30)).ends
    assert not WarmUp().ends


def test_adaptive_and_inverse_scaling_go_by_plateaus_and_rows():
    assert Adaptive(2.0).rate(0.8, Progress(plateaus=3)) == pytest.approx(0.1, rel=1e-14)
    assert InverseScaling(1.0).rate(0.1, Progress(rows=9)) == pytest.approx(0.01, rel=1e-14)


def test_each_restart_begins_at_the_top_and_lasts_longer():
    rates = by_epoch(CosineRestarts(4, 2))
    assert [epoch for epoch, rate in enumerate(rates) if rate == 0.1] == [0, 4, 12, 28]


def test_one_cycle_climbs_once_to_the_optimizers_rate_and_ends_far_below_its_start():
    rates = np.array(by_step(OneCycle(100, pct_start=0.26), 100))
    assert rates[0] == pytest.approx(0.1 / 25, rel=1e-12)
    assert rates.argmax() == 25
    assert rates[25] == pytest.approx(0.1, rel=1e-12)
    assert np.all(np.diff(rates[:26]) > 0)
    assert np.all(np.diff(rates[25:]) < 0)
    assert rates[-1] == pytest.approx(0.1 / 25e4, rel=1e-12)


def test_one_cycle_may_be_all_climb_or_all_fall():
    assert by_step(OneCycle(60, pct_start=1.0), 60) == sorted(by_step(OneCycle(60, pct_start=1.0), 60))
    assert by_step(OneCycle(60, pct_start=1.0), 60)[-1] == pytest.approx(0.1, rel=1e-12)
    assert by_step(OneCycle(60, pct_start=0.0), 60) == sorted(by_step(OneCycle(60, pct_start=0.0), 60), reverse=True)


@pytest.mark.parametrize("ours", [Polynomial(10, 2.0, 0.01), Cosine(10, 0.01), OneCycle(11, unit="epoch")], ids=repr)
def test_behind_its_end_a_rate_stays_where_it_is(ours):
    rates = by_epoch(ours)
    assert len(set(rates[10:])) == 1
    assert len(set(rates[:11])) == 11


@pytest.mark.parametrize("cls", [Polynomial, Cosine, OneCycle])
@pytest.mark.parametrize(("unit", "planned"), [("epoch", 20), ("step", 140)])
def test_without_a_total_the_plan_is_the_total(cls, unit, planned):
    assert by_step(cls(unit=unit), 140, planned=20) == by_step(cls(planned, unit=unit), 140, planned=20)


def test_epochs_change_the_rate_between_epochs_and_steps_within():
    assert len(set(by_step(Cosine(), 7 * 5))) == 5
    assert len(set(by_step(Cosine(unit="step"), 7 * 5))) == 7 * 5


# Warm-up


@pytest.mark.parametrize("then", [each for each in EXAMPLES if not isinstance(each, WarmUp)], ids=repr)
def test_behind_a_warm_up_a_schedule_starts_at_its_own_beginning(then):
    losses = list(np.random.default_rng(0).exponential(size=EPOCHS))

    def at(epoch, before):
        step = 7 * epoch + 3
        plan = {"steps_per_epoch": 7, "epochs": 40 + before}
        return Progress(
            step + 7 * before, epoch + before, 50 * (epoch + before), 1, losses=losses[6 - before :], **plan
        )

    schedule = WarmUp(6, 0.5, then)
    assert schedule.lowest == then.lowest
    for epoch in range(50):
        assert schedule.rate(0.1, at(epoch, 6)) == then.rate(0.1, at(epoch, 0))


def test_a_warm_up_of_steps_hands_over_within_an_epoch():
    rates = by_step(WarmUp(10, 0.5, Step(1, 0.5), unit="step"), 28)
    np.testing.assert_allclose(rates[:10], 0.1 * (0.5 + np.arange(10) / 20), rtol=1e-12)
    assert rates[10:14] == [0.1] * 4
    assert rates[14:21] == [0.05] * 7
    assert rates[21:] == [0.025] * 7


@pytest.mark.parametrize("per_epoch", [1, 3, 10, 100])
def test_behind_warm_ups_of_steps_the_plan_is_the_steps_that_are_left(per_epoch):
    planned, cosine = 30 * per_epoch, Cosine(unit="step")
    warm_up = WarmUp(9, then=WarmUp(4, then=cosine, unit="step"), unit="step")
    for step in range(13, planned + 9):
        here = Progress(step, step // per_epoch, epochs=30, steps_per_epoch=per_epoch)
        alone = Progress(step - 13, epochs=planned - 13)
        assert warm_up.rate(0.1, here) == pytest.approx(cosine.rate(0.1, alone), rel=1e-12)


def test_a_warm_up_longer_than_the_plan_is_a_warm_up_all_along():
    rates = by_epoch(WarmUp(100, 0.5, Cosine()), 20, planned=20)
    np.testing.assert_allclose(rates, 0.1 * (0.5 + np.arange(20) / 200), rtol=1e-12)


def test_warm_ups_can_follow_each_other():
    rates = by_epoch(WarmUp(4, 0.5, WarmUp(4, 0.5, Step(2, 0.5))), 12)
    np.testing.assert_allclose(rates[:8], 2 * [0.05, 0.0625, 0.075, 0.0875], rtol=1e-12)
    np.testing.assert_allclose(rates[8:], [0.1, 0.1, 0.05, 0.05], rtol=1e-12)


# Plateau


def test_plateau_waits_for_more_epochs_than_its_patience():
    rates = by_losses(Plateau(0.5, 2), [1.0] * 8)
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]


def test_plateau_does_not_count_while_it_cools_down():
    rates = by_losses(Plateau(0.5, 0, cooldown=2), [1.0] * 6)
    assert rates == [0.1, 0.05, 0.05, 0.05, 0.025, 0.025]


def test_plateau_measures_progress_relative_to_the_best_loss_whatever_its_sign():
    falling = [0.999**i for i in range(20)]
    assert set(by_losses(Plateau(0.5, 1, threshold=1e-4), falling)) == {0.1}
    assert min(by_losses(Plateau(0.5, 1, threshold=0.1), falling)) < 0.1
    negative = [-1 - i / 1000 for i in range(20)]
    assert set(by_losses(Plateau(0.5, 1, threshold=1e-4), negative)) == {0.1}
    assert min(by_losses(Plateau(0.5, 1, threshold=0.1), negative)) < 0.1
    assert min(by_losses(Plateau(0.5, 1), [-1.0] * 20)) < 0.1


def test_plateau_takes_infinite_losses_for_no_progress():
    assert by_losses(Plateau(0.5, 1), [math.inf] * 3 + [1.0, 0.5]) == [0.1, 0.05, 0.05, 0.05, 0.05]
    assert by_losses(Plateau(0.5, 1), [math.nan] * 2) == [0.1, 0.05]


def test_plateau_looks_at_all_losses_though_it_remembers_answers():
    schedule = Plateau(0.5, 0)
    improving, level = [4.0, 3.0, 2.0, 1.0], [1.0, 1.0, 1.0, 1.0]  # as many, and the same last one
    assert schedule.rate(0.1, Progress(losses=improving)) == 0.1
    assert schedule.rate(0.1, Progress(losses=level)) == 0.1 * 0.5**3
    improving[1] = 5.0
    assert schedule.rate(0.1, Progress(losses=improving)) == 0.05
    assert Plateau(0.5, 9).rate(0.1, Progress(losses=level)) == 0.1


def test_an_end_of_progress_is_a_plateau_too_but_not_a_second_one():
    schedule, level = Plateau(0.5, 1), [1.0, 1.0, 1.0]
    rates = [schedule.rate(0.1, Progress(plateaus=plateaus, losses=level)) for plateaus in range(4)]
    assert rates == [0.05, 0.05, 0.025, 0.0125]


def test_training_goes_on_until_a_plateaus_rate_is_the_smallest():
    optimizer = SGD(0.1, schedule=Plateau(0.5, 0, min_rate=0.03))
    assert optimizer.should_continue(Progress(losses=[1.0, 1.0]))
    assert not optimizer.should_continue(Progress(losses=[1.0, 1.0, 1.0]))
    assert not SGD(0.001, schedule=Plateau(min_rate=0.001)).should_continue(Progress())


# All of them

FAR = [
    Progress(),
    Progress(10**9, 10**7, 10**9, steps_per_epoch=100, epochs=10),
    *(Progress(t, t, t, steps_per_epoch=1, epochs=1, losses=[1.0] * t) for t in (0, 1, 2, 50)),
    *(Progress(t, 0, 0, steps_per_epoch=2, epochs=1) for t in (0, 1, 2, 50)),
]


def test_no_schedule_raises_the_learning_rate_whatever_the_plan():
    for ours, progress, learning_rate in itertools.product(EXAMPLES, FAR, (1e-8, 0.1, 1e4)):
        # 0.01: min_rate may be more than a tiny learning rate
        assert 0 <= ours.rate(learning_rate, progress) <= max(learning_rate, 0.01), ours


@pytest.mark.parametrize(
    ("cls", "fields"),
    [
        (Step, {"step_size": 0}),
        (Step, {"step_size": 3, "gamma": 1.1}),
        (Step, {"step_size": 3, "unit": "row"}),
        (MultiStep, {"milestones": (5, 3)}),
        (MultiStep, {"milestones": ()}),
        (MultiStep, {"milestones": (0,)}),
        (Exponential, {"gamma": 0.0}),
        (Exponential, {"gamma": math.nan}),
        (Polynomial, {"total": 0}),
        (Polynomial, {"power": 0.0}),
        (Polynomial, {"end_rate": -0.1}),
        (Cosine, {"min_rate": math.inf}),
        (CosineRestarts, {"period": 0}),
        (CosineRestarts, {"period": 3, "multiplier": 0}),
        (CosineRestarts, {"period": 3, "multiplier": 1.5}),
        (WarmUp, {"length": 0}),
        (WarmUp, {"start_factor": 0.0}),
        (WarmUp, {"then": "cosinus"}),
        (OneCycle, {"pct_start": 1.1}),
        (OneCycle, {"div_factor": 0.5}),
        (OneCycle, {"anneal_strategy": "cos"}),
        (FlatCosine, {"share": 1.0}),
        (Coslog, {"waves": 0}),
        (Plateau, {"factor": 1.0}),
        (Plateau, {"patience": -1}),
        (Plateau, {"threshold": 1.0}),
        (Plateau, {"cooldown": -1}),
        (Plateau, {"min_rate": -1e-6}),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused_on_construction(cls, fields):
    with pytest.raises(InvalidSpecError, match=list(fields)[-1]):
        cls(**fields)
