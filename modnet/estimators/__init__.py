"""The estimators: modnet as scikit-learn sees it."""

from modnet.estimators.classifier import ModNetClassifier
from modnet.estimators.display import TrainingCurveDisplay
from modnet.estimators.regressor import ModNetRegressor
from modnet.estimators.transformer import ModNetTransformer

__all__ = ["ModNetClassifier", "ModNetRegressor", "ModNetTransformer", "TrainingCurveDisplay"]
