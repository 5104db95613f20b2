"""What every test may ask for: a site to install throw-away plugins into, and a registry that forgets them."""

import signal
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings
from support.distributions import Site, throw_away_site

from modnet.registry import Registry, registry

if find_spec("onnxruntime") is None:
    collect_ignore = ["support/exported.py"]  # whose doctests are looked for

# What a shell starts in the background ignores Ctrl-C, and so would what the tests raise.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A deadline would measure how busy the machine is; and what is submitted is judged by the same examples in every run.
settings.register_profile("modnet", deadline=None, derandomize=True)
settings.load_profile("modnet")


def pytest_sessionstart() -> None:
    """Say at once that entry points of an earlier commit are installed: without a name there is no model file."""
    declared = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    points = {(group, *each) for group, names in declared["entry-points"].items() for each in names.items()}
    installed = {(each.group, each.name, each.value) for each in distribution(declared["name"]).entry_points}
    if missing := points - installed:
        group, name, _ = min(missing)
        raise pytest.UsageError(f"{name!r} in group {group} is not installed: python -m pip install -e .")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A directory on ``sys.path`` that distributions are installed into; gone after the test."""
    with throw_away_site(tmp_path) as site:
        yield site


@pytest.fixture
def book() -> Iterator[Registry]:
    """The registry of this process; names that a test registers by hand are forgotten after it."""
    before = set(registry.entries())
    yield registry
    for entry in set(registry.entries()) - before:
        if not entry.distribution:
            registry.unregister(registry.get(entry.kind, f":{entry.name}"))
