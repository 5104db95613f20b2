"""Print the layers of a spec with their shapes, parameters and multiply-adds."""

import argparse
import dataclasses

from modnet.cli import specs
from modnet.cli.output import emit
from modnet.network.summary import summarize


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    specs.add_spec(parser)
    parser.add_argument("--features", type=specs.count, required=True, metavar="N", help="columns of X")
    parser.add_argument(
        "--outputs",
        type=specs.count,
        required=True,
        metavar="K",
        help="columns of the output: targets, or classes, of which two need one column",
    )


def run(args: argparse.Namespace) -> int:
    """Print the table; return the exit status."""
    found = summarize(specs.network(args, specs.read(args)))
    data = {
        "input_shape": found.input_shape,
        "layers": [dataclasses.asdict(row) for row in found.rows],
        "parameters": found.parameters,
        "state": found.state,
        "multiply_adds": found.multiply_adds,
    }
    emit(args, data, str(found))
    return 0
