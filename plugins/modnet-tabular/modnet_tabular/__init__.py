"""The most accurate networks on a table: `TabularClassifier`, `TabularRegressor`; and layers from the literature.

Once this distribution is installed, estimators and specs know them by their names in snake case: ``"plr"``,
``"batch_ensemble_dense"``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from modnet_tabular.batch_ensemble_dense import BatchEnsembleDense
from modnet_tabular.column_dense import ColumnDense
from modnet_tabular.column_embedding import ColumnEmbedding
from modnet_tabular.ensemble_view import EnsembleView
from modnet_tabular.mean_of_members import MeanOfMembers
from modnet_tabular.mean_of_members_loss import MeanOfMembersLoss
from modnet_tabular.member_heads import MemberHeads
from modnet_tabular.ntk_dense import NTKDense
from modnet_tabular.pbld import PBLD
from modnet_tabular.periodic import Periodic
from modnet_tabular.plr import PLR

if TYPE_CHECKING:
    from modnet_tabular.estimators import TabularClassifier, TabularRegressor

__version__ = "0.1.0"

__all__ = [
    "PBLD",
    "PLR",
    "BatchEnsembleDense",
    "ColumnDense",
    "ColumnEmbedding",
    "EnsembleView",
    "MeanOfMembers",
    "MeanOfMembersLoss",
    "MemberHeads",
    "NTKDense",
    "Periodic",
    "TabularClassifier",
    "TabularRegressor",
]


def __getattr__(name: str) -> Any:
    if name in ("TabularClassifier", "TabularRegressor"):  # scikit-learn takes a second to import
        return getattr(import_module("modnet_tabular.estimators"), name)
    raise AttributeError(f"module 'modnet_tabular' has no attribute {name!r}")
