"""When training stops: patience against a restatement of its rule that looks at the whole history each time."""

import math

from hypothesis import given
from hypothesis import strategies as st

from modnet.base import Patience

# A coarse grid makes ties, and losses exactly tol below the best, as likely as anything else.
curves = st.lists(st.integers(0, 12).map(lambda k: k / 4), min_size=1, max_size=40)
tolerances = st.sampled_from([0.0, 0.25, 0.5, 1.0])
limits = st.integers(1, 5)


def stale(losses, epoch, tol):
    """Whether an epoch was without progress, by scikit-learn's rule: its loss is above the best before it less tol."""
    return losses[epoch] > min(losses[:epoch], default=math.inf) - tol


def stop(losses, tol, limit):
    """Return the first epoch that ends more than `limit` epochs in a row without progress, or None."""
    for epoch in range(limit, len(losses)):
        if all(stale(losses, each, tol) for each in range(epoch - limit, epoch + 1)):
            return epoch
    return None


@given(losses=curves, tol=tolerances, limit=limits)
def test_patience_ends_where_the_rule_says(losses, tol, limit):
    patience, stopped = Patience(tol, limit), None
    for epoch, loss in enumerate(losses):
        patience.update(loss)
        if patience.exhausted:
            stopped = epoch
            break
    assert stopped == stop(losses, tol, limit)


@given(losses=curves, tol=tolerances, first=st.booleans())
def test_patience_reports_each_new_lowest_loss_and_one_that_equals_it_unless_the_first_counts(losses, tol, first):
    patience = Patience(tol, 1, first=first)
    for epoch, loss in enumerate(losses):
        before = min(losses[:epoch], default=math.inf)
        assert patience.update(loss) == (loss < before if first else loss <= before)
        assert patience.best == min(losses[: epoch + 1])


def test_gains_below_tol_are_kept_but_do_not_count_as_progress():
    patience = Patience(0.1, 2)
    assert [patience.update(loss) for loss in (1.0, 0.95, 0.91, 0.87)] == [True] * 4
    assert patience.waited == 3
    assert patience.exhausted


def test_progress_makes_patience_whole_again():
    patience = Patience(0.0, 2)
    for loss in (1.0, 2.0, 2.0, 0.5):
        patience.update(loss)
        assert not patience.exhausted
    assert patience.waited == 0
