"""What outlasts a training: streams of random numbers, what the optimizer remembers, and the estimator if it fails."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state

from modnet.base import Optimizer, OptimizerState
from modnet.estimators.epochs import CALLBACKS
from modnet.spec import ModelSpec


@dataclass
class Streams:
    """One generator per purpose, so that none disturbs another: more dropout does not change the order of rows."""

    init: np.random.Generator
    shuffle: np.random.Generator
    noise: np.random.Generator
    split: np.random.Generator

    @classmethod
    def of(cls, random_state: Any) -> Self:
        """Return four streams; an int gives the same ones every time."""
        entropy = check_random_state(random_state).randint(0, 2**31 - 1, size=4)
        seeds = np.random.SeedSequence(entropy.tolist()).spawn(4)
        return cls(*(np.random.default_rng(seed) for seed in seeds))


def check_same_network(spec: ModelSpec, before: ModelSpec) -> None:
    """Check that a spec describes the network that an earlier one has made.

    Raises
    ------
    ValueError
        Naming the parameter that has changed.
    """
    for name in ("layers", "output_activation"):
        if getattr(spec, name) != getattr(before, name):
            raise ValueError(f"{name} has changed since the network was made; fit a new estimator instead")


def carry_over(old: OptimizerState, new: OptimizerState, before: ModelSpec, spec: ModelSpec) -> None:
    """Write into a new state what the old one remembers, as far as both optimizers remember it."""
    now, earlier = spec.optimizer, before.optimizer
    if not (isinstance(now, Optimizer) and isinstance(earlier, type(now))):
        return
    new.step = old.step
    if (now.ema, now.swa) == (earlier.ema, earlier.swa):
        new.average = copy.deepcopy(old.average)
    for name in new.vectors.keys() & old.vectors.keys():
        new.vectors[name][...] = old.vectors[name]
    for name in new.scalars.keys() & old.scalars.keys():
        new.scalars[name] = old.scalars[name]


@contextmanager
def unchanged_on_failure(estimator: Any) -> Iterator[None]:
    """Put back every attribute if the block raises; callbacks stay, for scikit-learn to end them."""
    attributes = vars(estimator)
    before = dict(attributes)
    try:
        yield
    except BaseException:
        before.update({name: attributes[name] for name in CALLBACKS if name in attributes})
        attributes.clear()
        attributes.update(before)
        raise


def reconstruction(estimator: Any) -> Callable[[], dict[str, Any]]:
    """Return what makes a copy of an estimator a fitted one of its own, for callbacks that want it."""
    mutable = ("theta_", "state_", "optimizer_state_", "_streams")
    return lambda: {name: copy.deepcopy(getattr(estimator, name)) for name in mutable}
