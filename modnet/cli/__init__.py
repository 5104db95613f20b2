"""The command ``modnet``: its subcommands by name, and how errors are reported.

A subcommand is a module here with a docstring, ``add_arguments(parser)`` and ``run(args)``, which returns the exit
status. It is imported only when it is asked for, so that ``modnet --help`` is quick.
"""

import argparse
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

from modnet.cli import output
from modnet.errors import ModNetError
from modnet.registry import OWN
from modnet.text import facts, filled

COMMANDS = {
    "components": "List the components that are installed.",
    "describe": "Describe a component: its equation, its fields and where it comes from.",
    "schema": "Print the JSON Schema of spec files, with every installed plugin.",
    "validate": "Check a spec file, and say everything that is wrong with it.",
    "summary": "Print the layers of a spec with their shapes, parameters and multiply-adds.",
    "train": "Train the model of a spec on a CSV or Parquet file, and save it.",
    "predict": "Predict the rows of a CSV or Parquet file with a saved model.",
    "doctor": "Look for what is wrong or slow on this machine, or with a model.",
    "new-plugin": "Write a plugin: a distribution with one component, tests, and a README, ready to install.",
}
"""The commands, and the first line of the docstring of each one's module, which is called like it."""

EXPECTED = (ModNetError, OSError, ValueError, ImportError)
"""Errors of users, of data and of files, whose message is enough. Anything else is a bug of modnet or of a plugin."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; None: those of the process.

    Returns
    -------
    int
        The exit status: 0, or 1 after an error. (argparse exits with 2 when the usage is wrong.)
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    args = _parser(argv).parse_args(argv)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: output.complain("warning", message)
        return _status(args)


def _status(args: argparse.Namespace) -> int:
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130  # as shells count it: 128 + SIGINT
    except BrokenPipeError:  # the reader of our output has left, as in ``modnet components | head``
        output.close()
        return 1
    except Exception as error:
        if args.traceback:
            traceback.print_exc()
        elif isinstance(error, EXPECTED):
            output.complain("error", error)
        else:
            output.complain("error", f"{type(error).__name__}: {error} (--traceback shows where)")
        return 1
    return status


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; only the command that `argv` asks for is imported, and has its arguments."""
    parser = argparse.ArgumentParser(
        prog="modnet",
        usage="modnet [-h] [--version] COMMAND ...",
        description="Neural networks for scikit-learn, assembled from small plugins.",
        epilog=_commands(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"{OWN} {version(OWN)}")
    commands = parser.add_subparsers(prog="modnet", metavar="COMMAND", required=True, help=argparse.SUPPRESS)
    wanted = next((arg for arg in argv if not arg.startswith("-")), None)
    for name in COMMANDS:
        command = commands.add_parser(name, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == wanted:
            found = import_module(f"modnet.cli.{name.replace('-', '_')}")
            command.description = filled(found.__doc__ or "")
            found.add_arguments(command)
            command.add_argument("--json", action="store_true", help="print JSON, for machines to read")
            command.add_argument("--traceback", action="store_true", help="show where in the code an error comes from")
            command.set_defaults(run=found.run)
    return parser


def _commands() -> str:
    """Return the list of commands; argparse's own puts what long names do on a line of its own."""
    return f"commands:\n{facts(COMMANDS.items(), '  ')}\n\nmodnet COMMAND --help says more about one of them."
