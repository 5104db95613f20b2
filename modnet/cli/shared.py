"""What the commands share: arguments, and what is printed: text for people, JSON for machines, complaints on stderr."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

from modnet.errors import ModNetError
from modnet.files import as_json


class CommandError(ModNetError):
    """What was asked on the command line cannot be done."""


# Arguments


def count(text: str) -> int:
    """Return a number of columns."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"should be a whole number from 1, got {text!r}")
    return int(text)


def separator(text: str) -> str:
    """Return what separates fields, a tab also by its name."""
    sign = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(sign) != 1 or sign in '\r\n"':
        raise argparse.ArgumentTypeError(f"should be one sign, or tab, got {text!r}")
    return sign


def encoding(text: str) -> str:
    """Return the name of an encoding of text."""
    try:
        "".encode(text)
    except (LookupError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"should be one that Python knows, such as latin-1, got {text!r}") from error
    return text


_AGAIN = "may be given several times"
_TASKS = ("auto", "classification", "regression")
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "spec": {"type": Path, "metavar": "SPEC", "help": "a .json or .toml file"},
    "data": {"type": Path, "metavar": "DATA", "help": "a .csv, .tsv or .parquet file with column names"},
    "separator": {
        "type": separator,
        "metavar": "SIGN",
        "help": 'what stands between the fields of a .csv file, such as ";" or tab (default: as its first lines show)',
    },
    "encoding": {
        "type": encoding,
        "default": "utf-8",
        "metavar": "NAME",
        "help": "of a .csv file, such as latin-1 (default: utf-8)",
    },
    "model": {"type": Path, "metavar": "MODEL"},
    "out": {"type": Path, "metavar": "FILE"},
    "allow": {
        "action": "append",
        "metavar": "DISTRIBUTION",
        "help": f"use components of this distribution and of modnet-layers only; {_AGAIN}",
    },
    "target": {"metavar": "COL", "help": "the column to predict"},
    "skip-missing": {"action": "store_true", "help": "leave out rows that have no value of the target"},
    "without": {"action": "append", "default": [], "metavar": "COL", "help": f"leave a column out; {_AGAIN}"},
    "task": {"choices": _TASKS, "default": "auto", "help": "what to learn (default: auto)"},
    "estimator": {"metavar": "NAME", "help": "of a registered estimator (default: modnet's own for the task)"},
    "features": {"type": count, "metavar": "N", "help": "columns of X"},
    "outputs": {
        "type": count,
        "metavar": "K",
        "help": "columns of the prediction: targets, or classes, of which two need one column",
    },
}


def add(parser: argparse._ActionsContainer, *names: str, **changes: Any) -> None:
    """Declare arguments that several commands have.

    Parameters
    ----------
    parser : ArgumentParser or group of one
    *names : str
        ``"spec"`` for an argument without a name, ``"--spec"`` for an option.
    **changes : object
        What is different about them here, such as ``required=True``.
    """
    for name in names:
        parser.add_argument(name, **{**_ARGUMENTS[name.removeprefix("--")], **changes})


# Output

_RESULTS: ContextVar[TextIO | None] = ContextVar("results", default=None)
"""Where results are printed; None: to stdout, as it is."""


@contextmanager
def results_only() -> Iterator[None]:
    """Within it `write` alone prints to stdout; what plugins print, when they are imported or later, goes to stderr."""
    token = _RESULTS.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _RESULTS.reset(token)


def emit(args: argparse.Namespace, data: Any, text: str) -> None:
    """Print the result of a command.

    Parameters
    ----------
    args : Namespace
        With ``json``: whether machines are to read it.
    data : object
        Mappings, sequences, strings and numbers. inf and NaN, which JSON has no numbers for, become null.
    text : str
        The same for people.

    Examples
    --------
    >>> emit(argparse.Namespace(json=True), {"loss": float("nan"), "epochs": 3}, "3 epochs")
    {
      "loss": null,
      "epochs": 3
    }
    >>> emit(argparse.Namespace(json=False), {"epochs": 3}, "3 epochs")
    3 epochs
    """
    write(json.dumps(as_json(data, words={}), indent=2, ensure_ascii=False, allow_nan=False) if args.json else text)


def write(text: str) -> None:
    """Print a text; what the terminal has no sign for becomes a question mark."""
    out = _RESULTS.get() or sys.stdout
    encoding = out.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=out, flush=True)


def complain(what: str, message: object) -> None:
    """Print a line on stderr: ``modnet: error: no such file``."""
    note(f"modnet: {what}: {message}")


def note(text: str) -> None:
    """Print a line on stderr, beside the result."""
    print(text, file=sys.stderr)
