"""Layers for tables, from the literature, and output and loss of an ensemble's members.

Once this distribution is installed, estimators and specs know them by their names in snake case: ``"plr"``,
``"batch_ensemble_dense"``.
"""

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
]
