"""A table as it is
================

Text, categories, gaps and numbers of all sizes, in a network that needs nothing in front of it.

Subscribers who leave or stay are told apart by `ModNetClassifier`, by `MLPClassifier` behind the columns' preparation
that it needs, and by gradient boosting. The table is made by a rule, so that the chance of leaving is known. Prints the
cross-validated scores beside those of that chance, and the lines of code of each; draws what each predicts against it::

    python tables.py [directory for tables.png, default: the current one]
"""

import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from modnet import ModNetClassifier

N, TOWNS = 3000, 60


# The models, each as short as it can be


def modnet() -> Any:
    """Return the network that takes the table as it is."""
    return ModNetClassifier(loss="cross_entropy", random_state=0)  # labels as they are: chances are asked for


def mlp() -> Any:
    """Return scikit-learn's network, behind what turns this table into numbers near zero."""
    text = make_column_selector(dtype_exclude=["number", "bool"])
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", min_frequency=2)
    columns = make_column_transformer((categories, text), remainder=numbers)
    return make_pipeline(columns, MLPClassifier(early_stopping=True, max_iter=1000, random_state=0))


def boosting() -> Any:
    """Return gradient boosting, which takes gaps and any scale, behind codes for its categories."""
    text = make_column_selector(dtype_exclude=["number", "bool"])
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = make_column_transformer((codes, text), remainder="passthrough")
    return make_pipeline(columns, HistGradientBoostingClassifier(categorical_features=[0, 1], random_state=0))


MODELS = {"ModNetClassifier": modnet, "MLPClassifier": mlp, "HistGradientBoosting": boosting}


def main() -> None:
    """Cross-validate, report, draw."""
    X, chance = subscribers(np.random.default_rng(0))
    y = np.where(np.random.default_rng(1).random(N) < chance, "leaves", "stays")
    print(f"{X.head(4).to_string()}\n{X.isna().to_numpy().sum()} gaps, {X['town'].nunique()} towns\n")

    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
    table = Table(title=f"{N} rows, 5-fold cross-validation")
    for column in ("model", "log loss", "ROC AUC", "time to fit, s", "lines of code"):
        table.add_column(column, justify="left" if column == "model" else "right")
    predicted = {}
    for name, make in MODELS.items():
        found = cross_validate(make(), X, y, cv=folds, scoring="neg_log_loss", return_estimator=True)
        predicted[name] = np.empty(N)
        for model, (_, held_out) in zip(found["estimator"], folds, strict=True):
            predicted[name][held_out] = model.predict_proba(X.iloc[held_out])[:, 0]  # of "leaves"
        lines = len(inspect.getsource(make).splitlines()) - 2  # without its head and what it says of itself
        table.add_row(name, *scores(y, predicted[name]), f"{found['fit_time'].mean():.2f}", f"{lines}")
    table.add_section()
    table.add_row("the chance itself", *scores(y, chance), "", "")
    Console().print(table)

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(chance, predicted, directory / "tables.png")


def subscribers(rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Return who subscribes, and the chance that they leave; some do not tell their income, most often a low one."""
    town = np.minimum(rng.geometric(0.06, N), TOWNS) - 1  # some large ones, many small ones
    plan = rng.choice(3, N, p=[0.5, 0.35, 0.15])
    age = rng.integers(18, 85, N)
    income = rng.lognormal(10.4, 0.5, N).round(-2)
    months = rng.exponential(30, N).astype(int) + 1
    minutes = rng.lognormal(5.5, 1.2, N).round(1) * (1 + plan)
    letter = rng.random(N) < 0.4

    charm = rng.normal(0, 0.9, TOWNS)[town]  # competitors are in some towns only
    score = -0.6 + charm + np.array([0.8, 0.0, -0.9])[plan] - 0.7 * np.log(minutes / 250) - 0.5 * letter
    score += 1.6 * (months >= 12) * (months % 12 <= 1) - 0.8 * (months > 48)  # contracts run for a year
    score += 1.5 * np.cos((age - 25) / 15) * (plan < 2) - 0.6 * np.log(income / 33_000)
    X = pd.DataFrame({"town": [f"town {i}" for i in town], "plan": np.array(["basic", "plus", "pro"])[plan]})
    X = X.assign(age=age, income=income, months=months, minutes=minutes, letter=letter)
    X.loc[rng.random(N) < 0.3 * (income < 30_000) + 0.05, "income"] = np.nan
    X.loc[rng.random(N) < 0.05, "plan"] = None
    return X, 1 / (1 + np.exp(-score))


def scores(y: np.ndarray, p: np.ndarray) -> tuple[str, str]:
    """Return how well the chances p of leaving foretell who leaves, as text."""
    leaves = y == "leaves"
    return f"{log_loss(leaves, p):.3f}", f"{roc_auc_score(leaves, p):.3f}"


def draw(chance: np.ndarray, predicted: dict[str, np.ndarray], path: Path) -> None:
    """Draw what each model says of rows that it has not seen, against the truth."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    panels = figure.subplots(1, len(predicted), sharex=True, sharey=True)
    for axes, (name, p), color in zip(panels, predicted.items(), ("tab:blue", "tab:orange", "tab:green"), strict=True):
        axes.plot(chance, p, ".", color=color, markersize=3, alpha=0.35)
        axes.plot([0, 1], [0, 1], color="black", linewidth=1)
        axes.set(title=f"{name}\nmean distance {np.abs(p - chance).mean():.3f}", xlabel="chance of leaving")
        axes.set(aspect="equal", xlim=(0, 1), ylim=(0, 1))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("predicted, cross-validated")
    figure.savefig(path, dpi=150)
    print(f"predicted chances against the true ones: {path}")


if __name__ == "__main__":
    main()
