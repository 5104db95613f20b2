"""Print the layers of a spec with their shapes, parameters and multiply-adds.

Where an accelerator is installed, its name marks what its compiled twins will be run of, and "–" what they will not.
"""

import argparse
import dataclasses

import numpy as np

from modnet.acceleration import accelerator_name, fused_parts, installed_accelerator
from modnet.base import Loss
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
    spec = specs.read(args)
    network, accelerator = specs.network(args, spec), installed_accelerator()
    run = fused_parts(
        network,
        accelerator,
        np.dtype(np.float64),
        name=accelerator_name(accelerator),
        loss=spec.loss if isinstance(spec.loss, Loss) else None,
        optimizer=spec.optimizer,
    )
    found = summarize(network, run)
    data = {
        "input_shape": found.input_shape,
        "layers": [dataclasses.asdict(row) for row in found.rows],
        "parameters": found.parameters,
        "state": found.state,
        "multiply_adds": found.multiply_adds,
        "accelerator": run.accelerator,
        "loss": {"class": run.loss, "twin": run.loss_is_fused} if run.loss else None,
        "optimizer": {"class": run.optimizer, "twin": run.optimizer_is_fused},
    }
    emit(args, data, str(found))
    return 0
