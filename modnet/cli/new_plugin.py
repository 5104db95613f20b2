"""The command that writes a plugin, from templates with the names filled in."""

import argparse
import ast
import importlib.metadata
import importlib.util
import keyword
import re
from importlib.resources import files
from pathlib import Path
from string import Template

from modnet.cli.shared import CommandError, emit
from modnet.entries import article, group_of, normalized
from modnet.registry import registry

_USES = {
    "layer": 'ModNetClassifier(layers=(32, "{}"))',
    "activation": 'ModNetClassifier(layers=(32,), activation="{}")',
    "loss": 'ModNetRegressor(layers=(32,), loss="{}")',
    "optimizer": 'ModNetClassifier(layers=(32,), optimizer="{}")',
}
"""How a component of each kind is used, in the README of its plugin."""

KINDS = tuple(_USES)
"""What there are templates for."""


def new_plugin_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``new-plugin``."""
    parser.add_argument("name", type=_name, metavar="NAME", help="lower-case words with hyphens, such as soft-step")
    parser.add_argument("--kind", choices=KINDS, default="layer", help="what the component is (default: layer)")
    parser.add_argument("--directory", type=Path, default=Path(), metavar="DIR", help="where to put it (default: here)")


def _name(text: str) -> str:
    name = text.removeprefix("modnet-")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*", name):
        raise argparse.ArgumentTypeError(f"should be lower-case words with hyphens, such as soft-step, got {text!r}")
    return name


def new_plugin(args: argparse.Namespace) -> None:
    """Write a plugin: a distribution with one component, tests, and a README, ready to install.

    The files are written from templates, with the names filled in. The tests pass as they are; then put your own
    equation in place of the one that is there.
    """
    names = names_of(args.name, args.kind)
    component, root = names["component"], args.directory / names["distribution"]
    if root.exists():
        raise CommandError(f"{root} is there already: choose another name, or move it away")
    texts = files_of(names)
    if problem := _clash(names, texts):
        raise CommandError(f"{problem}: choose another name")
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    told = (
        f"{root}: {names['a_kind']} called {component!r}. Next:\n\n"
        f'    python -m pip install -e "{root}[test]"\n'
        f"    python -m pytest {root}\n\n"
        f"then put your own equation into {root / names['package'] / component}.py, and run the tests again."
    )
    data = {"directory": str(root), "distribution": names["distribution"], "name": component, "kind": args.kind}
    emit(args, data, told)


def _clash(names: dict[str, str], texts: dict[Path, str]) -> str:
    """Return what has one of a plugin's names already; "" if nothing has."""
    component, package, cls = names["component"], names["package"], names["cls"]
    if keyword.iskeyword(component) or keyword.iskeyword(cls):
        return f"{component if keyword.iskeyword(component) else cls} is a word of Python's"
    for entry in registry.entries():
        if entry.name == component and (entry.standard or entry.kind == names["kind"]):
            return f"{entry} has that name already"
    if any(normalized(each.name) == names["distribution"] for each in importlib.metadata.distributions()):
        return f"the distribution {names['distribution']} is installed already"
    if importlib.util.find_spec(package):
        return f"there is a package {package} already"
    module = ast.parse(texts[Path(package, f"{component}.py")])
    imported = {alias.name for node in module.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    return f"its class would be called {cls}, as one that it needs" if cls in imported else ""


def names_of(name: str, kind: str) -> dict[str, str]:
    """Return the names that a plugin's templates are filled with.

    Parameters
    ----------
    name : str
        What the plugin is called: lower-case words with hyphens, ``soft-step``.
    kind : str
        One of `KINDS`.

    Examples
    --------
    >>> names = names_of("soft-step", "activation")
    >>> names["distribution"], names["package"], names["component"], names["cls"]
    ('modnet-soft-step', 'modnet_soft_step', 'soft_step', 'SoftStep')
    """
    component = name.replace("-", "_")
    return {
        "distribution": f"modnet-{name}",
        "package": f"modnet_{component}",
        "component": component,
        "cls": "".join(word.capitalize() for word in name.split("-")),
        "kind": kind,
        "a_kind": article(kind),
        "group": group_of(kind),
        "use": _USES[kind].format(component),
    }


def files_of(names: dict[str, str]) -> dict[Path, str]:
    """Return what is to be written for a plugin of these names: paths inside the distribution, and texts."""
    kind, package, component = names["kind"], Path(names["package"]), names["component"]
    templates = {
        Path("pyproject.toml"): "pyproject.toml",
        Path("README.md"): "README.md",
        package / "__init__.py": "__init__.py",
        package / f"{component}.py": f"{kind}.py",
        Path("tests", f"test_{component}.py"): f"test_{kind}.py",
    }
    folder = files("modnet.cli") / "templates"
    texts = {path: (folder / f"{name}.txt").read_text(encoding="utf-8") for path, name in templates.items()}
    return {package / "py.typed": "", **{path: Template(text).substitute(names) for path, text in texts.items()}}
