"""Whether contenders do the same work: they end where the others end."""

import statistics
from collections.abc import Iterator, Mapping

TOLERANCE, FEW_STEPS, TOLERANCE_OF_FEW = 0.04, 100, 0.1
"""How far a contender's training loss may lie from the median of all, as a share of how far that fell; and the same for
trainings of so few steps that single batches count for more.

Contenders start from the same weights and see the same rows, but in orders of their own: over 200 to 2000 steps their
losses differed by 1.6 % of the way at most, over 20 to 40 steps of the largest nets by 5 %. A learning rate that is
10 % too large makes 5 % in 400 steps of 64-32-10, and 3 % in 200 steps of 784-100-10."""


def disagreements(case: str, steps: int, first: float, last: Mapping[str, float]) -> Iterator[str]:
    """Yield what is wrong with the losses that contenders reached.

    Parameters
    ----------
    case : str
    steps : int
        Of the training.
    first : float
        The loss of the first weights.
    last : mapping of str to float
        Each contender's loss on all rows after training, all computed by the same function.

    Examples
    --------
    >>> list(disagreements("2-2/8", 20, 1.0, {"one": 0.5, "two": 0.51, "three": 0.7}))
    ['2-2/8: three ended with a loss of 0.7, and the median is 0.51 (from 1): it does not do the same work']
    """
    if not last:
        return
    middle = statistics.median(last.values())
    tolerance = (TOLERANCE_OF_FEW if steps < FEW_STEPS else TOLERANCE) * abs(first - middle)
    for name, loss in last.items():
        if not abs(loss - middle) <= tolerance:  # NaN does not
            yield (
                f"{case}: {name} ended with a loss of {loss:.4g}, and the median is {middle:.4g} (from {first:.4g}): "
                "it does not do the same work"
            )
