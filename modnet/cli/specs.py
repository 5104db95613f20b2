"""The arguments of the commands that read a spec file, and the file itself."""

import argparse
from pathlib import Path

from modnet import ModelSpec, Network


def add_spec(parser: argparse.ArgumentParser) -> None:
    """Declare the spec file and what it may use."""
    parser.add_argument("spec", type=Path, metavar="SPEC", help="a .json or .toml file")
    add_allow(parser)


def add_allow(parser: argparse.ArgumentParser) -> None:
    """Declare what components may come from."""
    parser.add_argument(
        "--allow",
        action="append",
        metavar="DISTRIBUTION",
        help="use components of this distribution and of modnet-layers only; may be given several times",
    )


def read(args: argparse.Namespace) -> ModelSpec:
    """Return the spec in the file.

    Raises
    ------
    InvalidSpecError
        If it is not valid.
    """
    return ModelSpec.load(args.spec, allow=args.allow)


def network(args: argparse.Namespace, spec: ModelSpec) -> Network:
    """Return the network that a spec describes for the widths that were given."""
    return spec.network(args.features, args.outputs)


def count(text: str) -> int:
    """Return a number of columns."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"should be a whole number from 1, got {text!r}")
    return int(text)
