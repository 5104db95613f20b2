"""The README and the page on plugins: their Python runs as printed, their tables tell the truth, and links lead on."""

import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest
from support.catalogue import BEGIN, END, catalogue

ROOT = Path(__file__).parents[1]
PLUGINS = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMPONENTS = (ROOT / "plugins" / "modnet_standard" / "README.md").read_text(encoding="utf-8")
AFTERWARDS = """
model = ModNetClassifier(layers=("log_scale", 64), max_iter=20).fit(X / 16, y)
assert model.score(X / 16, y) > 0.8, model.score(X / 16, y)
"""


def test_it_is_read_in_a_minute():
    assert len(README.splitlines()) <= 150


@pytest.mark.slow
def test_the_python_runs_as_printed(tmp_path: Path):
    code = "\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL)) + AFTERWARDS
    command = [sys.executable, "-W", "ignore:training stopped at max_iter", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    score, covered, search = done.stdout.splitlines(keepends=True)
    assert indent(score + covered, "    ") in README
    assert 0.75 <= float(covered.partition("%")[0]) / 100 <= 0.85
    assert float(search.split()[-1]) > 0.93


def test_ci_runs_the_test_command_that_is_printed():
    (command,) = re.findall(r"^    (.*pytest)$", README, re.MULTILINE)
    assert command.startswith("python3 -m venv .venv && ")
    assert "grep -m1 'pytest$' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([\w./-]+)\)", README))))
def test_what_is_linked_is_there(path: str):
    assert (ROOT / path).exists()


def test_ci_builds_the_site_by_the_command_that_is_printed():
    (command,) = re.findall(r"^    .* && (.*examples build/site)$", README, re.MULTILINE)
    assert "grep -m1 'build/site$' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "-W" in command.split()


def test_the_catalogue_is_that_of_the_docstrings():
    shown = COMPONENTS.partition(BEGIN)[2].partition(END)[0].strip()
    assert shown == catalogue(), "python tests/support/catalogue.py writes it anew"


USED = """

def test_the_estimator_is_saved_and_loaded(tmp_path):
    import modnet
    modnet.register(Patient)
    X, y = np.linspace(-1, 1, 40).reshape(20, 2), np.linspace(0, 1, 20)
    model = Patient(max_iter=500, margin=0.2, random_state=0).fit(X, y)
    modnet.save(model, tmp_path / "model.npz")
    again = modnet.load(tmp_path / "model.npz")
    assert (again.margin, again.range_) == (0.2, model.range_)
    assert (again.predict(X) == model.predict(X)).all()


def test_attention_is_that_of_modnet_sequence():
    import pytest
    from modnet.network import Network, Pass
    theirs = pytest.importorskip("modnet_sequence").MultiHeadAttention
    rng, found = np.random.default_rng(0), []
    x, dy = rng.normal(size=(2, 5, 3, 4))
    theta, state = Network([Attention(2)], (3, 4)).initialize(rng)
    theta += 0.1
    for layer in (Attention(2), theirs(2)):
        gradient = np.empty_like(theta)
        running = Pass(Network([layer], (3, 4)), theta, state, gradient=gradient, rows=5)
        y = running.forward(x)
        running.backward(dy)
        found.append((y, running.input_gradient(), gradient))
    for mine, other in zip(*found):
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-12)
"""


@pytest.mark.slow
def test_the_components_on_the_page_on_plugins_keep_the_contract(tmp_path: Path):
    code = "\n".join(re.findall(r"```python\n(.*?)```", PLUGINS, re.DOTALL))
    others = "[*Power.examples(), InPlaceReLU(), Rectified()]"
    more = f"\n\n@parametrize_with_checks({others})\ndef test_others(check):\n    check()\n{USED}"
    (tmp_path / "test_page.py").write_text(code + more, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([\w./-]+)\)", PLUGINS))))
def test_what_the_page_on_plugins_links_is_there(path: str):
    assert (ROOT / "plugins" / path).exists()
