"""The command that looks at the machine, or at a network on data, and reports what is wrong or slow there."""

import argparse
import dataclasses
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modnet.cli import data
from modnet.cli.shared import CommandError, add, emit, note
from modnet.diagnosis import Section
from modnet.diagnosis.machine import blas, cores, cpu, libraries, threads, versions
from modnet.diagnosis.plugins import accelerator_section, accelerators, estimator_section, plugins
from modnet.registry import registry
from modnet.spec import ModelSpec
from modnet.text import Table, counted


def doctor_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``doctor``."""
    parser.add_argument(
        "--warm-up", action="store_true", help="compile what accelerators compile now, for later fits to find on disk"
    )
    group = parser.add_argument_group("a network on data")
    add(group, "--model", help="a model that modnet train saved")
    add(group, "--spec", help="a spec file; it is trained for a few epochs")
    add(
        group, "--data", "--separator", "--encoding", "--target", "--skip-missing", "--without", "--task", "--estimator"
    )
    add(parser, "--allow")


def doctor(args: argparse.Namespace) -> int:
    """Look for what is wrong or slow on this machine, or with a model.

    Without arguments: versions, the kernel with which BLAS multiplies matrices, threads, plugins, and accelerators.
    With data, and a model or a spec: what keeps that network from learning. Each finding comes with what to do about
    it. The exit status is 1 if there is a problem, and 0 otherwise; notes do not count.
    """
    networks = args.model is not None or args.spec is not None
    if networks and (args.data is None or args.target is None):
        raise CommandError("a network needs --data DATA and --target COL: it is examined at work")
    if not networks and (args.data is not None or args.target is not None):
        raise CommandError("data needs --model MODEL or --spec SPEC, the network to look at")
    if networks and args.warm_up:
        raise CommandError("--warm-up is about the machine: run it without --model and --spec")
    if networks:
        sections = list(_of_networks(args))
    else:
        found, compiling = libraries(), note if args.warm_up else None
        machine = [versions(), blas(found, cpu()), threads(found, cores()), plugins(), estimator_section()]
        sections = [*machine, accelerator_section(accelerators(), compiling)]
    findings = [
        {"section": section.name, **dataclasses.asdict(finding)} for section in sections for finding in section.findings
    ]
    told: dict[str, Any] = {**{section.name: section.data for section in sections}, "findings": findings}
    emit(args, told, "\n\n".join(map(str, sections)))
    return 1 if any(finding["severity"] == "problem" for finding in findings) else 0


def _of_networks(args: argparse.Namespace) -> Iterator[Section]:
    """Yield what there is to say of the model, and of the model that the spec describes."""
    # These import scikit-learn, a second that the report on the machine does not take.
    from modnet.cli.target import estimator_for, target_column
    from modnet.estimators.persistence import load

    file = data.read(args.data, separator=args.separator, encoding=args.encoding)
    target = target_column(file, args.target, skip_missing=args.skip_missing)
    if args.model is not None:
        model = load(args.model, allow=args.allow)
        if hasattr(model, "feature_names_in_"):
            file.check_columns(model.feature_names_in_)
            X = file.frame(model.feature_names_in_, model.table_.types, model.table_.categories)[target.rows]
            X = X.to_native()
        else:
            X = data.features(file, args.target, args.without)[target.rows].to_numpy()
        yield _network("model", args.model, model, X, target.for_model(model))
    if args.spec is not None:
        spec = ModelSpec.load(args.spec, allow=args.allow)
        X = data.features(file, args.target, args.without)[target.rows].to_native()
        with registry.allowing(args.allow):
            model, _ = estimator_for(spec, target, args.task, args.estimator, random_state=0)
        yield _network("spec", args.spec, model, X, target.for_model(model))


def _network(name: str, path: Path, model: Any, X: Any, y: Any) -> Section:
    from modnet.diagnosis.model import FINE, diagnose  # imports scikit-learn

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters of them is among the findings
        found = diagnose(model, X, y)
    facts = [("estimator", type(model).__name__), ("rows", f"{X.shape[0]:,}")]
    if found.look:
        weights = "as fitted" if found.fitted else "as initialized; findings also of a training of a few epochs"
        facts += [("weights", weights), ("loss", f"{found.look.loss:.4g} on {counted(found.look.rows, 'row')}")]
    layers, rows = [], []
    for signal in found.look.signals if found.look else ():
        numbers = {key: getattr(signal, key) for key in ("spread", "gradient", "units", "dead", "saturated")}
        layers.append({"path": signal.link.path, "class": type(signal.link.module).__name__, **numbers})
        gradient = "" if signal.gradient is None else f"{signal.gradient:.2g}"
        shares = [f"{number} of {signal.units}" if signal.units else "" for number in (signal.dead, signal.saturated)]
        rows.append([signal.link.title, f"{signal.spread:.2g}", gradient, *shares])
    header = ["layer", "rows differ by", "‖∂J/∂θ‖", "dead", "saturated"]
    shown = str(Table(header, rows, right=header[1:-1])) if rows else ""
    told = {"path": str(path), "rows": X.shape[0], "fitted": found.fitted, "layers": layers}
    return Section(name, f"{name.capitalize()} {path}", told, facts, found, FINE, shown)
