"""modnet behind the parameters of scikit-learn's MLP, with its random numbers."""

from benchmarks.contenders.scikit_learn import mlp
from benchmarks.searching import Searched, Table
from modnet.neural_network import MLPClassifier, MLPRegressor


def searched(table: Table, epochs: int) -> Searched:
    """Return the estimator whose parameters are searched."""
    return mlp(MLPRegressor if table.classes is None else MLPClassifier, table, epochs)
