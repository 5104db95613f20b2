"""The estimators: modnet as scikit-learn sees it."""

from modnet.estimators.display import TrainingCurveDisplay
from modnet.estimators.predictors import ModNetClassifier, ModNetRegressor
from modnet.estimators.transformer import ModNetTransformer

__all__ = ["ModNetClassifier", "ModNetRegressor", "ModNetTransformer", "TrainingCurveDisplay"]
