"""Look for what is wrong or slow on this machine, or with a model.

Without arguments: versions, the BLAS kernel in use against what the CPU has, threads, plugins, and accelerators. With
data, and a model or a spec: what keeps that network from learning. Each finding comes with what to do about it.
The exit status is 1 if there is a problem, and 0 otherwise; notes do not count.
"""

import argparse
import dataclasses
import os
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from modnet.base import Array
from modnet.cli import data as files
from modnet.cli import output, specs
from modnet.cli.section import Section
from modnet.diagnosis.accelerators import DTYPES, Installed, WarmUp, accelerators, twins_by_kind, warm_up
from modnet.diagnosis.blas import CORETYPE, Library, built_with, cpu, kernel_findings, libraries
from modnet.diagnosis.finding import counted
from modnet.diagnosis.measure import Measurement, measure, measured_findings
from modnet.diagnosis.plugins import plugins
from modnet.diagnosis.signals import Signal
from modnet.diagnosis.threads import cores, limits, thread_findings
from modnet.diagnosis.versions import OPTIONAL, versions
from modnet.spec import ModelSpec

_NAMES = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS", "flexiblas": "FlexiBLAS"}
_NOUNS = {
    "layer": ("layer", "layers"),
    "activation": ("activation", "activations"),
    "loss": ("loss", "losses"),
    "optimizer": ("optimizer", "optimizers"),
}
"""What a kind is called where there is one, and where there are others."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "--measure", action="store_true", help="time the BLAS kernels that the CPU could use against the one in use"
    )
    parser.add_argument(
        "--warm-up", action="store_true", help="compile what accelerators compile now, for later fits to find on disk"
    )
    group = parser.add_argument_group("a network on data")
    group.add_argument("--model", metavar="MODEL", type=Path, help="a model that modnet train saved")
    group.add_argument("--spec", metavar="SPEC", type=Path, help="a spec file; it is trained for a few epochs")
    group.add_argument("--data", metavar="DATA", type=Path, help="a .csv, .tsv or .parquet file with column names")
    group.add_argument("--target", metavar="COL", help="the column of the file that is to be predicted")
    group.add_argument(
        "--without", action="append", default=[], metavar="COL", help="leave a column out; may be given several times"
    )
    group.add_argument(
        "--task", choices=("auto", "classification", "regression"), default="auto", help="what a spec is to learn"
    )
    specs.add_allow(parser)


def run(args: argparse.Namespace) -> int:
    """Examine, and print the report."""
    networks = [path for path in (args.model, args.spec) if path is not None]
    if networks and (args.data is None or args.target is None):
        raise output.CommandError("a network needs --data DATA and --target COL, to be seen at work")
    if not networks and (args.data is not None or args.target is not None):
        raise output.CommandError("data needs --model MODEL or --spec SPEC, the network to look at")
    if networks and (args.measure or args.warm_up):
        option = "--measure" if args.measure else "--warm-up"
        raise output.CommandError(f"{option} is about the machine: run it without --model and --spec")
    sections = list(_of_networks(args) if networks else _of_machine(args))
    findings = [
        {"section": section.name, **dataclasses.asdict(finding)} for section in sections for finding in section.findings
    ]
    data: dict[str, Any] = {**{section.name: section.data for section in sections}, "findings": findings}
    output.emit(args, data, "\n\n".join(map(str, sections)))
    return 1 if any(finding["severity"] == "problem" for finding in findings) else 0


# The machine


def _of_machine(args: argparse.Namespace) -> Iterator[Section]:
    """Yield what there is to say of the installation."""
    yield _versions()
    found = libraries()
    yield _blas(found, measures=args.measure)
    yield _threads(found)
    yield _plugins()
    yield _accelerators(warms_up=args.warm_up)


def _versions() -> Section:
    found = versions()
    shown = [(name, version) for name, version in found.items() if name not in OPTIONAL or version]
    absent = [name for name in OPTIONAL if found[name] is None]
    facts = [(name, version or "not installed") for name, version in shown]
    if absent:
        facts.append(("not installed", f"{', '.join(absent)} (optional)"))
    return Section("versions", "Versions", found, tuple(facts))


def _blas(found: Sequence[Library], *, measures: bool) -> Section:
    processor = cpu()
    facts = [("CPU", f"{processor.name or 'not known'} ({processor.vectors})")]
    facts += [(library.owner, _described(library)) for library in found]
    if not found:
        facts.append(("numpy", f"{built_with()}; its kernel is not known"))
    measured = measure(processor) if measures else ()
    if measures:
        findings = tuple(measured_findings(measured))
        fine = "no other kernel measures better" if measured else "nothing could be measured"
    else:
        findings = tuple(kernel_findings(found, processor))
        judged = processor.flags is not None and any(library.kernel for library in found)
        fine = "the kernel has vectors as wide as the CPU's" if judged else "what would suit this CPU is not known"
    data = {
        "cpu": {
            "name": processor.name,
            "flags": sorted(processor.flags) if processor.flags else None,
            "kernels": processor.kernels,
        },
        "libraries": [dataclasses.asdict(library) for library in found],
        "measured": [dataclasses.asdict(each) for each in measured] if measures else None,
    }
    return Section("blas", "BLAS", data, tuple(facts), findings, fine, _measured(measured))


def _described(library: Library) -> str:
    name = _NAMES.get(library.name, library.name)
    version = f" {library.version}" if library.version else ""
    return f"{name}{version}, kernel {library.kernel or 'not known'}"


def _measured(found: Sequence[Measurement]) -> str:
    """Return the table of kernels; the ratio is how much faster each trains than the one in use."""
    if not found:
        return ""
    present = found[0]
    sizes = [f"{size}²" for size in present.gflops]
    rows = [
        [
            each.kernel,
            *(f"{speed:.0f}" for speed in each.gflops.values()),
            f"{each.step_ms:.2f} ms",
            f"{present.step_ms / each.step_ms:.2f}",
            _choice(each) + ("" if each.right else ", WRONG"),
        ]
        for each in found
    ]
    header = ["kernel", *sizes, "step", "ratio", "chosen by"]
    note = "GFLOP/s of float32 products by size; a training step of 784-512-256-10 on 128 rows; one thread"
    return f"{output.table(header, rows, right=[*sizes, 'step', 'ratio'])}\n{note}"


def _choice(measured: Measurement) -> str:
    """Return what has chosen a kernel that was measured."""
    if measured.coretype is None:
        return f"{CORETYPE}={os.environ[CORETYPE]}, in use" if CORETYPE in os.environ else "the library, in use"
    # By its own name: a build may have one kernel under several, and SkylakeX is in every build.
    return f"{CORETYPE}={measured.kernel}" if measured.coretype else f"the library, {CORETYPE} unset"


def _threads(found: Sequence[Library]) -> Section:
    available, set_ = cores(), limits()
    of = f" of {available.machine}" if available.machine != available.available else ""
    facts = [("cores", f"{available.available}{of}")]
    facts += [(library.owner, counted(library.threads, "thread")) for library in found]
    facts += list(set_.items())
    data = {
        "cores": dataclasses.asdict(available),
        "blas": {library.owner: library.threads for library in found},
        "environment": set_,
    }
    fine = "BLAS takes no more threads than there are cores" if found else ""
    return Section("threads", "Threads", data, tuple(facts), tuple(thread_findings(found, available)), fine)


def _plugins() -> Section:
    found = plugins()
    facts = tuple((source, counted(number, "component")) for source, number in found.counts.items())
    return Section("plugins", "Plugins", found.counts, facts, found.findings, "every component can be imported")


def _accelerators(*, warms_up: bool) -> Section:
    found = accelerators()
    facts, data, findings = [], [], []
    for index, each in enumerate(found):
        facts.append((each.name, each.source + ("" if index else ', what accelerator="auto" takes')))
        data.append({"name": each.name, "source": each.source, "auto": not index})
        if warms_up:
            twins = twins_by_kind(each.accelerator)
            numbers = [f"{len(names)} {_NOUNS[kind][len(names) != 1]}" for kind, names in twins.items()]
            facts.append(("  twins of", ", ".join(numbers)))
            results = {dtype: _warmed_up(each, dtype) for dtype in DTYPES}
            facts += [(f"  {dtype}", _ready(result)) for dtype, result in results.items()]
            findings += [result.finding for result in results.values() if result.finding]
            times = {
                dtype: {"seconds": result.seconds, "compile_seconds": result.compile_seconds}
                for dtype, result in results.items()
            }
            data[-1] |= {"twins": twins, "warm_up": times}
    if not found:
        facts.append(("auto", "none is installed: every layer runs in NumPy, and there is nothing to compile"))
    return Section("accelerators", "Accelerators", data, tuple(facts), tuple(findings))


def _warmed_up(installed: Installed, dtype: str) -> WarmUp:
    output.note(f"compiling ahead with {installed.name} for {dtype} …")
    return warm_up(installed, dtype)


def _ready(result: WarmUp) -> str:
    if result.finding:
        return "failed"
    if result.seconds is None:
        return "compiles nothing"
    compiled = f"{result.compile_seconds:.1f} s of it compiling" if result.compile_seconds else "compiled before"
    return f"ready after {result.seconds:.1f} s, {compiled}"


# A network


def _of_networks(args: argparse.Namespace) -> Iterator[Section]:
    """Yield what there is to say of the model, and of the model that the spec describes.

    What imports scikit-learn is imported here: the report on the machine does without that second.
    """
    frame = files.read(args.data)
    if args.model is not None:
        model = import_module("modnet.estimators.persistence").load(args.model, allow=args.allow)
        yield _network("model", args.model, model, *_seen_by(model, frame, args))
    if args.spec is not None:
        spec = ModelSpec.load(args.spec, allow=args.allow)
        X, y = files.split(frame, args.target, args.data, args.without)
        estimator_for = import_module("modnet.cli.tasks").estimator_for
        yield _network("spec", args.spec, estimator_for(spec, y, args.task, random_state=0), X, y)


def _seen_by(model: Any, frame: Any, args: argparse.Namespace) -> tuple[Any, Array]:
    """Return the columns that a model was trained on, and the target."""
    if not hasattr(model, "feature_names_in_"):
        X, y = files.split(frame, args.target, args.data, args.without)
        return np.asarray(X), y
    seen = [*model.feature_names_in_, args.target]
    files.check_columns(frame, seen, args.data)
    return files.split(frame.select(seen), args.target, args.data)


def _network(name: str, path: Path, model: Any, X: Any, y: Any) -> Section:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters of them is among the findings
        found = import_module("modnet.diagnosis.model").examine(model, X, y)
    facts = [("estimator", type(model).__name__), ("rows", f"{X.shape[0]:,}")]
    signals = found.look.signals if found.look else ()
    if found.look:
        weights = "its own" if found.fitted else "first ones; and after a few epochs of training"
        facts += [("weights", weights), ("loss", f"{found.look.loss:.4g} on {counted(found.look.rows, 'row')}")]
    layers = [
        {
            "path": signal.link.path,
            "class": type(signal.link.module).__name__,
            "spread": signal.spread,
            "gradient": signal.gradient,
            "units": signal.units,
            "dead": signal.dead,
            "saturated": signal.saturated,
        }
        for signal in signals
    ]
    data = {"path": str(path), "rows": X.shape[0], "fitted": found.fitted, "layers": layers}
    heading = f"{name.capitalize()} {path}"
    return Section(name, heading, data, tuple(facts), found.findings, "nothing ails it", _signals(signals))


def _signals(found: Sequence[Signal]) -> str:
    """Return the table of layers: how much rows differ behind each, its units, and its gradient."""
    if not found:
        return ""
    rows = [
        [
            signal.link.title,
            f"{signal.spread:.2g}",
            "" if signal.gradient is None else f"{signal.gradient:.2g}",
            *(f"{number} of {signal.units}" if signal.units else "" for number in (signal.dead, signal.saturated)),
        ]
        for signal in found
    ]
    header = ["layer", "rows differ by", "‖∂J/∂θ‖", "dead", "saturated"]
    return output.table(header, rows, right=header[1:-1])
