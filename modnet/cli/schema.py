"""Print the JSON Schema of spec files, with every installed plugin.

An editor that knows the schema completes and checks spec files while they are written. In VS Code, for one, add it to
"json.schemas" in the settings; in a TOML file, a first line "#:schema modnet.schema.json" does it.
"""

import argparse
import json
from pathlib import Path

from modnet import ModelSpec
from modnet.cli import output
from modnet.cli.components import described
from modnet.registry import group_of, registry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it to a file")


def run(args: argparse.Namespace) -> int:
    """Print or write the schema; return the exit status."""
    schema = ModelSpec.json_schema()
    for entry in registry.entries():
        if error := described(entry)["error"]:
            output.complain("warning", f"{entry} is left out: {error}")
    text = json.dumps(schema, indent=2, ensure_ascii=False, allow_nan=False)
    if args.out is None:
        output.write(text)
        return 0
    args.out.write_text(text + "\n", encoding="utf-8")
    kinds = {kind: len(registry.entries(kind)) for kind in registry.kinds}
    counted = ", ".join(
        f"{count} {kind if count == 1 else group_of(kind).partition('.')[2]}" for kind, count in kinds.items() if count
    )
    output.emit(args, {"file": str(args.out), "components": kinds}, f"{args.out}: written ({counted})")
    return 0
