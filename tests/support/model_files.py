"""Model files to write, to look into and to forge."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from modnet import ModNetClassifier
from support.classic import CLASSIC

SETTINGS: dict[str, Any] = {**CLASSIC, "layers": (6, "dropout"), "max_iter": 3, "batch_size": 16, "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
CODES = RNG.integers(3, size=60)
NAMES = np.array(["ant", "bee", "cat"])[CODES]


def classifier(**params: Any) -> ModNetClassifier:
    """A small one."""
    return ModNetClassifier(**{**SETTINGS, **params})


def header_of(path: Path) -> Any:
    with np.load(path, allow_pickle=False) as archive:
        return json.loads(archive["header"].tobytes())


def forge(path: Path, change: Any = None, **arrays: Any) -> Path:
    """Write a model file anew with another header, or other arrays."""
    with np.load(path, allow_pickle=False) as archive:
        members = {name: archive[name] for name in archive}
    header = json.loads(members["header"].tobytes())
    if change is not None:
        header = change(header) or header
    text = json.dumps(header).encode()
    np.savez(path, **{**members, "header": np.frombuffer(text, np.uint8), **arrays})
    return path
