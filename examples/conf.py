"""How Sphinx makes the site of this folder: guide, API reference, gallery, changelog; the README has the command.

Nothing is fetched: no font, no inventory of another site. What is generated goes to folders that git ignores.
"""

import re
import shutil
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from matplotlib.figure import Figure

import modnet

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))  # sphinx-gallery imports what it is told of by name

project, author, version = "modnet", "The modnet authors", modnet.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["GALLERY_HEADER.rst", "gallery/*.ipynb"]
templates_path = ["_templates"]
suppress_warnings = ["config.cache"]  # functions in this file: each build begins anew


def standard(name):
    """Whether a class is a standard component: what its methods are for is said at the bases."""
    kinds = "layers|inputs|outputs|activations|losses|optimizers|schedules|initializers|constraints"
    return re.match(rf"modnet\.({kinds})\.", name)


def listed(module, names):
    """Return the names that a module's page lists: its own, each where users import it from."""
    found = import_module(module)
    chosen = hasattr(found, "__all__") or standard(f"{module}.")  # by its author; else what it imports is no part of it
    own = [name for name in names if chosen or getattr(found, name).__module__ == module]
    return own if module == "modnet" else [name for name in own if name not in modnet.__all__]


# Docstrings have code, not references, between single backticks. Their types are written for readers.
default_role = "literal"
autodoc_typehints = "none"
autosummary_ignore_module_all = False
autosummary_imported_members = True
autosummary_context = {"standard": standard, "listed": listed}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(sklearn|numpy|torch|keras|jax|shap|optuna|mlflow)\b.*"),  # other sites
    ("py:obj", r"\w+_"),  # what numpydoc makes of properties of the drop-ins, whose pages list no members
]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "modnet"
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("how_do_i", "changelog", "contributing")}  # sections of one page
html_static_path = ["_static"]
html_css_files = ["site.css"]
toc_object_entries_show_parents = "hide"
html_theme_options = {
    "navigation_with_keys": False,
    "navbar_align": "left",
    "show_toc_level": 2,
    "header_links_before_dropdown": 7,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
copyright = "the modnet authors, BSD-3-Clause"

sphinx_gallery_conf = {
    "examples_dirs": ".",
    "gallery_dirs": "gallery",
    "ignore_pattern": r"conf\.py",
    # predict_onnx.py is run by serve_onnx.py, which is run where onnx is installed.
    "filename_pattern": r"/(?!predict_onnx)\w+\.py" if find_spec("onnxruntime") else r"/(?!\w+_onnx)\w+\.py",
    "reset_argv": "conf.arguments",
    "image_scrapers": ("matplotlib", "conf.pictures"),
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
}
PICTURES = ROOT / "build" / "pictures"


def arguments(gallery_conf, script):
    """Where the scripts of the gallery draw their pictures: out of the way."""
    return ["../build/pictures"]  # from this folder: what they print has no path of this machine


def pictures(block, block_vars, gallery_conf):
    """Take the pictures that a script has drawn into the gallery."""
    from sphinx_gallery.scrapers import figure_rst

    taken = []
    for drawn, path in zip(sorted(PICTURES.glob("*.png")), block_vars["image_path_iterator"], strict=False):
        shutil.move(drawn, path)
        taken.append(path)
    return figure_rst(taken, gallery_conf["src_dir"])


def draw_serving(path):
    """Draw what predict_onnx.py does: in the gallery it has no file to do it with, and so no picture of its own."""
    figure = Figure(figsize=(4, 2.8))
    for height, text in ((0.84, "rows.json"), (0.5, "model.onnx"), (0.16, "predictions")):
        box = {"boxstyle": "round,pad=0.4", "facecolor": "aliceblue", "edgecolor": "tab:blue"}
        figure.text(0.5, height, text, ha="center", va="center", fontsize=20, family="monospace", bbox=box)
    for height in (0.67, 0.33):
        figure.text(0.5, height, "↓", ha="center", va="center", fontsize=20)
    figure.savefig(path)


# Links in pages are those of the repository. What they lead to on the site:
PLACES = {
    r"README\.md": "index.md",
    r"plugins/README\.md": "plugins/index.md",
    r"plugins/([\w-]+)(/README\.md)?": r"plugins/\1.md",
    r"examples/GALLERY_HEADER\.rst": "gallery/index.rst",
    r"examples/(\w+)\.py": r"gallery/\1.rst",
    r"examples/([\w/-]+\.md)": r"\1",
    r"\.github/CONTRIBUTING\.md": "contributing.md",
}


def place(path):
    """Return the page of the site for a path of the repository; None where there is none."""
    for pattern, page in PLACES.items():
        if re.fullmatch(pattern, path):
            return re.sub(pattern, page, path)
    return None


def relink(app, name, content):
    """Lead the links of a page to where the same thing is on the site; what is not there stays as text."""

    def linked(match):
        text, target, anchor = match.groups()
        page = place((HERE / name).parent.joinpath(target).resolve().relative_to(ROOT).as_posix())
        return f"[{text}](/{page}{anchor or ''})" if page else text

    if not name.startswith(("gallery/", "api/")):
        content[0] = re.sub(r"(?<!!)\[([^\]]*)\]\(([\w./-]+)(#[\w-]+)?\)", linked, content[0])


def escape(app, what, name, obj, options, lines):
    """Keep the bars and stars of mathematics and of shapes from being markup."""
    verbatim = False
    for i, line in enumerate(lines):
        verbatim = line.strip() != "" and (verbatim or line.lstrip().startswith(">>>"))
        if not verbatim:
            parts = line.split("`")
            parts[::2] = [re.sub(r"(\|)|(?<![\w*])\*(?=\w)", r"\\\g<0>", part) for part in parts[::2]]
            lines[i] = "`".join(parts)


def unlinked(app, what, name, obj, options, lines):
    """Take out what leads to scikit-learn's own pages, in what the drop-ins say in its words."""
    if "neural_network.MLP" in name:
        for i, line in enumerate(lines):
            line = re.sub(r":(?:term|ref|func|class):`([^`<]+?)(?:\s*<[^`]*>)?`", r"``\1``", line)
            lines[i] = re.sub(r"(?<!`)`(\w+_)`(?!`)", r"``\1``", line)


def skip(app, what, name, obj, skipped, options):
    """Leave out what classes of other packages hand down, and what scikit-learn writes for metadata requests."""
    owner = getattr(obj, "__objclass__", getattr(obj, "fget", obj))  # of a built-in method, of a property
    origin = getattr(owner, "__module__", None) or "modnet"
    return True if re.fullmatch(r"set_\w+_request", name) or not origin.startswith("modnet") else None


def setup(app):
    """Have Sphinx call these."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    draw_serving(PICTURES.parent / "predict_onnx.png")
    app.connect("source-read", relink)
    app.connect("include-read", lambda app, path, docname, content: relink(app, path.as_posix(), content))
    app.connect("autodoc-process-docstring", unlinked, priority=300)
    app.connect("autodoc-process-docstring", escape, priority=400)  # before numpydoc
    app.connect("autodoc-skip-member", skip)
