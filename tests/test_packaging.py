"""The distribution as users get it: a wheel, installed into an empty environment and used from elsewhere."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from support.distributions import run_python

from modnet.entries import OWN

ROOT = Path(__file__).parents[1]


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    try:
        importlib.metadata.version("build")
    except importlib.metadata.PackageNotFoundError:
        run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    else:
        run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that has the wheel, and what pip fetches for it."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    return python


def imported(folder: Path) -> set[str]:
    """The packages that the modules of a folder name in an import, at their head or later, or in `import_module`."""
    found = set()
    for node in (node for path in folder.rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return {name.partition(".")[0] for name in found} - set(sys.stdlib_module_names) - {""}


PACKAGES = {ROOT / "modnet": ROOT, ROOT / "plugins" / "modnet_standard": ROOT} | {
    path.parent / path.parent.name.replace("-", "_"): path.parent for path in ROOT.glob("plugins/*/pyproject.toml")
}
"""Each package, and the folder whose pyproject.toml it is declared in."""


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_what_is_imported_is_declared_with_a_lower_bound(package: Path):
    project = tomllib.loads((PACKAGES[package] / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *chain(*project.get("optional-dependencies", {}).values())]
    bounds = dict(re.fullmatch(r"([\w-]+)(?:\[.*\])?(.*)", line).groups() for line in lines)
    provided = {"sklearn": "scikit-learn", "modnet": "modnet-layers", "modnet_standard": "modnet-layers"}
    own = {"modnet", "modnet_standard"} if project["name"] == OWN else set()
    for name in imported(package) - own - {package.name}:
        assert ">=" in bounds.get(provided.get(name, name).replace("_", "-"), ""), name


@pytest.mark.slow
def test_the_wheel_holds_both_packages_and_nothing_else(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    version = importlib.metadata.version("modnet-layers")
    assert tops == {"modnet", "modnet_standard", f"modnet_layers-{version}.dist-info"}
    assert {"modnet/py.typed", "modnet_standard/py.typed"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


SMOKE = """
import importlib.metadata, importlib.resources, json, pickle, warnings
import numpy as np
import modnet
from modnet import ModelSpec, ModNetClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4)).astype(np.float32)
y = np.where(X @ [1.0, -1.0, 0.5, 0.0] > 0, "yes", "no")
model = ModNetClassifier(layers=(8, "tanh", {"type": "dropout", "rate": 0.1}), optimizer="adam", random_state=0)
model.set_params(max_iter=60, tol=0, n_iter_no_change=100, optimizer__learning_rate=0.05)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    model.fit(X, y)
assert model.score(X, y) > 0.9, model.score(X, y)
assert (pickle.loads(pickle.dumps(model)).predict(X) == model.predict(X)).all()

spec = ModelSpec.from_json(json.dumps({"layers": [
    {"type": "dense", "units": 3, "activation": "relu"},
    {"type": "residual", "body": ["tanh", {"type": "dense", "units": 3, "kernel_initializer": "he_normal"}]},
], "optimizer": {"type": "sgd", "schedule": "constant"}, "loss": "squared_error"}))
assert spec.requires == {"modnet-layers": importlib.metadata.version("modnet-layers")}
assert ModelSpec.from_json(spec.to_json()) == spec
for package in ("modnet", "modnet_standard"):
    assert importlib.resources.files(package).joinpath("py.typed").is_file()
print(modnet.__file__, importlib.metadata.version("modnet-layers"), modnet.__version__)
"""


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment_and_from_another_directory(installed: Path, tmp_path: Path):
    file, version, own = run_python(SMOKE, cwd=tmp_path, python=str(installed)).split()
    assert Path(file).resolve().is_relative_to(installed.parents[1].resolve())
    assert version == own == importlib.metadata.version("modnet-layers")


@pytest.mark.slow
def test_uninstalling_leaves_nothing_importable(installed: Path, tmp_path: Path):
    run(installed, "-m", "pip", "uninstall", "--quiet", "--yes", "modnet-layers")
    code = "import importlib.util as u; print(u.find_spec('modnet'), u.find_spec('modnet_standard'))"
    assert run_python(code, cwd=tmp_path, python=str(installed)) == "None None"


def test_the_top_of_the_repository_holds_what_it_should():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tops = {path.partition("/")[0] for path in run("git", "-C", ROOT, "ls-files").splitlines()}
    expected = {"pyproject.toml", "README.md", "LICENSE", "modnet", "plugins", "tests", "examples"}
    assert {top for top in tops if not top.startswith(".")} == expected


def test_nobody_is_told_to_install_the_distribution_of_another_project():
    wrong = re.compile(r"pip3? install (-\S+ )*modnet(?![-\w])")
    folders = [ROOT / name for name in ("modnet", "plugins", "tests", "examples")]
    texts = [path for folder in folders for suffix in ("py", "md", "toml") for path in folder.rglob(f"*.{suffix}")]
    for path in [ROOT / "README.md", ROOT / "pyproject.toml", *texts]:
        assert not wrong.search(path.read_text(encoding="utf-8")), path
