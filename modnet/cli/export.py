"""The command that writes a saved model as ONNX."""

import argparse
from pathlib import Path

from modnet.cli.shared import add, emit
from modnet.estimators.persistence import load
from modnet.files import write_whole
from modnet.onnx import to_onnx
from modnet.onnx.writing import OPSET
from modnet.registry import registry


def export_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``export``."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a .npz file")
    parser.add_argument(
        "--onnx", type=Path, required=True, metavar="OUT", help="where to write the model, a .onnx file"
    )
    parser.add_argument("--opset", type=int, default=OPSET, help=f"version of ONNX's operators (default: {OPSET})")
    add(parser, "--allow")


def export(args: argparse.Namespace) -> None:
    """Write a saved model as ONNX, for other programs to predict with.

    It needs the extra: pip install 'modnet-layers[onnx]'. The table says what goes in and what comes out.
    """
    with registry.allowing(args.allow):
        model = to_onnx(load(args.model), target_opset=args.opset)
    content = model.SerializeToString()
    write_whole(args.onnx, lambda file: file.write(content))
    ends = {"inputs": [each.name for each in model.graph.input], "outputs": [each.name for each in model.graph.output]}
    found = {"onnx": str(args.onnx), "bytes": len(content), "opset": args.opset, **ends}
    lines = [f"{name}: {', '.join(each)}" for name, each in ends.items()]
    emit(args, found, "\n".join([f"{args.onnx}: {len(content):,} bytes, opset {args.opset}", *lines]))
