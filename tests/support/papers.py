"""Optimizers as their papers print them, one array per symbol: generators that are sent g and yield how far θ moves.

Each opens with a bare yield, which is where the first gradient comes in.
"""

import itertools
import math

import numpy as np


def kingma_ba(eta, beta_1, beta_2, epsilon, *, amsgrad=False):
    """Algorithm 1 of Kingma & Ba (2015); with the largest v so far, algorithm 2 of Reddi et al. (2018)."""
    m = v = largest = 0
    g = yield
    for t in itertools.count(1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        largest = np.maximum(largest, v)
        m_hat = m / (1 - beta_1**t)
        v_hat = (largest if amsgrad else v) / (1 - beta_2**t)
        g = yield eta * m_hat / (np.sqrt(v_hat) + epsilon)


def adamax(eta, beta_1, beta_2, epsilon):
    """Algorithm 2 of Kingma & Ba (2015), ε beside |g|."""
    m = u = 0
    g = yield
    for t in itertools.count(1):
        m = beta_1 * m + (1 - beta_1) * g
        u = np.maximum(beta_2 * u, abs(g) + epsilon)
        g = yield eta / (1 - beta_1**t) * m / u


def dozat(eta, beta_1, beta_2, epsilon, psi):
    """Dozat's (2016) algorithm with his schedule of the momentum."""
    m = v = 0
    mu = [beta_1 * (1 - 0.5)]
    g = yield
    for t in itertools.count(1):
        mu += [beta_1 * (1 - 0.5 * 0.96 ** (step * psi)) for step in range(len(mu), t + 2)]
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        g_part = (1 - mu[t]) * g / (1 - math.prod(mu[1 : t + 1]))
        m_part = mu[t + 1] * m / (1 - math.prod(mu[1 : t + 2]))
        g = yield eta * (g_part + m_part) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)


def liu(eta, beta_1, beta_2, epsilon):
    """Algorithm 2 of Liu et al. (2020), dividing from ρ > 5 on."""
    m = v = 0
    longest = 2 / (1 - beta_2) - 1
    g = yield
    for t in itertools.count(1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat = m / (1 - beta_1**t)
        rho = longest - 2 * t * beta_2**t / (1 - beta_2**t)
        if rho > 5:
            r = math.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
            g = yield eta * r * m_hat * math.sqrt(1 - beta_2**t) / (np.sqrt(v) + epsilon)
        else:
            g = yield eta * m_hat


def rmsprop(eta, rho, epsilon, mu=0.0, *, centered=False):
    """Tieleman & Hinton (2012); centered, Graves (2013)."""
    v = mean = b = 0
    g = yield
    while True:
        v = rho * v + (1 - rho) * g**2
        mean = rho * mean + (1 - rho) * g
        b = mu * b + g / (np.sqrt(v - mean**2 if centered else v) + epsilon)
        g = yield eta * b


def duchi(eta, first, epsilon):
    """Duchi et al. (2011), with the diagonal."""
    squares = first
    g = yield
    while True:
        squares = squares + g**2
        g = yield eta * g / (np.sqrt(squares) + epsilon)


def zeiler(eta, rho, epsilon):
    """Algorithm 1 of Zeiler (2012)."""
    v = u = 0
    g = yield
    while True:
        v = rho * v + (1 - rho) * g**2
        delta = np.sqrt(u + epsilon) / np.sqrt(v + epsilon) * g
        u = rho * u + (1 - rho) * delta**2
        g = yield eta * delta


def chen(eta, beta_1, beta_2):
    """Lion as in Chen et al. (2023)."""
    m = 0
    g = yield
    while True:
        update = np.sign(beta_1 * m + (1 - beta_1) * g)
        m = beta_2 * m + (1 - beta_2) * g
        g = yield eta * update


def zhuang(eta, beta_1, beta_2, epsilon):
    """AdaBelief as in Zhuang et al. (2020)."""
    m = s = 0
    g = yield
    for t in itertools.count(1):
        m = beta_1 * m + (1 - beta_1) * g
        s = beta_2 * s + (1 - beta_2) * (g - m) ** 2 + epsilon
        g = yield eta * m / (1 - beta_1**t) / (np.sqrt(s / (1 - beta_2**t)) + epsilon)
