"""The command that writes a plugin, from templates with the names filled in."""

import argparse
import ast
import contextlib
import importlib.metadata
import importlib.util
import json
import keyword
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from modnet.cli.shared import CommandError, emit
from modnet.entries import article, group_of, normalized
from modnet.registry import estimators, registry

_USES = {
    "layer": 'ModNetClassifier(layers=(32, "{}"))',
    "activation": 'ModNetClassifier(layers=(32,), activation="{}")',
    "inputs": 'ModNetClassifier(layers=(32,), inputs="{}")',
    "output": 'ModNetClassifier(layers=(32,), output="{}")',
    "loss": 'ModNetRegressor(layers=(32,), loss="{}")',
    "optimizer": 'ModNetClassifier(layers=(32,), optimizer="{}")',
    "solver": 'ModNetClassifier(layers=(32,), optimizer="{}", tol=0.01)',
    "schedule": 'ModNetClassifier(layers=(32,), optimizer={{"type": "adam", "schedule": "{}"}})',
    "initializer": 'ModNetClassifier(layers=({{"type": "dense", "units": 32, "kernel_initializer": "{}"}},))',
    "constraint": 'ModNetClassifier(layers=({{"type": "dense", "units": 32, "kernel_constraint": "{}"}},))',
    "accelerator": 'ModNetClassifier(layers=(32,), accelerator="{}")',
    "estimator": "{}(layers=(32,))",
}
"""How a component of each kind is used, in the README of its plugin."""

KINDS = tuple(_USES)
"""What there are templates for."""


def new_plugin_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``new-plugin``."""
    parser.add_argument("name", type=_name, metavar="NAME", help="lower-case words with hyphens, such as soft-step")
    parser.add_argument("--kind", choices=KINDS, default="layer", help="what the component is (default: layer)")
    parser.add_argument("--directory", type=Path, default=Path(), metavar="DIR", help="where to put it (default: here)")
    parser.add_argument(
        "--distribution",
        type=_distribution,
        metavar="DIST",
        help="what pip calls it, such as acme-layers, whose package is acme_layers (default: modnet-NAME)",
    )
    parser.add_argument(
        "--license", type=_license, metavar="SPDX", help="a licence, such as MIT or BSD-3-Clause (default: none yet)"
    )
    parser.add_argument(
        "--url",
        type=_url,
        action="append",
        default=[],
        metavar="[LABEL=]URL",
        help="where it lives, such as Source=https://example.org/acme (default label: Homepage); may be repeated",
    )


def _name(text: str) -> str:
    name = text.removeprefix("modnet-")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*", name):
        raise argparse.ArgumentTypeError(f"should be lower-case words with hyphens, such as soft-step, got {text!r}")
    return name


def _distribution(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]([A-Za-z0-9._-]*[A-Za-z0-9])?", text):  # PEP 508's, and a package of it has a name
        rule = "begin with a letter, end with a letter or digit, and have only those and . _ - between"
        raise argparse.ArgumentTypeError(f"should {rule}, such as acme-layers, got {text!r}")
    return text


def _license(text: str) -> str:
    with contextlib.suppress(ImportError):  # packaging comes with pytest and build; without it, pip refuses later
        from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

        try:
            return canonicalize_license_expression(text)
        except InvalidLicenseExpression:
            rule = "an expression of https://spdx.org/licenses, such as MIT, BSD-3-Clause or Apache-2.0"
            raise argparse.ArgumentTypeError(f"should be {rule}, got {text!r}") from None
    return text


def _url(text: str) -> tuple[str, str]:
    label, _, url = text.partition("=") if re.match(r"[^:/]*=", text) else ("Homepage", "", text)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not 0 < len(label) <= 32 or re.search(r"\s", url):
        rule = "an address such as https://example.org/acme, or one with a label of at most 32 characters, Source=https://…"
        raise argparse.ArgumentTypeError(f"should be {rule}, got {text!r}")
    return label, url


def new_plugin(args: argparse.Namespace) -> None:
    """Write a plugin: a distribution with one component, tests, and a README, ready to install.

    The files are written from templates, with the names filled in. The tests pass as they are; then put your own
    equation in place of the one that is there.
    """
    names = names_of(args.name, args.kind, args.distribution, args.license, args.url)
    component, root = names["component"], args.directory / names["distribution"]
    if root.exists():
        raise CommandError(f"{root} is there already: choose another name, or move it away")
    if len(dict(args.url)) < len(args.url):
        raise CommandError(f"two addresses have one label, {args.url[-1][0]}: write --url Source=https://… for another")
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
        + (f" The text of {args.license} belongs into {root / 'LICENSE'}." if args.license else "")
    )
    data = {"directory": str(root), "distribution": names["distribution"], "name": component, "kind": args.kind}
    emit(args, data, told)


def _clash(names: dict[str, str], texts: dict[Path, str]) -> str:
    """Return what has one of a plugin's names already; "" if nothing has."""
    component, package, cls = names["component"], names["package"], names["cls"]
    for word in (component, cls, package):
        if keyword.iskeyword(word) or word == "auto":
            return f"{word} is a word of {'modnet' if word == 'auto' else 'Python'}'s"
    for entry in (estimators if names["kind"] == "estimator" else registry).entries():
        if entry.name == component and (entry.standard or entry.kind == names["kind"]):
            return f"{entry} has that name already"
    if any(normalized(each.name) == normalized(names["distribution"]) for each in importlib.metadata.distributions()):
        return f"the distribution {names['distribution']} is installed already"
    if importlib.util.find_spec(package):
        return f"there is a package {package} already"
    module = ast.parse(texts[Path(package, f"{component}.py")])
    imported = {alias.name for node in module.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    return f"its class would be called {cls}, as one that it needs" if cls in imported else ""


def names_of(
    name: str,
    kind: str,
    distribution: str | None = None,
    license: str | None = None,
    urls: Iterable[tuple[str, str]] = (),
) -> dict[str, str]:
    """Return what a plugin's templates are filled with.

    Parameters
    ----------
    name : str
        What the plugin is called: lower-case words with hyphens, ``soft-step``.
    kind : str
        One of `KINDS`.
    distribution : str, optional
        What pip calls it; default: ``modnet-`` and the name. Its package is called so too, as Python writes names.
    license : str, optional
        An SPDX expression.
    urls : iterable of (str, str)
        Labels and addresses.

    Examples
    --------
    >>> names = names_of("soft-step", "activation", "Acme.Layers")
    >>> names["distribution"], names["package"], names["component"], names["cls"]
    ('Acme.Layers', 'acme_layers', 'soft_step', 'SoftStep')
    """
    component, distribution = name.replace("-", "_"), distribution or f"modnet-{name}"
    package, cls = normalized(distribution).replace("-", "_"), "".join(map(str.capitalize, name.split("-")))
    use = _USES[kind].format(cls if kind == "estimator" else component)
    home = package if kind == "estimator" else "modnet"
    lines = "".join(
        f"{json.dumps(label, ensure_ascii=False)} = {json.dumps(url, ensure_ascii=False)}\n" for label, url in urls
    )
    return {
        "distribution": distribution,
        "package": package,
        "component": component,
        "cls": cls,
        "kind": kind,
        "a_kind": article(kind),
        "group": group_of(kind),
        "use": use,
        "imported": f"from {home} import {use.partition('(')[0]}",
        "license": f"license = {json.dumps(license)}\n" if license else "",
        "urls": f"\n[project.urls]\n{lines}" if lines else "",
    }


def files_of(names: dict[str, str]) -> dict[Path, str]:
    """Return what is to be written for a plugin of these names: paths inside the distribution, and texts."""
    kind, package, component = names["kind"], Path(names["package"]), names["component"]
    templates = {
        Path("pyproject.toml"): "pyproject.toml",
        Path("README.md"): "README.md",
        package / "__init__.py": "__init__.py",
        package / f"{component}.py": f"{kind}.py",
        Path("tests", f"test_{component}.py"): "test_estimator.py" if kind == "estimator" else "test.py",
    }
    folder = files("modnet.cli") / "templates"
    texts = {path: (folder / f"{name}.txt").read_text(encoding="utf-8") for path, name in templates.items()}
    return {package / "py.typed": "", **{path: Template(text).substitute(names) for path, text in texts.items()}}
