"""The command ``modnet``: its subcommands by name, and how errors are reported.

A subcommand is two functions in a module here: ``train_arguments(parser)``, and ``train(args)``, whose docstring is its
help and which returns its exit status, None for 0. The module is imported only when the command is asked for, so that
``modnet --help`` is quick.
"""

import argparse
import inspect
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

from modnet.cli.shared import complain, results_only
from modnet.entries import OWN
from modnet.errors import ModNetError
from modnet.text import facts, filled

COMMANDS = {
    "components": ("components", "List the components and the estimators that are installed."),
    "describe": ("components", "Describe a component: its equation, its fields and where it comes from."),
    "schema": ("specs", "Print the JSON Schema of spec files, with every installed plugin."),
    "validate": ("specs", "Check a spec file, and say everything that is wrong with it."),
    "summary": ("specs", "Print the layers of a spec with their shapes, parameters and multiply-adds."),
    "new-spec": ("specs", "Write a spec file with the defaults of an estimator, to change and to train."),
    "train": (
        "models",
        "Train a model on a CSV or Parquet file, and save it: that of a spec, or an estimator with its defaults.",
    ),
    "predict": ("models", "Predict the rows of a CSV or Parquet file with a saved model."),
    "export": ("export", "Write a saved model as ONNX, for other programs to predict with."),
    "doctor": ("doctor", "Look for what is wrong or slow on this machine, or with a model."),
    "new-plugin": (
        "new_plugin",
        "Write a plugin: a distribution with one component, tests, and a README, ready to install.",
    ),
}
"""The commands: the module of each one's function, which is called like it, and the first line of its docstring."""

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
        The exit status: 0, 1 after an error, 130 after Ctrl-C. argparse exits with 2 when the usage is wrong.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    args = _parser(argv).parse_args(argv)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain("warning", message)
        try:
            with results_only():
                status: int = args.run(args) or 0
        except KeyboardInterrupt:
            return 130  # as shells count it: 128 + SIGINT
        except BrokenPipeError:  # the reader of our output has left, as in ``modnet components | head``
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # drops what is left to print
            return 1
        except BaseException as error:  # a plugin may raise whatever it likes, such as SystemExit
            if args.traceback:
                traceback.print_exc()
            elif isinstance(error, EXPECTED):
                complain("error", error)
            else:
                complain("error", f"{type(error).__name__}: {error} (--traceback shows where)")
            return 1
        return status


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; only the command that `argv` asks for is imported, and has its arguments."""
    # argparse's own list puts what long names do on a line of its own.
    listing = facts(((name, line) for name, (_, line) in COMMANDS.items()), "  ")
    parser = argparse.ArgumentParser(
        prog="modnet",
        usage="modnet [-h] [--version] COMMAND ...",
        description="Neural networks for scikit-learn, assembled from small plugins.",
        epilog=f"commands:\n{listing}\n\nmodnet COMMAND --help says more about one of them.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"{OWN} {version(OWN)}")
    commands = parser.add_subparsers(prog="modnet", metavar="COMMAND", required=True, help=argparse.SUPPRESS)
    wanted = next((arg for arg in argv if not arg.startswith("-")), None)
    for name, (home, _) in COMMANDS.items():
        command = commands.add_parser(name, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == wanted:
            module, function = import_module(f"modnet.cli.{home}"), name.replace("-", "_")
            run = getattr(module, function)
            command.description = filled(inspect.getdoc(run) or "")
            getattr(module, f"{function}_arguments")(command)
            command.add_argument("--json", action="store_true", help="print JSON, for machines to read")
            command.add_argument("--traceback", action="store_true", help="show where in the code an error comes from")
            command.set_defaults(run=run)
    return parser
