"""Where the time of a search goes: functions of scikit-learn's and modnet's, timed wherever they are called from."""

import functools
import inspect
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from sklearn.base import clone
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks.problem import Array
from benchmarks.searching import Searched, grid
from modnet import ModNetClassifier
from modnet.estimators import fitting, preparation
from modnet.network import Network, trial
from modnet.training import Trainer

PARTS: dict[str, tuple[Callable[..., Any], ...]] = {
    "clone": (clone,),
    "scaler": (StandardScaler.fit, StandardScaler.transform),
    "validation of X and y": (preparation.prepared,),
    "spec": (ModNetClassifier.to_spec, fitting.decided),
    "network, first weights": (preparation.with_chosen_inputs, preparation.network_for, Network.initialize),
    "trial": (fitting.try_out, trial.check_values),
    "trainer": (fitting.trainer_on,),
    "epochs": (Trainer.fit,),
    "fit, the rest": (ModNetClassifier.fit, MLPClassifier.fit),
}
"""Each is timed without what others among them take in it."""

SCORING, REST = "scoring", "pipeline and search"


class Stopwatch:
    """Seconds by part; while a part runs in another one, the other one's time stands still."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._running = [REST]
        self._since = time.perf_counter()

    def turn(self, change: Callable[[], object]) -> None:
        """Book the time since the last change to what is running, and change that."""
        now = time.perf_counter()
        self.seconds[self._running[-1]] += now - self._since
        change()
        self._since = now

    def timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same, and whose time is booked."""

        @functools.wraps(call)
        def running(*arguments: Any, **named: Any) -> Any:
            self.turn(lambda: self._running.append(part))
            try:
                return call(*arguments, **named)
            finally:
                self.turn(self._running.pop)

        return running

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Time all `PARTS` in the block."""
        with ExitStack() as stack:
            for part, functions in PARTS.items():
                for each in functions:
                    new = self.timed(part, each)
                    for holder, name, static in _holders(each):
                        stack.enter_context(patch.object(holder, name, staticmethod(new) if static else new))
            self.turn(self.seconds.clear)
            yield
            self.turn(lambda: None)


def _holders(function: Callable[..., Any]) -> Iterator[tuple[Any, str, bool]]:
    """Yield the modules and classes that hold a function, under which name, and whether as a static method."""
    modules = [each for name, each in list(sys.modules.items()) if name.split(".")[0] in ("modnet", "sklearn")]
    classes = {each for module in modules for each in vars(module).values() if inspect.isclass(each)}
    for holder in (*modules, *classes):
        for name, value in list(vars(holder).items()):
            static = isinstance(value, staticmethod)
            if (value.__func__ if static else value) is function:
                yield holder, name, static


def _scored(pipeline: Any, X: Array, y: Array) -> float:
    return float(pipeline.score(X, y))


def times_of_parts(searched: Searched, X: Array, rounds: int) -> dict[str, float]:
    """Return the seconds of each part of a GridSearchCV, in the fastest of some rounds."""
    best: dict[str, float] = {}
    for _ in range(rounds + 1):  # the first one warms up
        watch = Stopwatch()
        with watch.watching():
            grid(searched, X, scoring=watch.timed(SCORING, _scored))
        if not best or sum(watch.seconds.values()) < sum(best.values()):
            best = dict(watch.seconds)
    order = (*PARTS, SCORING, REST)
    return {part: best[part] for part in order if part in best}
