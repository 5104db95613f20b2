"""The table of standard components in their README, made of their docstrings: name, first line, first reference.

``python tests/support/catalogue.py`` writes it anew.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from modnet import Component
from modnet.registry import registry

README = Path(__file__).parents[2] / "plugins" / "modnet_standard" / "README.md"
KINDS = {
    "inputs": "inputs",
    "layer": "layers",
    "output": "outputs",
    "activation": "activations",
    "loss": "losses",
    "optimizer": "optimizers",
    "solver": "optimizers",
    "schedule": "schedules",
    "initializer": "initializers",
    "constraint": "constraints",
}
"""Each kind, and the module that users import it from."""

BEGIN, END = "<!-- catalogue -->", "<!-- end of catalogue -->"


def catalogue() -> str:
    """Return the table as Markdown."""
    parts = []
    for package in dict.fromkeys(KINDS.values()):
        rows = [row(name, cls) for name, cls in standard(package)]
        head = f"**`modnet.{package}`**\n\n| name | what it is | source |\n|---|---|---|"
        parts.append("\n".join([head, *rows]))
    return "\n\n".join(parts)


def standard(package: str) -> Iterator[tuple[str, type[Component]]]:
    """Return names and classes of the standard components in a package, by name."""
    found = [
        (entry.name, registry.get(entry.kind, f"modnet-layers:{entry.name}"))
        for kind, where in KINDS.items()
        for entry in registry.entries(kind)
        if where == package and entry.distribution == "modnet-layers"
    ]
    yield from sorted(found, key=lambda item: item[0])


def row(name: str, cls: type[Component]) -> str:
    """Return the row of one component."""
    docstring = inspect.getdoc(cls) or ""
    summary = docstring.split("\n\n")[0].replace("\n", " ")
    cells = (f"`{name}` {cls.__name__}", summary.removesuffix("."), source(docstring))
    return " | ".join(["", *(cell.replace("|", r"\|") for cell in cells), ""]).strip()


def source(docstring: str) -> str:
    """Return authors and year of the first reference, or what stands there if it is no paper."""
    references = docstring.partition("References\n----------\n")[2].split("\n\n")[0].replace("\n", " ")
    paper = re.match(r".*?\(\d{4}\)", references)
    return paper.group() if paper else re.split(r"[,;]", references)[0].replace("``", "`").strip()


def main() -> None:
    """Write the table into the page."""
    text = README.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n\n{catalogue()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
