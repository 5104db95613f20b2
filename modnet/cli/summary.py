"""Print the layers of a spec with their shapes, parameters and multiply-adds.

Where an accelerator is installed, its name marks the layers that it runs, and "–" those that run in NumPy.
"""

import argparse
import dataclasses

import numpy as np

from modnet.acceleration import accelerator_name, fused_parts, installed_accelerator
from modnet.base import Loss
from modnet.cli import arguments
from modnet.cli.output import emit
from modnet.network.summary import summarize


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    arguments.add(parser, "spec", "--allow")
    arguments.add(parser, "--features", "--outputs", required=True)


def run(args: argparse.Namespace) -> int:
    """Print the table; return the exit status."""
    spec = arguments.spec_of(args)
    network, accelerator = spec.network(args.features, args.outputs), installed_accelerator()
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
        "loss": {"class": run.loss, "fused": run.loss_is_fused} if run.loss else None,
        "optimizer": {"class": run.optimizer, "fused": run.optimizer_is_fused},
    }
    emit(args, data, str(found))
    return 0
