"""Progress in a notebook that is really run: one bar, whatever the number of epochs, or lines that need no widgets."""

from typing import Any

import pytest

pytest.importorskip("ipykernel")
nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

CELL = """
import warnings
from sklearn.callback import ProgressBar
from sklearn.datasets import load_iris
from modnet import ModNetClassifier
from modnet.callbacks import ProgressLines
warnings.simplefilter("ignore")
model = ModNetClassifier(max_iter=30, early_stopping=False, random_state=0).set_callbacks(CALLBACK())
fitted = model.fit(*load_iris(return_X_y=True))
"""


def executed(callback: str) -> Any:
    """A notebook whose cell has fitted with a callback."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.replace("CALLBACK", callback))])
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    return notebook


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_fit_of_many_epochs_shows_one_bar():
    pytest.importorskip("ipywidgets")
    notebook = executed("ProgressBar")
    widgets = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    (shown,) = [output for widget in widgets for output in widget["state"].get("outputs", ())]
    (line,) = shown["data"]["text/plain"].splitlines()
    assert line.startswith("ModNetClassifier - fit")
    assert "100%" in line


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_lines_need_no_widgets():
    outputs = executed("ProgressLines").cells[0].outputs
    assert {output.name for output in outputs} == {"stdout"}
    lines = "".join(output.text for output in outputs).splitlines()
    assert [line.split()[1] for line in lines] == [f"{epoch}/30" for epoch in range(3, 31, 3)]
