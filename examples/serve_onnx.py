"""From a raw table to ONNX
========================

A model that needs no Python: train, export, and predict with onnxruntime.

Prints that the predictions are the same, and size and latency of one row beside modnet's own and scikit-learn's. Where
onnxruntime-node is installed in the folder, JavaScript predicts as well. Draws the latencies. It needs
`pip install 'modnet-layers[onnx]'`::

    python serve_onnx.py [directory for model.onnx, rows.json and serve_onnx.png, default: the current one]
"""

import json
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modnet import ModNetRegressor, to_onnx

HERE = Path(sys.argv[0]).parent  # a gallery has no __file__


def flats(n: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return a table with text, gaps and numbers of any size, and a price in its own units."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "town": rng.choice(np.array(["Bonn", "Rome", "Ulm", None], object), n),
            "area": rng.integers(20, 180, n),  # m²
            "built": rng.choice([1930, 1975, 2010, np.nan], n),
            "to_centre": rng.exponential(3000, n),  # m
        }
    )
    return X, X["town"].map({"Bonn": 2700, "Rome": 3800, "Ulm": 2300}).fillna(2500) * X["area"]


def microseconds(call: Callable[[], Any]) -> float:
    """Return the median of what a call takes."""
    seconds = []
    for _ in range(100):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return 1e6 * sorted(seconds)[50]


def main() -> None:
    """Train, export, serve, draw."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
    X, y = flats(2000)
    model = ModNetRegressor(random_state=0).fit(X, y)
    new, _ = flats(50)
    new.loc[0, "town"] = "Paris"  # which training has not met
    file, rows = folder / "model.onnx", folder / "rows.json"
    file.write_bytes(to_onnx(model, X).SerializeToString())
    rows.write_text(json.dumps({name: json.loads(new[name].to_json(orient="values")) for name in new}), "utf-8")

    encoded = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), ["town"]),
    )
    peer = make_pipeline(encoded, MLPRegressor(hidden_layer_sizes=(128, 128), max_iter=2000, early_stopping=True)).fit(
        X, y
    )
    one, wanted = new[:1], model.predict(new)
    print(f"{'':<22}  {'size':>8}  one row")
    latency = {}
    for title, each in (("scikit-learn, pickled", peer), ("modnet, pickled", model)):
        size, latency[title] = len(pickle.dumps(each)) / 1e3, microseconds(lambda each=each: each.predict(one))
        print(f"{title:<22}  {size:5.0f} kB  {latency[title]:5.0f} µs")
    scripts = {"onnxruntime, Python": [sys.executable, HERE / "predict_onnx.py"]}
    if shutil.which("node") and (folder / "node_modules" / "onnxruntime-node").exists():
        # Modules are looked for beside the script.
        script = Path(shutil.copy(HERE / "predict_onnx.mjs", folder))
        scripts["onnxruntime, JavaScript"] = ["node", script.resolve()]
    for title, script in scripts.items():
        done = subprocess.run([*script, file.resolve(), rows.resolve()], capture_output=True, check=True, text=True)
        found = json.loads(done.stdout)
        np.testing.assert_allclose(found["prediction"], wanted, rtol=1e-5)
        latency[title] = found["microseconds"]
        print(f"{title:<22}  {file.stat().st_size / 1e3:5.0f} kB  {latency[title]:5.0f} µs")
    print(f"the same predictions of {len(new)} rows")
    draw(latency, folder / "serve_onnx.png")


def draw(latency: dict[str, float], path: Path) -> None:
    """Draw how long one row takes."""
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(list(latency), list(latency.values()), color="tab:blue", alpha=0.8)
    axes.bar_label(bars, fmt="{:,.0f} µs", padding=3)
    axes.invert_yaxis()
    axes.set(title="The prediction of one row", xscale="log", xlim=(1, 10 * max(latency.values())), xlabel="µs")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    print(f"latencies: {path}")


if __name__ == "__main__":
    main()
