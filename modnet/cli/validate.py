"""Check a spec file, and say everything that is wrong with it.

The exit status is 1 if something is. With --features the network is built too, which shows layers that do not fit each
other.
"""

import argparse
import json
import tomllib
from typing import Any

from modnet import ModelSpec
from modnet.cli import specs
from modnet.cli.output import emit, table
from modnet.errors import InvalidSpecError, ShapeError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    specs.add_spec(parser)
    parser.add_argument("--features", type=specs.count, metavar="N", help="columns of X")
    parser.add_argument("--outputs", type=specs.count, metavar="K", default=1, help="columns of y (default: 1)")


def run(args: argparse.Namespace) -> int:
    """Check; return the exit status."""
    problems: list[tuple[str, str]] = []
    try:
        spec = specs.read(args)
        if args.features:
            specs.network(args, spec)
    except InvalidSpecError as error:
        problems.extend(error.problems)
        problems.extend(each for each in _behind(args, error) if each not in problems)
    except ShapeError as error:
        problems.append(("", str(error)))
    data = {
        "file": str(args.spec),
        "valid": not problems,
        "problems": [{"path": path, "problem": text} for path, text in problems],
    }
    if problems:
        rows = [(path or "(all of it)", text) for path, text in problems]
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        emit(args, data, f"{args.spec}: {count}\n\n{table(['path', 'problem'], rows)}")
        return 1
    emit(args, data, f"{args.spec}: valid")
    return 0


def _behind(args: argparse.Namespace, error: InvalidSpecError) -> tuple[tuple[str, str], ...]:
    """Return the problems that those with `requires` have hidden: it is looked at before anything else."""
    if not all(path.partition(".")[0] in ("requires", "spec_version") for path, _ in error.problems):
        return ()
    text = args.spec.read_text(encoding="utf-8")
    fields: dict[str, Any] = tomllib.loads(text) if args.spec.suffix == ".toml" else json.loads(text)
    try:
        ModelSpec.from_dict({**fields, "requires": {}, "spec_version": 1}, allow=args.allow)
    except InvalidSpecError as other:
        return other.problems
    return ()
