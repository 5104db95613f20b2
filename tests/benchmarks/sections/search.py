"""Searches: whole cross-validations on the small tables that come with scikit-learn, and where their time goes."""

import math
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from functools import partial

from benchmarks.contenders import ACCELERATED, DROP_IN, MODNET, SCIKIT_LEARN, Contender, named
from benchmarks.job import Job, Options, Record
from benchmarks.searching import EPOCHS, FITS, GRID, LARGE, SEARCHES, TABLES, Found, Searched, Table
from benchmarks.stopwatch import times_of_parts
from benchmarks.tables import shown, table
from benchmarks.timing import Times, each_ready, interleaved, seconds_of

TITLE = "Searches"
HOW = f"""Wall time of whole searches over a pipeline of StandardScaler and a net with one hidden layer: GridSearchCV
({len(GRID)} candidates, five folds), RandomizedSearchCV (eight candidates, three folds), cross_val_score (ten folds),
learning_curve (five sizes, five folds). float32, batches of at most 200 rows, Adam, all epochs run, no validation set.
The panel is every search on every table with {EPOCHS} epochs, which is scikit-learn's default; 20 epochs show what a
fit costs once. First searches, in which things are compiled, do not count unless they take a minute. First weights
are drawn by each contender's own rule; the drop-in draws scikit-learn's."""

_SHORT = 20
"""Epochs of searches in which what a fit does once weighs as much as what it learns."""

_LONG = 60.0
"""Seconds of a first search that is not repeated: that of Keras compiles a model for each fit, every time."""

_CLOSE = 0.02
"""Mean scores of the same search that differ by less agree."""

_ON_TWO = {"digits": EPOCHS, LARGE: _SHORT}
"""Epochs of the tables large enough for a second process to be worth its messages."""


def jobs(options: Options) -> list[Job]:
    """Return a job on one thread, and one with two processes of one thread each."""
    return [Job.of("search", options, cases=(), threads=threads) for threads in options.threads if threads <= 2]


def measure(job: Job, failures: list[str]) -> Iterator[Record]:
    """Time searches in turn, after one of each that says what it finds."""
    warnings.filterwarnings("ignore", message=".*larger than sample size.*")  # it is meant to be clipped
    if job.threads == 2:
        yield from _by_processes(job, failures)
        return
    for name in TABLES[:1] if job.quick else TABLES:
        for epochs in (_SHORT,) if job.quick else (EPOCHS, _SHORT):
            for search in SEARCHES if epochs == EPOCHS or job.quick else ("GridSearchCV",):
                yield from _searches(Table.of(name), search, epochs, job, failures)
    yield from _parts(Table.of("iris" if job.quick else "cancer"), job, failures)


def _contenders(job: Job, name: str) -> list[Contender]:
    able = [each for each in named(job.contenders) if each.searches is None or name in each.searches]
    return [each for each in able if each.searches is None] if job.quick else able


def _searches(data: Table, search: str, epochs: int, job: Job, failures: list[str]) -> Iterator[Record]:
    wrong: list[str] = []
    ready = each_ready(lambda each: each.searched(data, epochs), _contenders(job, data.name), wrong)
    calls = {name: partial(SEARCHES[search], each, data.X) for name, each in ready.items()}

    first: dict[str, float] = {}

    def once(contender: Contender) -> Found:
        started = time.perf_counter()
        outcome = calls[contender.name]()
        first[contender.name] = time.perf_counter() - started
        return outcome

    found = each_ready(once, [each for each in named(job.contenders) if each.name in calls], wrong)
    failures += [f"{search} on {data.name}: {each}" for each in wrong]
    repeated = interleaved({name: calls[name] for name in found if first[name] < _LONG}, job.rounds)
    for name in found:
        seconds = repeated.get(name, [first[name]])
        of = {"kind": "search", "search": search, "table": data.name, "epochs": epochs, "contender": name}
        yield {**of, "s": seconds, "scores": found[name].scores, "winner": found[name].winner}


def _parts(data: Table, job: Job, failures: list[str]) -> Iterator[Record]:
    ours = [each for each in named(job.contenders) if each.name in (MODNET, ACCELERATED, DROP_IN, SCIKIT_LEARN)]
    for epochs in (1,) if job.quick else (1, EPOCHS):
        for name, searched in each_ready(lambda each: each.searched(data, epochs), ours, failures).items():  # noqa: B023
            parts = times_of_parts(searched, data.X, job.rounds)
            us = {part: 1e6 * seconds / FITS["GridSearchCV"] for part, seconds in parts.items()}
            yield {"kind": "parts", "table": data.name, "epochs": epochs, "contender": name, "us": us}


def _by_processes(job: Job, failures: list[str]) -> Iterator[Record]:
    """Time searches in one process and in two."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cpus < 2:
        failures.append(f"searches in two processes are left out: this process may use {cpus} CPU")
        return
    # A process each, and a thread each, also in the one that waits for the others.
    os.environ.update({name: "1" for name in os.environ if name.endswith("_NUM_THREADS")})
    ours = [each for each in named(job.contenders) if each.name in (MODNET, ACCELERATED, DROP_IN)]
    for name, epochs in _ON_TWO.items():
        data = Table.of(name)
        for contender, searched in each_ready(lambda each: each.searched(data, epochs), ours, failures).items():  # noqa: B023
            yield from _in_turn(searched, data, epochs, contender, job.rounds)


def _in_turn(searched: Searched, data: Table, epochs: int, contender: str, rounds: int) -> Iterator[Record]:
    from joblib.externals.loky import get_reusable_executor
    from threadpoolctl import threadpool_limits

    get_reusable_executor().shutdown(wait=True)
    calls = {n: partial(SEARCHES["GridSearchCV"], searched, data.X, n_jobs=int(n)) for n in ("1", "2")}
    with threadpool_limits(1):
        first = seconds_of(calls["2"])  # new workers import, and read what was compiled
        calls["1"]()
        found = interleaved(calls, rounds)
    yield {
        "kind": "processes",
        "table": data.name,
        "epochs": epochs,
        "contender": contender,
        "first": first,
        "s": found["1"],
        "s of two": found["2"],
    }


# What was found


def of_kind(records: Sequence[Record], kind: str) -> list[Record]:
    """Return the records of whole searches ("search"), of their parts ("parts"), or of two processes ("processes")."""
    return [each for each in records if each["kind"] == kind]


def ratios(records: Sequence[Record], contender: str) -> dict[tuple[str, str, int], float]:
    """Return scikit-learn's time through a contender's, by search, table and epochs."""
    median = {
        (each["search"], each["table"], each["epochs"], each["contender"]): Times.of(each["s"]).median
        for each in of_kind(records, "search")
    }
    return {
        key[:3]: median[*key[:3], SCIKIT_LEARN] / seconds
        for key, seconds in median.items()
        if key[3] == contender and (*key[:3], SCIKIT_LEARN) in median
    }


def panel(records: Sequence[Record], contender: str) -> float | None:
    """Return the geometric mean of the ratios over the whole panel; None if some of it is missing."""
    found = ratios(records, contender)
    wanted = [(search, name, EPOCHS) for search in SEARCHES for name in TABLES]
    if not {*wanted} <= found.keys():
        return None
    return math.exp(sum(math.log(found[key]) for key in wanted) / len(wanted))


def gain(record: Record) -> float:
    """Return how many times as fast two processes are as one."""
    return Times.of(record["s"]).median / Times.of(record["s of two"]).median


def tables(records: Sequence[Record]) -> str:
    """Return ratios, agreement, parts and what a second process gains."""
    parts = []
    if whole := of_kind(records, "search"):
        parts += ["### scikit-learn's time / time of", _ratios(whole), "### What they find", _agreement(whole)]
    if split := of_kind(records, "parts"):
        parts += ["### Where the time goes", _split(split)]
    if two := of_kind(records, "processes"):
        parts += ["### n_jobs=2, one thread each", _processes(two)]
    return "\n\n".join(parts)


def _ratios(records: Sequence[Record]) -> str:
    names = [each for each in dict.fromkeys(r["contender"] for r in records) if each != SCIKIT_LEARN]
    found = {name: ratios(records, name) for name in names}
    rows = []
    for key in dict.fromkeys((each["search"], each["table"], each["epochs"]) for each in records):
        base = [
            r["s"] for r in records if (r["search"], r["table"], r["epochs"], r["contender"]) == (*key, SCIKIT_LEARN)
        ]
        seconds = Times.of(base[0]).median if base else None
        rows.append([key[0], key[1], str(key[2]), *(shown(found[name].get(key)) for name in names), shown(seconds)])
    rows.append(["geometric mean", "panel", str(EPOCHS), *(shown(panel(records, name)) for name in names), "–"])
    return table(["search", "table", "epochs", *names, "scikit-learn, s"], rows, left=2)


def _agreement(records: Sequence[Record]) -> str:
    names = list(dict.fromkeys(each["contender"] for each in records))
    keys = list(dict.fromkeys((each["search"], each["table"], each["epochs"]) for each in records))
    found = {
        (each["search"], each["table"], each["epochs"], each["contender"]): Found(each["scores"], each["winner"])
        for each in records
    }
    rows = [[*key[:2], str(key[2]), *(_said(found.get((*key, name))) for name in names)] for key in keys]
    cells = table(["search", "table", "epochs", *names], rows, left=2)
    summary = []
    for name in names:
        shared = [key for key in keys if {(*key, name), (*key, SCIKIT_LEARN)} <= found.keys()]
        if name != SCIKIT_LEARN:
            summary.append([name, *_same([(found[*key, name], found[*key, SCIKIT_LEARN]) for key in shared])])
    counts = table(["as scikit-learn", "same winner", f"score within {_CLOSE}"], summary)
    return f"Mean score on held-out folds, of the winner with its number, or with all rows.\n\n{cells}\n\n{counts}"


def _said(found: Found | None) -> str:
    if found is None:
        return "–"
    return f"{found.score:.3f}" + ("" if found.winner is None else f", {found.winner}")


def _same(pairs: Sequence[tuple[Found, Found]]) -> tuple[str, str]:
    """Return how many have the same winner, of those with a winner, and how many the same score."""
    searched = [(ours, peer) for ours, peer in pairs if peer.winner is not None]
    same = sum(ours.winner == peer.winner for ours, peer in searched)
    close = sum(abs(ours.score - peer.score) <= _CLOSE for ours, peer in pairs)
    return f"{same} of {len(searched)}", f"{close} of {len(pairs)}"


def _split(records: Sequence[Record]) -> str:
    lines = list(dict.fromkeys(part for each in records for part in each["us"]))
    rows = [[part, *(shown(each["us"].get(part)) for each in records)] for part in lines]
    rows.append(["all", *(shown(sum(each["us"].values())) for each in records)])
    head = [f"{each['contender']}, {each['epochs']}" for each in records]
    return f"µs per fit of GridSearchCV on {records[0]['table']}; epochs behind the names.\n\n" + table(
        ["", *head], rows
    )


def _processes(records: Sequence[Record]) -> str:
    rows = []
    for each in records:
        one, two = Times.of(each["s"]).median, Times.of(each["s of two"]).median
        numbers = map(shown, (one, two, gain(each), each["first"]))
        rows.append([each["table"], each["contender"], str(each["epochs"]), *numbers])
    header = ["table", "contender", "epochs", "n_jobs=1, s", "n_jobs=2, s", "times as fast", "first of new workers, s"]
    return table(header, rows, left=2)
