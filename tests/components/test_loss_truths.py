"""What losses refuse: truths that they cannot measure against, and hyper-parameters that make no sense."""

import numpy as np
import pytest

from modnet.errors import InvalidSpecError
from modnet.losses import (
    AbsoluteError,
    CrossEntropy,
    Focal,
    Gamma,
    GaussianNLL,
    Hinge,
    Huber,
    PerOutput,
    Poisson,
    SquaredHinge,
    Tweedie,
)


@pytest.mark.parametrize(
    ("measure", "t", "report"),
    [
        (Poisson(), [[0.0], [2.0], [1.5], [-1.0]], r"poisson needs targets ≥ 0, got \[-1.0\] in row 3"),
        (Poisson(), [[0.0, 1.0], [2.0, -3.0]], r"got \[2.0, -3.0\] in row 1"),
        (Poisson(), [[np.nan]], r"got \[nan\] in row 0"),
        (Gamma(), [[1.0], [0.0]], r"gamma needs targets > 0, got \[0.0\] in row 1"),
        (Tweedie(), [[0.0], [-2.0]], r"tweedie of power 1.5 needs targets ≥ 0, got \[-2.0\] in row 1"),
        (Tweedie(2.0), [[1.0], [0.0]], r"tweedie of power 2 needs targets > 0, got \[0.0\] in row 1"),
        (CrossEntropy(), [0, 2, -1], "cross_entropy needs class codes 0, 1, 2, …, got -1 in row 2"),
        (CrossEntropy(), [0.0, 0.5], "got 0.5 in row 1"),
        (CrossEntropy("sigmoid"), [[1.0], [0.5]], r"cross_entropy needs targets 0 or 1, got \[0.5\] in row 1"),
        (Focal(link="softmax"), [0, -1], "focal needs class codes"),
        (Focal(), [[0.0, 1.0], [2.0, 1.0]], r"focal needs targets 0 or 1, got \[2.0, 1.0\] in row 1"),
        (Hinge(), [[1.0], [-1.0]], r"hinge loss needs targets 0 or 1, got \[-1.0\] in row 1"),
        (SquaredHinge("exclusive"), [1, -1], "needs class codes 0, 1, 2, …, got -1 in row 1"),
        (PerOutput([CrossEntropy(), CrossEntropy("sigmoid")], [3, 1]), [[2, 0], [1, 2]], "got 2 in row 1"),
    ],
)
def test_the_first_row_that_does_not_fit_is_named(measure, t, report):
    with pytest.raises(ValueError, match=report):
        measure.check_truth(np.array(t))


@pytest.mark.parametrize(
    ("measure", "t"),
    [
        (Poisson(), [[0.0], [2.5]]),
        (Tweedie(1.0), [[0.0], [2.5]]),
        (Gamma(), [[1e-300]]),
        (AbsoluteError(), [[-1e300]]),
        (CrossEntropy(), [0, 0, 7]),
        (Focal(link="softmax"), np.array([1, 2], np.uint8)),
        (CrossEntropy("sigmoid"), [[0.0, 1.0]]),
        (Hinge("exclusive"), [0, 1]),
    ],
)
def test_what_fits_passes(measure, t):
    measure.check_truth(np.array(t))


@pytest.mark.parametrize(
    ("make", "report"),
    [
        (lambda: Huber(0.0), "delta: should be greater than 0"),
        (lambda: Huber(float("inf")), "delta: "),
        (lambda: Tweedie(0.9), "power: should be greater than or equal to 1"),
        (lambda: Tweedie(2.1), "power: should be less than or equal to 2"),
        (lambda: GaussianNLL(0.0), "epsilon: should be greater than 0"),
        (lambda: GaussianNLL(float("nan")), "epsilon: "),
        (lambda: CrossEntropy(label_smoothing=1.0), "label_smoothing: should be less than 1"),
        (lambda: CrossEntropy(label_smoothing=-0.1), "label_smoothing: should be greater than or equal to 0"),
        (lambda: Focal(-1.0), "gamma: should be greater than or equal to 0"),
        (lambda: Focal(float("inf")), "gamma: "),
        (lambda: Focal(alpha=1.0), "alpha: "),
        (lambda: Focal(alpha=0.5, link="softmax"), "alpha weighs 1 against 0 and needs link='sigmoid'"),
        (lambda: Hinge("both"), "columns: "),
    ],
)
def test_hyper_parameters_out_of_range_fail_on_construction(make, report):
    with pytest.raises(InvalidSpecError, match=report):
        make()
