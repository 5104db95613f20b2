"""Preparation of data: X, y and weights as users have them become a sample, as the network and its loss take them."""

from typing import Any

from modnet.estimators.sample import Sample

__all__ = ["Sample", "prepared", "rows_of"]


def prepared(estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> Sample:
    """Return the validated rows as the fitted estimator's loss takes them."""
    sample: Sample = estimator._sample(X, y, sample_weight, known="all")
    return sample


def rows_of(estimator: Any, X: Any) -> Any:
    """Return the validated rows of X as the fitted network takes them."""
    return estimator._rows(X)
