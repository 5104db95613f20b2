"""The arrows between the packages, read from the source with `ast`, and the rules that every file and class keeps."""

import ast
import functools
import importlib
import importlib.metadata
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.distributions import run_python

import modnet
from modnet.component import Component, field_names
from modnet.registry import registry

ROOT = Path(__file__).parents[1]
FRAMEWORK, STANDARD = ROOT / "modnet", ROOT / "plugins" / "modnet_standard"
FILES = sorted([*FRAMEWORK.rglob("*.py"), *STANDARD.rglob("*.py")])
REEXPORTS = {
    f"modnet.{name}"
    for name in (
        "inputs",
        "layers",
        "outputs",
        "activations",
        "losses",
        "optimizers",
        "schedules",
        "initializers",
        "constraints",
    )
}
OUTWARD = {"modnet.estimators", "modnet.neural_network"}
"""The parts that speak scikit-learn."""
TOOLS = {
    "modnet.testing",
    "modnet.diagnosis",
    "modnet.inspection",
    "modnet.onnx",
    "modnet.tracing",
    "modnet.cli",
    "modnet.__main__",
}
"""What looks at models and components from outside."""


def module_name(path: Path) -> str:
    base = ROOT if path.is_relative_to(FRAMEWORK) else ROOT / "plugins"
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, however deep in the file; ``modnet`` for names out of modnet."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [name for name in submodules if name in MODULES]
            yield from found
            if len(found) < len(submodules):
                yield str(node.module)


MODULES = {module_name(path): path for path in FILES}


def part_of(module: str) -> str:
    """The part of the framework that a module belongs to: ``modnet.base.module`` to ``modnet.base``."""
    return ".".join(module.split(".")[:2])


def imported_parts(part: str) -> set[str]:
    """The parts of modnet that the files of one part import, itself left out."""
    return {
        part_of(imported)
        for module, path in MODULES.items()
        if part_of(module) == part
        for imported in imports(path)
        if imported.partition(".")[0] in ("modnet", "modnet_standard") and part_of(imported) != part
    }


# Arrows

ARROWS = {
    "modnet.errors": set(),
    "modnet.files": set(),
    "modnet.text": set(),
    "modnet.words": set(),
    "modnet.docstrings": set(),
    "modnet.entries": set(),
    "modnet.offers": {"modnet.entries", "modnet.errors", "modnet.words"},
    "modnet.registry": {"modnet.entries", "modnet.errors", "modnet.offers"},
    "modnet.strict": set(),
    "modnet.component": {
        "modnet.docstrings",
        "modnet.entries",
        "modnet.errors",
        "modnet.registry",
        "modnet.strict",
        "modnet.words",
    },
    "modnet.slot": {"modnet.component", "modnet.entries", "modnet.registry", "modnet.errors"},
    "modnet.schema": {"modnet.component", "modnet.registry", "modnet.errors", "modnet.slot"},
    "modnet.base": {"modnet.slot", "modnet.component", "modnet.errors", "modnet.strict"},
    "modnet.network": {"modnet.base", "modnet.component", "modnet.errors", "modnet.strict", "modnet.text"},
    "modnet.acceleration": {"modnet.network", "modnet.base", "modnet.registry", "modnet.errors"},
    "modnet.training": {
        "modnet.acceleration",
        "modnet.network",
        "modnet.base",
        "modnet.component",
        "modnet.errors",
        "modnet.registry",
        "modnet.strict",
    },
    "modnet.requirements": {"modnet.errors"},
    "modnet.spec_slots": {"modnet.slot", "modnet.strict"},
    "modnet.spec": {
        "modnet.base",
        "modnet.component",
        "modnet.errors",
        "modnet.files",
        "modnet.registry",
        "modnet.requirements",
        "modnet.strict",
        "modnet.schema",
        "modnet.slot",
        "modnet.spec_slots",
        "modnet.network",
        "modnet.training",
    },
    "modnet.tracing": {
        "modnet.base",
        "modnet.component",
        "modnet.diagnosis",
        "modnet.errors",
        "modnet.estimators",
        "modnet.network",
        "modnet.slot",
        "modnet.strict",
        "modnet.text",
        "modnet.training",
        "modnet.words",
    },
}


@pytest.mark.parametrize("part", ARROWS)
def test_arrows_point_down_only(part: str):
    assert part in {part_of(module) for module in MODULES}
    assert imported_parts(part) <= ARROWS[part]


def test_below_the_estimators_nobody_knows_the_estimators():
    # modnet itself names them, and imports them when they are first asked for.
    above = {part for part in {part_of(module) for module in MODULES} if imported_parts(part) & OUTWARD}
    assert above <= {"modnet", *OUTWARD, *TOOLS}


def test_nobody_knows_the_tools_but_the_tools():
    # modnet itself names `trace`, and imports it when it is first asked for.
    above = {part for part in {part_of(module) for module in MODULES} if imported_parts(part) & TOOLS}
    assert above <= {"modnet", *TOOLS}


def test_nobody_knows_the_command():
    assert [module for module in MODULES if "modnet.cli" in imported_parts(module)] == ["modnet.__main__"]


def test_the_kit_that_tests_components_is_known_to_nobody_and_knows_no_concrete_one():
    assert not [module for module in MODULES if "modnet.testing" in imported_parts(module)]
    assert not imported_parts("modnet.testing") & REEXPORTS


def test_the_kit_imports_pytest_only_where_it_makes_tests():
    functions = [
        (module, inner.name)
        for module, path in MODULES.items()
        for inner in ast.walk(tree(path))
        if isinstance(inner, ast.FunctionDef) and any("pytest" in _imported(each) for each in ast.walk(inner))
    ]
    assert functions == [("modnet.testing.collecting", "parametrize_with_checks")]
    assert sum("pytest" in set(imports(path)) for path in MODULES.values()) == 1


def _imported(node: ast.AST) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_only_the_reexports_import_concrete_components():
    importers = {module for module, path in MODULES.items() if any("modnet_standard" in name for name in imports(path))}
    assert {module for module in importers if module.startswith("modnet.")} == REEXPORTS


def test_reexports_hold_nothing_but_imports_of_what_a_file_lists():
    for module in REEXPORTS:
        body = tree(MODULES[module]).body
        assert {type(statement) for statement in body[1:]} == {ast.ImportFrom}, module
        assert {alias.name for statement in body[1:] for alias in statement.names} == {"*"}, module
        assert all(hasattr(importlib.import_module(statement.module), "__all__") for statement in body[1:]), module


def test_scikit_learn_is_imported_by_the_estimators_and_the_tools_only():
    importers = {
        part_of(m) for m, path in MODULES.items() for name in imports(path) if name.partition(".")[0] == "sklearn"
    }
    assert importers <= OUTWARD | TOOLS
    assert importers >= {"modnet.estimators"}


def test_standard_components_need_numpy_and_modnet_only():
    allowed = {"numpy", "scipy", "pydantic", "annotated_types", "modnet", "modnet_standard"} | sys.stdlib_module_names
    for module, path in MODULES.items():
        if module.startswith("modnet_standard"):
            assert {name.partition(".")[0] for name in imports(path)} <= allowed, module


def test_standard_components_use_what_any_plugin_may_use():
    public = {"modnet", "modnet.base", "modnet.errors", "modnet.base.initializer"}
    for module, path in MODULES.items():
        if module.startswith("modnet_standard"):
            assert {name for name in imports(path) if name.partition(".")[0] == "modnet"} <= public, module


def defined_privately(part: str) -> set[str]:
    """The names with an underscore in front that the files of a part define or assign."""
    names = set()
    for module, path in MODULES.items():
        for node in ast.walk(tree(path)) if part_of(module) == part else ():
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.id if isinstance(node, ast.Name) else node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)  # __slots__
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def test_no_package_reaches_through_an_underscore_of_another():
    private = {part: defined_privately(part) for part in {part_of(module) for module in MODULES}}
    reached = []
    for module, path in MODULES.items():
        mine = private[part_of(module)]
        others = set().union(*(names for part, names in private.items() if part != part_of(module))) - mine
        for node in ast.walk(tree(path)):
            names = [node.attr] if isinstance(node, ast.Attribute) else []
            if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in ("modnet", "modnet_standard"):
                names = [alias.name for alias in node.names]
            reached += [f"{module}: {name}" for name in names if name in others]
    assert reached == []


def test_there_are_no_circles():
    arrows = {part: imported_parts(part) for part in {part_of(module) for module in MODULES}}
    while ends := {part for part, others in arrows.items() if not others & arrows.keys()}:
        arrows = {part: others for part, others in arrows.items() if part not in ends}
    assert arrows == {}


# Import


def test_every_public_name_exists():
    for module in [*MODULES]:
        for name in getattr(importlib.import_module(module), "__all__", ()):
            assert hasattr(importlib.import_module(module), name), f"{module}.{name}"
    assert set(modnet.__all__) <= set(dir(modnet))
    with pytest.raises(AttributeError, match="has no attribute 'Perceptron'"):
        modnet.Perceptron  # noqa: B018


def test_the_standard_components_are_there_after_importing_modnet():
    code = "import modnet; print(modnet.layers.Dense(3, modnet.activations.ReLU()), 'layers' in dir(modnet))"
    assert run_python(code) == "Dense(units=3, activation=ReLU()) True"


def test_importing_modnet_is_cheap_and_leaves_scikit_learn_alone():
    code = """
import sys, time
begun = time.process_time()  # of this process: the machine may be busy with others
import numpy, pydantic
started = time.process_time()
import modnet
seconds = time.process_time() - started
assert not {name.partition(".")[0] for name in sys.modules} & {"sklearn", "scipy", "modnet_standard"}
print(seconds / (started - begun))
"""
    # 0.8 to 1.2 times what NumPy and Pydantic take, a third of it lazy imports of Pydantic's own.
    assert min(float(run_python(code)) for _ in range(3)) < 2


def test_a_plugin_module_does_not_import_scikit_learn():
    code = "import sys, modnet.layers, modnet.losses, modnet.optimizers; print('sklearn' in sys.modules)"
    assert run_python(code) == "False"


# Files and classes


@pytest.mark.parametrize("path", FILES, ids=lambda path: module_name(path))
def test_every_file_opens_with_a_docstring(path: Path):
    docstring = ast.get_docstring(tree(path))
    assert docstring
    assert docstring.split("\n\n")[0].endswith(".")


PARTS = {"Encode", "Numbers"}
"""Links that `table` makes: no spec holds them and nobody names them, so they have no entries."""


def concrete_classes() -> list[type[Component]]:
    """Every concrete component in modnet_standard."""
    found = {}
    for module in MODULES:
        if module.startswith("modnet_standard"):
            for _, cls in inspect.getmembers(importlib.import_module(module), inspect.isclass):
                if (
                    issubclass(cls, Component)
                    and cls.__module__ == module
                    and not inspect.isabstract(cls)
                    and cls.__name__ not in PARTS
                ):
                    found[f"{module}.{cls.__qualname__}"] = cls
    return list(found.values())


@pytest.mark.parametrize("cls", concrete_classes(), ids=lambda cls: cls.__name__)
class TestStandardComponent:
    """What is asked of every concrete class in modnet_standard."""

    def test_it_is_registered_once_by_the_name_of_its_class(self, cls: type[Component]):
        value = f"{cls.__module__}:{cls.__qualname__}"
        mine = [entry for entry in registry.entries() if entry.value == value]
        assert [(entry.kind, entry.distribution) for entry in mine] == [(cls.kind, "modnet-layers")]
        # RMSprop is rmsprop: where words end in a name of such letters, its authors know.
        assert mine[0].name.replace("_", "") == cls.__name__.lower()

    def test_its_file_has_its_name_or_that_of_its_family(self, cls: type[Component]):
        # A family's file is named after the member that comes first, or in the plural.
        family = [other for other in concrete_classes() if other.__module__ == cls.__module__]
        first = min(family, key=lambda other: inspect.getsourcelines(other)[1])
        (name,) = (entry.name for entry in registry.entries() if registry.entry_of(first) == entry)
        file = cls.__module__.rpartition(".")[2]
        assert file == name or (len(family) > 1 and file.endswith("s"))

    def test_it_is_exported_where_users_look_for_it(self, cls: type[Component]):
        package = cls.__module__.split(".")[1]
        assert getattr(importlib.import_module(f"modnet.{package}"), cls.__name__) is cls
        assert cls.__name__ in importlib.import_module(cls.__module__).__all__

    def test_its_docstring_has_an_example_and_describes_its_fields(self, cls: type[Component]):
        docstring = inspect.getdoc(cls) or ""
        assert "Examples\n--------\n>>> " in docstring
        own = [field for field in field_names(cls) if field in vars(cls).get("__annotations__", {})]
        described = docstring.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
        assert all(re.search(rf"\b{field}\b", described) for field in own), own

    def test_it_is_final(self, cls: type[Component]):
        assert not [other for other in concrete_classes() if cls in other.__mro__[1:]]


def test_every_entry_of_the_distribution_leads_to_a_class_of_modnet_standard():
    mine = [entry for entry in registry.entries() if entry.distribution == "modnet-layers"]
    classes = {registry.get(entry.kind, f"modnet-layers:{entry.name}") for entry in mine}
    assert classes == set(concrete_classes())
    assert len(mine) == len(classes)


def test_the_installed_entry_points_are_those_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    written = {
        (group, name, value)
        for group, points in project["entry-points"].items()
        for name, value in points.items()
        if group.startswith("modnet.")
    }
    installed = {
        (point.group, point.name, point.value)
        for point in importlib.metadata.distribution("modnet-layers").entry_points
        if point.group.startswith("modnet.")
    }
    assert installed == written
