"""Check a spec file, and say everything that is wrong with it.

The exit status is 1 if something is. With --features the network is built too, which shows layers that do not fit each
other.
"""

import argparse
import json
import tomllib
from typing import Any

from modnet import ModelSpec
from modnet.cli import arguments
from modnet.cli.output import emit
from modnet.errors import InvalidSpecError, ShapeError
from modnet.text import counted, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    arguments.add(parser, "spec", "--allow", "--features")
    arguments.add(parser, "--outputs", default=1, help="columns of the output (default: 1)")


def run(args: argparse.Namespace) -> int:
    """Check; return the exit status."""
    problems: list[tuple[str, str]] = []
    try:
        spec = arguments.spec_of(args)
        if args.features:
            spec.network(args.features, args.outputs)
    except InvalidSpecError as error:
        problems = list(dict.fromkeys([*error.problems, *_hidden(args, error)]))
    except ShapeError as error:
        problems = [("", str(error))]
    data = {
        "file": str(args.spec),
        "valid": not problems,
        "problems": [{"path": path, "problem": text} for path, text in problems],
    }
    if problems:
        rows = [(path or "(all of it)", text) for path, text in problems]
        text = f"{args.spec}: {counted(len(problems), 'problem')}\n\n{table(['path', 'problem'], rows)}"
    else:
        text = f"{args.spec}: valid"
    emit(args, data, text)
    return 1 if problems else 0


def _hidden(args: argparse.Namespace, error: InvalidSpecError) -> tuple[tuple[str, str], ...]:
    """Return the problems that come to light once `requires`, which is checked before anything else, is put right."""
    if not all(path.partition(".")[0] in ("requires", "spec_version") for path, _ in error.problems):
        return ()
    text = args.spec.read_text(encoding="utf-8")
    fields: dict[str, Any] = tomllib.loads(text) if args.spec.suffix == ".toml" else json.loads(text)
    try:
        ModelSpec.from_dict({**fields, "requires": {}, "spec_version": 1}, allow=args.allow)
    except InvalidSpecError as other:
        return other.problems
    return ()
