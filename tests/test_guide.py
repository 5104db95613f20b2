"""The guide: its code runs, and prints what stands below it; its links lead on."""

import re
from pathlib import Path

import pytest
from support.pages import rerun

from modnet.registry import Registry

PAGES = Path(__file__).parents[1] / "examples"
GUIDE = {path.relative_to(PAGES).as_posix(): path.read_text("utf-8") for path in sorted(PAGES.glob("guide/*.md"))}
GUIDE |= {name: (PAGES / name).read_text("utf-8") for name in ("index.md", "how_do_i.md")}
HEAVY = {f"guide/{name}.md" for name in ("architectures", "components", "data", "scikit_learn", "searches")}
NAMES = [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in GUIDE]


@pytest.mark.parametrize("name", NAMES)
def test_the_code_of_a_page_prints_what_it_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, book: Registry
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODNET_ACCELERATOR", "none")
    monkeypatch.setenv("COLUMNS", "100")  # pytest's workers have a terminal of another width
    assert rerun(GUIDE[name]) == GUIDE[name], f"python tests/support/pages.py examples/{name} writes it anew"


FOUND = {name: sorted(set(re.findall(r"\]\((?!https?:)([\w./-]+)", text))) for name, text in GUIDE.items()}
LINKS = [(name, path) for name, paths in FOUND.items() for path in paths]


@pytest.mark.parametrize(("name", "path"), LINKS)
def test_what_a_page_links_is_there(name: str, path: str):
    assert (PAGES / name).parent.joinpath(path).exists()
