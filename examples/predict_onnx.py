"""Predicting with onnxruntime alone
=================================

Predictions of an exported model with onnxruntime and NumPy: neither modnet nor scikit-learn is imported.

Rows come as JSON, a list for each column; what the model predicts is printed as JSON, and how long a row takes::

    python predict_onnx.py model.onnx rows.json
"""
# sphinx_gallery_thumbnail_path = "../build/predict_onnx.png"

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

DTYPES = {"tensor(double)": np.float64, "tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": bool}


def column(values: list[Any], type_: str) -> Any:
    """Return a column as the model takes it: text that is missing is empty, a number that is missing NaN."""
    if type_ == "tensor(string)":
        return np.array([["" if value is None else value] for value in values], object)
    return np.array([[np.nan if value is None else value] for value in values], DTYPES[type_])


def main() -> None:
    """Predict all rows, then the first one by itself, again and again."""
    columns = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    session = onnxruntime.InferenceSession(sys.argv[1])
    rows = {each.name: column(columns[each.name], each.type) for each in session.get_inputs()}
    names = [each.name for each in session.get_outputs()]
    found = {name: array.tolist() for name, array in zip(names, session.run(names, rows), strict=True)}
    one = {name: array[:1] for name, array in rows.items()}
    seconds = []
    for _ in range(300):
        started = time.perf_counter()
        session.run(names, one)
        seconds.append(time.perf_counter() - started)
    print(json.dumps({**found, "microseconds": 1e6 * sorted(seconds)[150]}))


if __name__ == "__main__":
    main()
