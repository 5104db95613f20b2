"""Look for what is wrong or slow on this machine, or with a model.

Without arguments: versions, the kernel with which BLAS multiplies matrices, threads, plugins, and accelerators. With
data, and a model or a spec: what keeps that network from learning. Each finding comes with what to do about it.
The exit status is 1 if there is a problem, and 0 otherwise; notes do not count.
"""

import argparse
import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from modnet.base import Array
from modnet.cli import arguments, output
from modnet.cli import data as files
from modnet.diagnosis.finding import Section
from modnet.diagnosis.machine import blas, cores, cpu, libraries, threads, versions
from modnet.diagnosis.plugins import accelerator_section, accelerators, plugins
from modnet.diagnosis.signals import Signal
from modnet.spec import ModelSpec
from modnet.text import counted, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--warm-up", action="store_true", help="compile what accelerators compile now, for later fits to find on disk"
    )
    group = parser.add_argument_group("a network on data")
    group.add_argument("--model", metavar="MODEL", type=Path, help="a model that modnet train saved")
    group.add_argument("--spec", metavar="SPEC", type=Path, help="a spec file; it is trained for a few epochs")
    group.add_argument("--data", metavar="DATA", type=Path, help="a .csv, .tsv or .parquet file with column names")
    arguments.add(group, "--target", "--without", "--task")
    arguments.add(parser, "--allow")


def run(args: argparse.Namespace) -> int:
    """Examine, and print the report."""
    networks = args.model is not None or args.spec is not None
    if networks and (args.data is None or args.target is None):
        raise output.CommandError("a network needs --data DATA and --target COL: it is examined at work")
    if not networks and (args.data is not None or args.target is not None):
        raise output.CommandError("data needs --model MODEL or --spec SPEC, the network to look at")
    if networks and args.warm_up:
        raise output.CommandError("--warm-up is about the machine: run it without --model and --spec")
    sections = list(_of_networks(args) if networks else _of_machine(args))
    findings = [
        {"section": section.name, **dataclasses.asdict(finding)} for section in sections for finding in section.findings
    ]
    data: dict[str, Any] = {**{section.name: section.data for section in sections}, "findings": findings}
    output.emit(args, data, "\n\n".join(map(str, sections)))
    return 1 if any(finding["severity"] == "problem" for finding in findings) else 0


def _of_machine(args: argparse.Namespace) -> Iterator[Section]:
    """Yield what there is to say of the installation."""
    found = libraries()
    yield versions()
    yield blas(found, cpu())
    yield threads(found, cores())
    yield plugins()
    yield accelerator_section(accelerators(), compiling=output.note if args.warm_up else None)


def _of_networks(args: argparse.Namespace) -> Iterator[Section]:
    """Yield what there is to say of the model, and of the model that the spec describes.

    What imports scikit-learn is imported here, so that the report on the machine does not take that second.
    """
    frame = files.read(args.data)
    if args.model is not None:
        model = import_module("modnet.estimators.persistence").load(args.model, allow=args.allow)
        yield _network("model", args.model, model, *_trained_on(model, frame, args))
    if args.spec is not None:
        spec = ModelSpec.load(args.spec, allow=args.allow)
        X, y = files.split(frame, args.target, args.data, args.without)
        estimator_for = import_module("modnet.cli.tasks").estimator_for
        yield _network("spec", args.spec, estimator_for(spec, y, args.task, random_state=0), X, y)


def _trained_on(model: Any, frame: Any, args: argparse.Namespace) -> tuple[Any, Array]:
    """Return the columns that a model was trained on, and the target."""
    if not hasattr(model, "feature_names_in_"):
        X, y = files.split(frame, args.target, args.data, args.without)
        return np.asarray(X), y
    names = [*model.feature_names_in_, args.target]
    files.check_columns(frame, names, args.data)
    return files.split(frame.select(names), args.target, args.data)


def _network(name: str, path: Path, model: Any, X: Any, y: Any) -> Section:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters of them is among the findings
        found = import_module("modnet.diagnosis.model").examine(model, X, y)
    facts = [("estimator", type(model).__name__), ("rows", f"{X.shape[0]:,}")]
    signals = found.look.signals if found.look else ()
    if found.look:
        weights = "as fitted" if found.fitted else "as initialized; findings also of a training of a few epochs"
        facts += [("weights", weights), ("loss", f"{found.look.loss:.4g} on {counted(found.look.rows, 'row')}")]
    numbers = ("spread", "gradient", "units", "dead", "saturated")
    layers = [
        {
            "path": signal.link.path,
            "class": type(signal.link.module).__name__,
            **{number: getattr(signal, number) for number in numbers},
        }
        for signal in signals
    ]
    data = {"path": str(path), "rows": X.shape[0], "fitted": found.fitted, "layers": layers}
    heading = f"{name.capitalize()} {path}"
    return Section(
        name, heading, data, facts, found.findings, "nothing found that keeps it from learning", _table(signals)
    )


def _table(found: Sequence[Signal]) -> str:
    """Return the table of layers: how much rows differ behind each, its gradient, and its units."""
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
    return table(header, rows, right=header[1:-1])
