"""The estimators: modnet as scikit-learn sees it."""

from modnet.estimators.base import BaseModNet
from modnet.estimators.display import TrainingCurveDisplay
from modnet.estimators.parameters import NestedParameters
from modnet.estimators.predictors import ModNetClassifier, ModNetRegressor
from modnet.estimators.transformer import ModNetTransformer

__all__ = ["BaseModNet", "ModNetClassifier", "ModNetRegressor", "ModNetTransformer"]
__all__ += ["NestedParameters", "TrainingCurveDisplay"]
