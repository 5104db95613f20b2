"""Figures of the house: how much code there is, and how far a reader has to go from `fit` to a derivative.

Each limit is held here; one that rises needs a reason in the commit. `pytest tests/test_house.py -rP` prints them.
"""

import ast
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sklearn.datasets import load_iris

from modnet import ModNetClassifier
from modnet.neural_network import MLPClassifier
from modnet.training import Trainer

ROOT = Path(__file__).parents[1]
OURS = [*(ROOT / "modnet").rglob("*.py"), *(ROOT / "plugins" / "modnet_standard").rglob("*.py")]


def held(what: str, found: int, limit: int) -> None:
    """Print a figure, and hold it."""
    print(f"{what}: {found}, at most {limit}")
    assert found <= limit, what


# Size


def lines_of_code(path: Path) -> int:
    """Lines that are neither blank nor a comment nor part of a docstring."""
    text = path.read_text(encoding="utf-8")
    strings = (
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )
    documented = {line for lines in strings for line in lines}
    lines = enumerate(text.splitlines(), 1)
    return sum(bool(line.strip()) and line.lstrip()[0] != "#" and n not in documented for n, line in lines)


def test_the_code_is_small():
    held("lines of code in modnet and modnet_standard", sum(map(lines_of_code, OURS)), 15_690)


def test_no_file_is_long():
    files = [path for folder in ("modnet", "plugins", "tests", "examples") for path in (ROOT / folder).rglob("*.py")]
    longest = max(files, key=lambda path: len(path.read_text(encoding="utf-8").splitlines()))
    held(f"lines of {longest.name}", len(longest.read_text(encoding="utf-8").splitlines()), 400)


@pytest.mark.parametrize(("cls", "limit"), [(ModNetClassifier, 40), (MLPClassifier, 52)])
def test_an_estimator_has_few_methods(cls: type, limit: int):
    mine = [vars(each) for each in cls.__mro__ if each.__module__.partition(".")[0] == "modnet"]
    methods = {name for names in mine for name, value in names.items() if hasattr(value, "__get__")}
    requests = {name for name in methods if name.startswith("set_") and name.endswith("_request")}  # scikit-learn's
    held(f"methods of {cls.__name__}", len(methods - requests), limit)


# The way from fit to the first product


def is_ours(frame: FrameType) -> bool:
    """Whether a function is modnet's, or a standard component's."""
    return Path(frame.f_code.co_filename) in OURS


class FirstProduct:
    """How far `fit` is from the first matrix product of training."""

    def __init__(self) -> None:
        self.calls = self.frames = 0
        self._training = False

    def __call__(self, frame: FrameType, event: str, found: Any) -> None:
        """Count our own calls, and frames when the product is made."""
        if self.frames:
            return
        if event == "call":
            self.calls += is_ours(frame)
            self._training |= frame.f_code is Trainer.fit.__code__
        if event == "c_call" and self._training and found.__name__ in ("dot", "matmul"):
            self.frames = len(list(outwards(frame)))


class LastStep:
    """The files in which code of ours runs in the last step of a training, when all is prepared."""

    def __init__(self) -> None:
        self.files: set[Path] = set()

    def __call__(self, frame: FrameType, event: str, found: Any) -> None:
        """Take note of a file."""
        if event == "call" and frame.f_code is Trainer.epoch.__code__:
            self.files = set()  # an epoch is a step here
        if event == "call" and is_ours(frame) and Trainer.epoch.__code__ in (each.f_code for each in outwards(frame)):
            self.files.add(Path(frame.f_code.co_filename))


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames from one up to `fit`."""
    while frame is not None and frame.f_code is not watched_fit.__code__:
        yield frame
        frame = frame.f_back


def watched_fit(watch: Callable[[FrameType, str, Any], None]) -> None:
    """Fit iris while somebody watches."""
    X, y = load_iris(return_X_y=True)
    textbook = {
        "inputs": None,
        "early_stopping": False,
        "max_iter": 2,
    }  # equations and nothing beside
    model = ModNetClassifier(layers=(8,), accelerator=None, random_state=0, **textbook)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)  # what is imported and looked up once per process
        sys.setprofile(watch)
        try:
            model.fit(X, y)
        finally:
            sys.setprofile(None)


def test_the_first_product_is_near():
    watch = FirstProduct()
    watched_fit(watch)
    held("frames from fit to the first product of training", watch.frames, 8)
    held("calls of ours before it, trial run included", watch.calls, 1_400)


def test_a_training_step_is_read_in_few_files():
    watch = LastStep()
    watched_fit(watch)
    names = ", ".join(sorted(path.name for path in watch.files))
    held(f"files of a training step ({names})", len(watch.files), 10)
    held("lines in them", sum(len(path.read_text(encoding="utf-8").splitlines()) for path in watch.files), 1_770)
