"""The contenders, each in a file of its own that is imported only when its libraries are installed.

A contender's file has two functions: `prepare`, which returns what the benchmark times, and `stream`. If scikit-learn
can search its parameters it has `searched`, too.
"""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from benchmarks.problem import Array, Problem, Weights

if TYPE_CHECKING:  # it imports scikit-learn, which not every contender needs
    from benchmarks.searching import Searched, Table


class Trained(Protocol):
    """A net that was trained."""

    def weights(self) -> Weights:
        """Return its weights."""

    def predict(self, X: Array) -> Array:
        """Return the class of each row; NumPy in, NumPy out."""


Fit = Callable[[], Trained]
"""Trains a new net from `Problem.start`: the whole `fit` of an estimator, or the loop that stands for one."""

Step = Callable[[Array, Array], object]
"""Makes one step on a mini-batch, from the weights that the step before left."""


class Entry(Protocol):
    """What is in a contender's file."""

    def prepare(self, problem: Problem) -> Fit:
        """Return what trains; whatever is not part of training is done here, and not timed."""

    def stream(self, problem: Problem, rows: int) -> Step:
        """Return what makes a step on mini-batches of so many rows, as `partial_fit` does."""

    def searched(self, table: "Table", epochs: int) -> "Searched":
        """Return the estimator whose parameters are searched."""


@dataclass(frozen=True)
class Contender:
    """A contender.

    Attributes
    ----------
    name : str
    title : str
        What it is, in a line.
    file : str
        Its module in this package.
    needs : tuple of str
        Modules that have to be there, beside modnet's own dependencies.
    imports : str
        The statement that a program begins with.
    searches : tuple of str or None
        The tables on which searches are measured, where one on the others takes minutes; None: all.
    only_searches : bool
        Whether it is a net of another contender behind other parameters, and measured in searches only.
    """

    name: str
    title: str
    file: str
    imports: str
    needs: tuple[str, ...] = ()
    has_accelerator: bool = False
    in_numpy: bool = False
    searches: tuple[str, ...] | None = ()
    only_searches: bool = False

    @property
    def missing(self) -> str | None:
        """Return what has to be installed; None: nothing."""
        if self.has_accelerator and not accelerators():
            return "an accelerator such as modnet-numba"
        return next((name for name in self.needs if importlib.util.find_spec(name) is None), None)

    def prepare(self, problem: Problem) -> Fit:
        """Return what trains."""
        return self._entry.prepare(problem)

    def stream(self, problem: Problem, rows: int) -> Step:
        """Return what makes a step on mini-batches of so many rows."""
        return self._entry.stream(problem, rows)

    def searched(self, table: "Table", epochs: int) -> "Searched":
        """Return the estimator whose parameters are searched."""
        return self._entry.searched(table, epochs)

    def takes_part(self, section: str) -> bool:
        """Whether a section measures it."""
        return self.searches != () if section == "search" else not self.only_searches

    @property
    def _entry(self) -> Entry:
        return importlib.import_module(f"benchmarks.contenders.{self.file}")


def accelerators() -> list[str]:
    """Return the names of the accelerators that are installed; nothing is imported."""
    return sorted({each.name for each in importlib.metadata.entry_points(group="modnet.accelerators")})


MODNET, ACCELERATED, DROP_IN, SCIKIT_LEARN = "modnet", "modnet-accelerated", "drop-in", "scikit-learn"

CONTENDERS = (
    Contender(
        MODNET,
        "ModNetClassifier, accelerator=None",
        "modnet_numpy",
        "from modnet import ModNetClassifier",
        in_numpy=True,
        searches=None,
    ),
    Contender(
        ACCELERATED,
        'ModNetClassifier, accelerator="auto"',
        "modnet_accelerated",
        "from modnet import ModNetClassifier",
        has_accelerator=True,
        searches=None,
    ),
    Contender(
        DROP_IN,
        "modnet.neural_network.MLPClassifier, accelerator=None as by default",
        "drop_in",
        "from modnet.neural_network import MLPClassifier",
        searches=None,
        only_searches=True,
    ),
    Contender(
        SCIKIT_LEARN,
        "MLPClassifier",
        "scikit_learn",
        "from sklearn.neural_network import MLPClassifier",
        in_numpy=True,
        searches=None,
    ),
    Contender(
        "torch",
        "eager nn.Sequential, fused Adam, a plain loop over a permutation",
        "pytorch",
        "import torch",
        ("torch",),
    ),
    Contender(
        "jax",
        "the epoch in one jitted scan, Adam by hand; X is on the device beforehand",
        "jax_scan",
        "import jax",
        ("jax",),
    ),
    Contender(
        "skorch",
        "NeuralNetClassifier on torch, fused Adam",
        "skorch_net",
        "import skorch",
        ("torch", "skorch"),
        searches=("iris", "wine"),
    ),
    Contender(
        "keras",
        "Sequential.fit on JAX, 32 steps per execution (on torch without JAX, step by step)",
        "keras_model",
        "import keras",
        ("keras",),
        searches=("iris",),
    ),
)


def named(names: tuple[str, ...]) -> list[Contender]:
    """Return contenders by name, in the order of `CONTENDERS`."""
    return [contender for contender in CONTENDERS if contender.name in names]
