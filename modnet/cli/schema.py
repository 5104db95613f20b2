"""Print the JSON Schema of spec files, with every installed plugin.

An editor that knows the schema completes and checks spec files while they are written. In VS Code, for example, add it
to "json.schemas" in the settings; in a TOML file, a first line "#:schema modnet.schema.json" does it.
"""

import argparse
import json
from pathlib import Path

from modnet import ModelSpec
from modnet.cli import output
from modnet.diagnosis.plugins import reason
from modnet.errors import RegistryError
from modnet.files import write_whole
from modnet.registry import registry
from modnet.text import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it to a file")


def run(args: argparse.Namespace) -> int:
    """Print or write the schema; return the exit status."""
    text = json.dumps(ModelSpec.json_schema(), indent=2, ensure_ascii=False, allow_nan=False)
    for entry, cls in registry.classes():
        if isinstance(cls, RegistryError):
            output.complain("warning", f"{entry} is left out: {reason(cls)}")
    if args.out is None:
        output.write(text)
        return 0
    write_whole(args.out, lambda file: file.write(f"{text}\n".encode()))
    kinds = {kind: len(registry.entries(kind)) for kind in registry.kinds}
    numbers = ", ".join(counted(count, kind) for kind, count in kinds.items() if count)
    output.emit(args, {"file": str(args.out), "components": kinds}, f"{args.out}: written ({numbers})")
    return 0
