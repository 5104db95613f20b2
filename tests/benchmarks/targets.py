"""What modnet promises: the targets in one table, and which of them a run has met."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.contenders import ACCELERATED, DROP_IN, MODNET, SCIKIT_LEARN
from benchmarks.job import Record
from benchmarks.searching import LARGE
from benchmarks.sections.link_profile import share
from benchmarks.sections.memory import batches
from benchmarks.sections.search import gain, of_kind, panel
from benchmarks.sections.training import ratio, under
from benchmarks.tables import shown, table
from benchmarks.timing import Times

COLUMNS = (
    (SCIKIT_LEARN, MODNET, "its own"),
    ("torch", MODNET, "its own"),
    (SCIKIT_LEARN, ACCELERATED, "its own"),
    (SCIKIT_LEARN, ACCELERATED, "the right one"),
    ("jax", ACCELERATED, "the right one"),
)
"""Whose time, by whose, both on which kernel of OpenBLAS: that which it chooses, or that which suits the CPU."""

RATIOS = {
    "64-32-10/32": (4, 4, 8, 9, 1.3),
    "20-64-64-2/256": (3, 2, 4.3, 5.5, 1.25),
    "784-100-10/200": (1.5, 1.4, 1.7, 2.1, 1.2),
    "784-512-256-10/128": (1.5, 1.15, 1.8, 2.2, 1.05),
    "1024-1024-1024-10/1024": (1.1, 1.1, 1.15, 1.3, 1.08),
}
"""At least so much, one number per column: float32, one thread."""

OF_FRAMEWORKS = 3
"""At least so many times modnet's time for skorch and Keras in every case; with an accelerator if there is one."""

ONE_ROW = 1
"""At least so many times modnet's time for scikit-learn's prediction of one row, on the NumPy engine."""

PRODUCTS = {"784-512-256-10/128": 0.9, "1024-1024-1024-10/1024": 0.9}
"""At least such a share of a step is matrix products, with the accelerator."""

BATCHES = {"784-100-10/200": 8, "784-512-256-10/128": 8}
"""At most so many batches are allocated at once beside four vectors of the size of θ, on the NumPy engine."""

TWO_THREADS = {"784-512-256-10/128": 1.1, "1024-1024-1024-10/1024": 1.1}
NO_HARM = 0.95
"""At least so many times as fast as on one thread; for all other nets `NO_HARM`, which leaves room for noise."""

SEARCHES = {ACCELERATED: 8, MODNET: 4, DROP_IN: 3.5}
"""At least so many times its time for scikit-learn's searches, as the geometric mean of the panel."""

TWO_PROCESSES = 1.7
"""At least so many times as fast is a search with n_jobs=2, on the two larger tables."""


@dataclass(frozen=True)
class Outcome:
    """A target, and what was found; None: not measured."""

    what: str
    case: str
    wanted: float
    found: float | None
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """Whether it is met."""
        if self.found is None:
            return "not measured"
        return "met" if (self.found <= self.wanted if self.at_most else self.found >= self.wanted) else "missed"


def outcomes(records: Mapping[str, Sequence[Record]], right: str | None) -> Iterator[Outcome]:
    """Yield all targets.

    Parameters
    ----------
    records : mapping of str to sequence of dict
        By section.
    right : str or None
        The kernel that suits the CPU; None: it is the one that OpenBLAS chooses.
    """
    training = records.get("training", ())
    for case, wanted in RATIOS.items():
        for (peer, ours, kernel), least in zip(COLUMNS, wanted, strict=True):
            found = ratio(under(training, "float32", 1, None if kernel == "its own" else right), case, peer, ours)
            yield Outcome(f"{peer} / {ours}, {kernel if kernel == 'its own' else 'right'} kernel", case, least, found)
    plain = under(training, "float32", 1, None)
    ours = ACCELERATED if any(each["contender"] == ACCELERATED for each in plain) else MODNET
    for case in dict.fromkeys((*RATIOS, *(each["case"] for each in plain))):
        for peer in ("skorch", "keras"):
            yield Outcome(f"{peer} / {ours}", case, OF_FRAMEWORKS, ratio(plain, case, peer, ours))
    one_row = [each for each in records.get("prediction", ()) if each["rows"] == 1]
    for case in dict.fromkeys(each["case"] for each in one_row):
        yield Outcome("one row: scikit-learn / modnet", case, ONE_ROW, ratio(one_row, case, SCIKIT_LEARN, MODNET))
    for case, least in PRODUCTS.items():
        found = share(records.get("profile", ()), case, ACCELERATED, right)
        yield Outcome(f"share of products, {ACCELERATED}, right kernel", case, least, found)
    yield from _memory(records.get("memory", ()))
    yield from _threads(training)
    yield from _searches(records.get("search", ()))


def _memory(records: Sequence[Record]) -> Iterator[Outcome]:
    for case, most in BATCHES.items():
        found = [batches(each) for each in records if each["case"] == case and each["contender"] == MODNET]
        yield Outcome("batches beside 4 θ, modnet", case, most, max(filter(None, found), default=None), at_most=True)


def _threads(records: Sequence[Record]) -> Iterator[Outcome]:
    one, two = (under(records, "float32", threads, None) for threads in (1, 2))
    for each in two:
        case, name = each["case"], each["contender"]
        alone = [other for other in one if (other["case"], other["contender"]) == (case, name)]
        if alone and name in (MODNET, ACCELERATED):
            gain = Times.of(alone[0]["us"]).median / Times.of(each["us"]).median
            yield Outcome(f"1 thread / 2 threads, {name}", case, TWO_THREADS.get(case, NO_HARM), gain)


def _searches(records: Sequence[Record]) -> Iterator[Outcome]:
    for name, least in SEARCHES.items():
        yield Outcome(f"searches: scikit-learn / {name}", "geometric mean", least, panel(records, name))
    two = {(each["table"], each["contender"]): gain(each) for each in of_kind(records, "processes")}
    for data in ("digits", LARGE):
        for name in SEARCHES:
            yield Outcome(f"n_jobs=1 / n_jobs=2, {name}", data, TWO_PROCESSES, two.get((data, name)))


def tables(records: Mapping[str, Sequence[Record]], right: str | None) -> str:
    """Return the targets that were measured, and how many were not."""
    found = list(outcomes(records, right))
    measured = [each for each in found if each.found is not None]
    rows = [
        [each.what, each.case, f"{'≤' if each.at_most else '≥'} {each.wanted:g}", shown(each.found), each.verdict]
        for each in measured
    ]
    missed = sum(each.verdict == "missed" for each in measured)
    text = f"{len(measured) - missed} met, {missed} missed, {len(found) - len(measured)} not measured."
    return f"{text}\n\n{table(['target', 'net', 'wanted', 'found', ''], rows, left=2)}" if rows else text
