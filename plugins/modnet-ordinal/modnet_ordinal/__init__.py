"""Losses for classes that have an order: a near miss costs less than a far one.

Once this distribution is installed, estimators and specs know them as ``"ranked_cross_entropy"``, ``"sord"`` and
``"squared_emd"``.
"""

from modnet_ordinal.ranked_cross_entropy import RankedCrossEntropy
from modnet_ordinal.sord import SORD
from modnet_ordinal.squared_emd import SquaredEMD

__all__ = ["SORD", "RankedCrossEntropy", "SquaredEMD"]
