"""What the commands print: text for people, JSON for machines, and complaints on stderr."""

import argparse
import json
import os
import sys
from typing import Any

from modnet.errors import ModNetError
from modnet.files import as_json


class CommandError(ModNetError):
    """What was asked on the command line cannot be done."""


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
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))


def complain(what: str, message: object) -> None:
    """Print a line on stderr: ``modnet: error: no such file``."""
    note(f"modnet: {what}: {message}")


def note(text: str) -> None:
    """Print a line on stderr, beside the result."""
    sys.stdout.flush()
    print(text, file=sys.stderr)


def close() -> None:
    """Send what is still to be printed nowhere: the reader of our output has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
