"""The arguments that several commands share, and the spec file that some of them name."""

import argparse
from pathlib import Path
from typing import Any

from modnet import ModelSpec


def count(text: str) -> int:
    """Return a number of columns."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"should be a whole number from 1, got {text!r}")
    return int(text)


_ARGUMENTS: dict[str, dict[str, Any]] = {
    "spec": {"type": Path, "metavar": "SPEC", "help": "a .json or .toml file"},
    "data": {"type": Path, "metavar": "DATA", "help": "a .csv, .tsv or .parquet file with column names"},
    "--allow": {
        "action": "append",
        "metavar": "DISTRIBUTION",
        "help": "use components of this distribution and of modnet-layers only; may be given several times",
    },
    "--target": {"metavar": "COL", "help": "the column to predict"},
    "--without": {
        "action": "append",
        "default": [],
        "metavar": "COL",
        "help": "leave a column out; may be given several times",
    },
    "--task": {
        "choices": ("auto", "classification", "regression"),
        "default": "auto",
        "help": "what to learn (default: auto)",
    },
    "--features": {"type": count, "metavar": "N", "help": "columns of X"},
    "--outputs": {
        "type": count,
        "metavar": "K",
        "help": "columns of the output: targets, or classes, of which two need one column",
    },
}


def add(parser: argparse._ActionsContainer, *names: str, **changes: Any) -> None:
    """Declare arguments of these names; `changes` are what is different about them here, such as ``required=True``."""
    for name in names:
        parser.add_argument(name, **{**_ARGUMENTS[name], **changes})


def spec_of(args: argparse.Namespace) -> ModelSpec:
    """Return the spec in the file that was named.

    Raises
    ------
    InvalidSpecError
        If it is not valid.
    """
    return ModelSpec.load(args.spec, allow=args.allow)
