"""Preparation of data: X, y and weights as users have them become a sample, as the network and its loss take them."""

from typing import Any

from sklearn.base import clone

from modnet.estimators.sample import Sample
from modnet.network.adapting import adapt


def prepared(estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> Sample:
    """Return the validated rows as the fitted estimator's loss takes them."""
    sample: Sample = estimator._sample(X, y, sample_weight, known="all")
    return sample


def rows_of(estimator: Any, X: Any) -> Any:
    """Return the validated rows of X as the fitted network takes them."""
    return estimator._rows(X)


def with_first_weights(estimator: Any, X: Any, y: Any) -> tuple[Any, Sample]:
    """Return a copy of an estimator as `fit` has it before the first step, and the rows as its loss takes them."""
    begun = clone(estimator)
    sample: Sample = begun._sample(X, y, None, known="nothing")
    begun._start(begun.to_spec(), sample.target, sample.data.x.dtype)
    adapt(begun.network_, begun.theta_, begun.state_, sample.data.x, sample.data.weight)
    return begun, sample
