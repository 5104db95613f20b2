"""The diagnosis as people meet it: a list that is shown as a table, silent where a network has learnt what it can."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_moons
from support.classic import CLASSIC

import modnet
from modnet import ModNetClassifier, ModNetRegressor, diagnose
from modnet.layers import Columns, Embedding, Parallel, Sequential

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PLAIN = {**CLASSIC, "batch_size": 200}


def test_it_has_one_name():
    assert modnet.diagnosis.diagnose is modnet.diagnose
    assert "diagnose" in modnet.__all__


def test_it_is_shown_as_a_table_with_what_to_do_below_each_finding(diabetes):
    X = pd.DataFrame(diabetes[0]).add_prefix("blood ") * [1e5, *[1.0] * 9]
    shown = repr(diagnose(ModNetRegressor((100,), **PLAIN, random_state=0), X, diabetes[1]))
    head, rule, first, *others = shown.splitlines()
    assert head.split() == ["where", "found,", "and", "what", "to", "do"]
    assert set(rule) == {"─"}
    assert first.startswith("problem  X      standard deviations differ")
    assert "largest in blood 0 (1e+05)" in " ".join(shown.split())
    assert any(line.strip().startswith("→ put StandardScaler in front") for line in others)


def test_nothing_found_is_said(digits):
    assert repr(diagnose(ModNetClassifier(max_iter=20, random_state=0), *digits)) == (
        "nothing found that keeps it from learning"
    )


# A network on its plateau


def test_a_loss_that_trembles_on_its_plateau_is_fine(diabetes):
    quick = {"type": "adam", "learning_rate": 0.01}
    settings = {**CLASSIC, "optimizer": quick, "max_iter": 150, "batch_size": 32}
    model = ModNetRegressor((100,), **settings, warm_start=True, tol=0, random_state=0).fit(*diabetes).fit(*diabetes)
    assert diagnose(model, *diabetes) == []


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_a_minimum_that_lbfgs_found_is_fine(activation: str):
    X, y = make_moons(500, noise=0.2, random_state=0)
    settings = {**CLASSIC, "optimizer": "lbfgs", "max_iter": 2000}
    model = ModNetClassifier((32, 32), activation, loss="cross_entropy", **settings, random_state=0).fit(X, y)
    assert diagnose(model, X, y) == []


def test_missing_values_that_layers_take_are_fine_before_and_after_a_fit():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"age": rng.normal(size=300), "town": rng.choice(["Ulm", "Bonn", "Rome"], 300)})
    y = X.town == "Ulm"
    X.loc[::7, "town"] = None
    towns = Sequential([Columns(["town"]), Embedding(units=2)])
    model = ModNetClassifier([Parallel([towns, Columns(["age"])]), 16], random_state=0, max_iter=60)
    assert diagnose(model, X, y) == diagnose(model.fit(X, y), X, y) == []


# What a fitted network did not learn


def test_a_loss_like_that_of_a_constant_is_a_problem_where_no_cause_is_seen(diabetes):
    X, y = diabetes
    slow = {"type": "adam", "learning_rate": 1e-6}
    model = ModNetRegressor((100,), **{**PLAIN, "optimizer": slow}, tol=0.1, random_state=0).fit(X, y)
    (finding,) = diagnose(model, X, y)
    assert (finding.check, finding.severity, finding.subject) == ("nothing-learnt", "problem", "loss")
    assert "and 0.5 with the best constant prediction" in finding.found
    assert "raise the learning rate" in finding.remedy


def test_a_class_that_is_never_predicted_is_named(digits, weights):
    model = ModNetClassifier(max_iter=60, random_state=0).fit(*digits)
    weights(model)["output.b"][0, 3] = -12
    (finding,) = diagnose(model, *digits)
    assert (finding.check, finding.severity, finding.subject) == ("dead-class", "problem", "y")
    assert finding.found.startswith("never predicted: 3 (")
