"""scikit-learn's progress bar in a notebook that is really run: one bar, whatever the number of epochs."""

import pytest

pytest.importorskip("ipykernel")
pytest.importorskip("ipywidgets")
nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

CELL = """
import warnings
from sklearn.callback import ProgressBar
from sklearn.datasets import load_iris
from modnet import ModNetClassifier
warnings.simplefilter("ignore")
model = ModNetClassifier(max_iter=30, early_stopping=False, random_state=0).set_callbacks(ProgressBar())
fitted = model.fit(*load_iris(return_X_y=True))
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_fit_of_many_epochs_shows_one_bar():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    widgets = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    (shown,) = [output for widget in widgets for output in widget["state"].get("outputs", ())]
    (line,) = shown["data"]["text/plain"].splitlines()
    assert line.startswith("ModNetClassifier - fit")
    assert "100%" in line
