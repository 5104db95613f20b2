"""Parts of the drop-ins for scikit-learn's MLP: the order of rows, the loss that they show, weights to assign."""

import math
from typing import Any, Self

import numpy as np

from modnet.base import Array, Loss


class Order:
    """Shuffles as sklearn.neural_network does: each epoch shuffles the order of the epoch before."""

    def __init__(self, random_state: np.random.RandomState) -> None:
        self._random_state = random_state
        self._order: Array = np.empty(0, int)

    def permutation(self, n: int) -> Array:
        """Return the next order of n rows, drawn as by `sklearn.utils.shuffle`."""
        drawn = np.arange(n)
        self._random_state.shuffle(drawn)
        self._order = drawn if len(self._order) != n else self._order.take(drawn)
        return self._order

    @property
    def bit_generator(self) -> Self:
        """What has the `state`, as of a generator of NumPy."""
        return self

    @property
    def state(self) -> Any:
        """What the next orders follow from."""
        return self._random_state.get_state(legacy=False), self._order

    @state.setter
    def state(self, state: Any) -> None:
        drawn, self._order = state
        self._random_state.set_state(drawn)


class Clipped:
    """A loss of classes whose value is that of probabilities clipped to [ε, 1 − ε], as scikit-learn's is.

    ε is that of the dtype: a row adds −log ε = 36 at most in float64. The gradient is not clipped, as scikit-learn's.
    That a row adds −log(1 − ε) ≈ ε at least is left to rounding, which is as large.
    """

    def __init__(self, loss: Loss) -> None:
        self._loss = loss

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return both; arguments as of a `Loss`."""
        value, draw = self._loss.value_and_gradient(t, raw, weight=weight, out=out)
        eps, n = float(np.finfo(raw.dtype).eps), len(t)
        # No row of n adds more than they do together; and |∂J/∂z| n is at most 1 − p, of p that the truth has.
        if not (weight is None and (value * n < -math.log(eps) or max(draw.max(), -draw.min()) * n < 1 - 1e-5)):
            p = np.clip(self._loss.predict(raw), eps, 1 - eps)
            J = np.log(p[np.arange(n), t] if t.ndim == 1 else np.where(t, p, 1 - p))
            value = -float(np.average(J, axis=0, weights=weight).sum())
        return value, draw

    value = Loss.value


class Arrays(list[Array]):
    """The weights or the biases of each layer, as views of θ: what is assigned to one is written into θ."""

    def __setitem__(self, index: Any, value: Any) -> None:
        here, given = (self[index], list(value)) if isinstance(index, slice) else ([self[index]], [value])
        given = [np.array(each, self[0].dtype) for each in given]  # copies: they may be views of θ themselves
        wanted, found = ([each.shape for each in arrays] for arrays in (here, given))
        if found != wanted:
            raise ValueError(f"arrays should have the shapes {wanted}, got {found}")
        for array, each in zip(here, given, strict=True):
            array[...] = each
