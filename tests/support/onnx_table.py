"""The table of components with ONNX support, in plugins/README.md; ``python tests/support/onnx_table.py`` writes it."""

from pathlib import Path

from modnet.onnx import exports
from modnet.registry import registry

README = Path(__file__).parents[2] / "plugins" / "README.md"
BEGIN, END = "<!-- onnx -->", "<!-- end of onnx -->"
KINDS = {"layer": "layers", "activation": "activations", "loss": "losses"}
HERE = ("modnet-layers", "modnet-tabular", "modnet-ordinal", "modnet-sequence", "modnet-example")


def table() -> str:
    """Return the table as Markdown."""
    rows = []
    for distribution in HERE:
        for kind, title in KINDS.items():
            entries = [each for each in registry.entries(kind) if each.distribution == distribution]
            classes = {each.name: registry.get(kind, f"{distribution}:{each.name}") for each in entries}
            able = [f"`{name}`" for name in sorted(classes) if exports(classes[name])]
            unable = [f"`{name}`" for name in sorted(classes) if not exports(classes[name])]
            if classes:
                rows.append(f"| {distribution} | {title} | {', '.join(able)} | {', '.join(unable) or 'none'} |")
    return "\n".join(["| from | kind | exported | not |", "|---|---|---|---|", *rows])


def main() -> None:
    """Write the table into the README."""
    text = README.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
