"""Training time of modnet against scikit-learn's MLP: same net, data, batch size, Adam, dtype, seeds and epochs.

Run ``python tests/benchmarks/training.py``. Both estimators' whole ``fit`` is timed, in turn, in one process; absolute
times drift from machine to machine and from hour to hour, the ratio of medians is the result.
"""

import argparse
import statistics
import time
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from modnet import ModNetClassifier


@dataclass(frozen=True)
class Case:
    """One net and its batch size; `target` is the ratio that modnet promises, if it promises one."""

    sizes: tuple[int, ...]
    batch_size: int
    rows: int
    epochs: int
    target: float | None = None

    @property
    def title(self) -> str:
        """Widths and batch size."""
        return f"{'-'.join(map(str, self.sizes))}, {self.batch_size}"

    @property
    def steps(self) -> int:
        """Optimizer steps in one fit."""
        return self.epochs * -(-self.rows // self.batch_size)


CASES = (
    Case((64, 32, 10), 32, 6_400, 10, 3.0),
    Case((20, 64, 64, 2), 256, 25_600, 5, 2.0),
    Case((784, 100, 10), 200, 8_000, 5),
    Case((784, 512, 256, 10), 128, 5_120, 2, 1.3),
)


def estimators(case: Case) -> dict[str, MLPClassifier | ModNetClassifier]:
    """Return the contenders, set up alike."""
    hidden, batch_size, epochs = case.sizes[1:-1], case.batch_size, case.epochs
    common = {"batch_size": batch_size, "max_iter": epochs, "n_iter_no_change": 10**6, "tol": 0.0, "random_state": 0}
    return {"scikit-learn": MLPClassifier(hidden, **common), "modnet": ModNetClassifier(hidden, **common)}


def seconds(estimator: MLPClassifier | ModNetClassifier, X: np.ndarray, y: np.ndarray) -> float:
    """Return how long one fit takes."""
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is the point here
        estimator.fit(X, y)
    return time.perf_counter() - started


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="fits per contender; the median counts")
    parser.add_argument("--threads", type=int, default=1, help="BLAS threads")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    options = parser.parse_args()
    print(f"{options.dtype}, {options.threads} thread(s), median of {options.repeats} fits, µs per step")
    print(f"{'net, batch':26}{'scikit-learn':>14}{'modnet':>10}{'ratio':>8}{'target':>8}")
    with threadpool_limits(options.threads):
        for case in CASES:
            rng = np.random.default_rng(0)
            X = rng.normal(size=(case.rows, case.sizes[0])).astype(options.dtype)
            y = rng.integers(0, case.sizes[-1], case.rows)
            times: dict[str, list[float]] = {}
            for _ in range(options.repeats):
                for name, estimator in estimators(case).items():
                    times.setdefault(name, []).append(seconds(estimator, X, y))
            theirs, ours = (statistics.median(times[name]) / case.steps * 1e6 for name in ("scikit-learn", "modnet"))
            target = f"{case.target:.1f}" if case.target else "-"
            print(f"{case.title:26}{theirs:14.1f}{ours:10.1f}{theirs / ours:8.2f}{target:>8}")


if __name__ == "__main__":
    main()
