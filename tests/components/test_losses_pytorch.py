"""The standard losses against PyTorch's, value and gradient; by formula and autograd where it has none."""

import math

import numpy as np
import pytest

from modnet.losses import (
    AbsoluteError,
    CrossEntropy,
    Focal,
    Gamma,
    GaussianNLL,
    Hinge,
    Huber,
    LogCosh,
    Poisson,
    Quantile,
    SquaredError,
    SquaredHinge,
    Tweedie,
)

torch = pytest.importorskip("torch")

N = 30
RNG = np.random.default_rng(0)
WEIGHT = RNG.uniform(0.1, 3, N)
NUMBERS, COUNTS, AMOUNTS = RNG.normal(size=(N, 3)), RNG.poisson(1.5, (N, 3)).astype(float), RNG.gamma(2, size=(N, 3))
CODES, LABELS = RNG.integers(4, size=N), RNG.integers(2, size=(N, 3)).astype(float)
RAW = RNG.normal(scale=2, size=(N, 3))


def compare(loss, t, raw, rows, constant=0.0):
    """Hold a loss against `rows(torch, F, t, z)`, which returns J per row, or per row and column, up to a constant."""
    for weight in (None, WEIGHT):
        z = torch.tensor(raw, requires_grad=True)
        each = rows(torch, torch.nn.functional, torch.tensor(t), z).reshape(N, -1).sum(dim=1)
        w = torch.ones(N, dtype=z.dtype) if weight is None else torch.tensor(weight)
        J = (w * each).sum() / w.sum()
        J.backward()
        value, gradient = loss.value_and_gradient(t, raw, weight=weight)
        added = np.average(np.broadcast_to(constant, (N,)), weights=weight)
        assert value == pytest.approx(J.item() + added, rel=1e-10, abs=1e-12)
        np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_squared_error_is_half_of_pytorchs_mse_loss():
    compare(SquaredError(), NUMBERS, RAW, lambda torch, F, t, z: 0.5 * F.mse_loss(z, t, reduction="none"))


def test_absolute_error_is_pytorchs_l1_loss():
    compare(AbsoluteError(), NUMBERS, RAW, lambda torch, F, t, z: F.l1_loss(z, t, reduction="none"))


@pytest.mark.parametrize("delta", [0.3, 1.0, 2.5])
def test_huber_is_pytorchs_huber_loss(delta):
    compare(Huber(delta), NUMBERS, RAW, lambda torch, F, t, z: F.huber_loss(z, t, reduction="none", delta=delta))


def test_log_cosh_differentiates_like_pytorchs_formula():
    compare(LogCosh(), NUMBERS, RAW, lambda torch, F, t, z: torch.log(torch.cosh(z - t)))


def test_poisson_is_pytorchs_poisson_nll_loss_and_a_constant():
    positive = np.where(COUNTS > 0, COUNTS, 1)
    constant = (COUNTS * np.log(positive) - COUNTS).sum(axis=1)
    compare(Poisson(), COUNTS, RAW, lambda torch, F, t, z: F.poisson_nll_loss(z, t, reduction="none"), constant)


def test_gamma_differentiates_like_pytorchs_formula():
    compare(Gamma(), AMOUNTS, RAW, lambda torch, F, t, z: t / z.exp() - 1 - torch.log(t / z.exp()))


@pytest.mark.parametrize("p", [1.1, 1.5, 1.9])
def test_tweedie_differentiates_like_pytorchs_formula(p):
    def half_deviance(torch, F, t, z):
        y = z.exp()
        return t ** (2 - p) / ((1 - p) * (2 - p)) - t * y ** (1 - p) / (1 - p) + y ** (2 - p) / (2 - p)

    compare(Tweedie(p), COUNTS, RAW, half_deviance)


def test_gaussian_nll_is_pytorchs():
    def nll(torch, F, t, raw):
        variance = torch.logaddexp(raw[:, 3:], torch.zeros_like(t)) + 1e-6
        return F.gaussian_nll_loss(raw[:, :3], t, variance, reduction="none")

    compare(GaussianNLL(), NUMBERS, RNG.normal(size=(N, 6)), nll)


@pytest.mark.parametrize("levels", [(0.5,), (0.2,), (0.1, 0.4, 0.5, 0.95)])
def test_quantiles_differentiate_like_pytorchs_formula(levels):
    def pinball(torch, F, t, raw):
        z = raw.reshape(N, 3, len(levels))
        steps = torch.logaddexp(z[..., 1:], torch.zeros_like(z[..., 1:]))
        predicted = torch.cat([z[..., :1], steps], dim=-1).cumsum(dim=-1)
        e = t[..., None] - predicted
        tau = torch.tensor(levels, dtype=e.dtype)
        return torch.maximum(tau * e, (tau - 1) * e)

    compare(Quantile(levels), NUMBERS, RNG.normal(size=(N, 3 * len(levels))), pinball)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
def test_cross_entropy_of_classes_is_pytorchs(smoothing):
    def rows(torch, F, t, z):
        return F.cross_entropy(z, t, reduction="none", label_smoothing=smoothing)

    compare(CrossEntropy("softmax", smoothing), CODES, RNG.normal(scale=3, size=(N, 4)), rows)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
def test_cross_entropy_of_labels_is_pytorchs_with_logits(smoothing):
    def rows(torch, F, t, z):
        smoothed = (1 - smoothing) * t + smoothing / 2
        return F.binary_cross_entropy_with_logits(z, smoothed, reduction="none")

    compare(CrossEntropy("sigmoid", smoothing), LABELS, RAW, rows)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 3.7])
@pytest.mark.parametrize("alpha", [None, 0.25])
def test_focal_of_labels_differentiates_like_pytorchs_formula(gamma, alpha):
    def rows(torch, F, t, z):
        p = torch.sigmoid(torch.where(t == 1, z, -z))
        weight = 1 if alpha is None else torch.where(t == 1, alpha, 1 - alpha)
        return -weight * (1 - p) ** gamma * torch.log(p)

    compare(Focal(gamma, alpha), LABELS, RAW, rows)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 3.7])
def test_focal_of_classes_differentiates_like_pytorchs_formula(gamma):
    def rows(torch, F, t, z):
        log_p = torch.log_softmax(z, dim=1).gather(1, t[:, None])
        return -((1 - log_p.exp()) ** gamma) * log_p

    compare(Focal(gamma, link="softmax"), CODES, RNG.normal(size=(N, 4)), rows)


@pytest.mark.parametrize(("cls", "p"), [(Hinge, 1), (SquaredHinge, 2)])
def test_hinges_of_classes_are_pytorchs_multi_margin_loss_times_k(cls, p):
    def rows(torch, F, t, z):
        return 4 * F.multi_margin_loss(z, t, p=p, reduction="none")

    compare(cls("exclusive"), CODES, RNG.normal(size=(N, 4)), rows)


@pytest.mark.parametrize(("cls", "p"), [(Hinge, 1), (SquaredHinge, 2)])
def test_hinges_of_labels_differentiate_like_pytorchs_formula(cls, p):
    compare(cls(), LABELS, RAW, lambda torch, F, t, z: torch.clamp(1 - (2 * t - 1) * z, min=0) ** p)


def test_kinks_are_where_pytorch_puts_them():
    F = torch.nn.functional
    for loss, t, raw, theirs in (
        (AbsoluteError(), np.array([[1.0]]), [[1.0]], F.l1_loss),
        (Huber(1.0), np.array([[0.0]]), [[1.0]], F.huber_loss),
        (Hinge("exclusive"), np.array([0]), [[1.0, 0.0, -5.0]], F.multi_margin_loss),
    ):
        z = torch.tensor(raw, dtype=torch.float64, requires_grad=True)
        theirs(z, torch.tensor(t)).backward()
        np.testing.assert_array_equal(loss.gradient(t, np.array(raw)), z.grad.numpy())


def test_tails_are_pytorchs():
    F = torch.nn.functional
    z = np.array([[1e4, -1e4, 0.0]])
    found = CrossEntropy(label_smoothing=0.1).value(np.array([1]), z)
    assert found == pytest.approx(F.cross_entropy(torch.tensor(z), torch.tensor([1]), label_smoothing=0.1).item())
    assert math.isfinite(found)
