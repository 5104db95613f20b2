"""Randomness: independent streams for each purpose, all from one ``random_state``."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state


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
