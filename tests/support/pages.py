"""Pages of the guide, with what their code prints: ``python tests/support/pages.py PAGE …`` writes the outputs anew.

A block of Python is run, and a block of text behind it is what it prints; in a console, ``$ modnet`` is run. A word
behind the language (``python onnx``) is a package that the block needs: where it is missing, the block stays as it is.
"""

import io
import os
import re
import shlex
import sys
import tempfile
import warnings
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import cloudpickle

from modnet.cli import main as modnet

BLOCK = re.compile(r"^```(python|console)( \w+)?\n(.*?)^```\n(?:\n```text\n.*?^```\n)?", re.DOTALL | re.MULTILINE)


def rerun(page: str) -> str:
    """Return a page with the outputs that its code has now; it is run from top to bottom, in the working folder."""
    module = sys.modules["page"] = ModuleType("page")  # where its classes say that they are from
    cloudpickle.register_pickle_by_value(module)  # for joblib's workers, which have no such module

    def again(found: re.Match[str]) -> str:
        language, package, code = found.groups()
        if package and find_spec(package.strip()) is None:
            return found.group()
        head = f"```{language}{package or ''}\n"
        if language == "console":
            return head + "".join(map(asked, re.findall(r"^\$ (.*)\n", code, re.MULTILINE))) + "```\n"
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(code, "page", "exec"), vars(module))
        said = printed.getvalue()
        return f"{head}{code}```\n" + (f"\n```text\n{said}```\n" if said else "")

    return BLOCK.sub(again, page)


def asked(command: str) -> str:
    """Return a line of a console, with what the command answers."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        modnet(shlex.split(command)[1:])
    return f"$ {command}\n" + re.sub(r"in \d+\.\d+ s\b", "in … s", printed.getvalue())  # which nobody can repeat


def main() -> None:
    """Write the outputs of the pages that are named into them, each run in a folder of its own."""
    warnings.simplefilter("error")
    os.environ |= {"MODNET_ACCELERATOR": "none", "COLUMNS": "100"}
    for page in [Path(name).resolve() for name in sys.argv[1:]]:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            page.write_text(rerun(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
