"""A layer that breaks its contract only later in training is named with its path, not the one that met it first."""

from typing import Any, ClassVar

import numpy as np
import pytest

from modnet import ModNetRegressor, Module
from modnet.errors import ContractError
from modnet.layers import Dense, Parallel, Residual, Sequential

X = np.random.default_rng(0).normal(size=(40, 4))


class Late(Module):
    """The identity, for ten passes; then it returns or raises what `FAULT` says."""

    reads: ClassVar[frozenset[str]] = frozenset()
    passes: ClassVar[list[int]] = [0]

    method: str = "forward"
    fault: str = "shape"

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        self.passes[0] += 1
        return self._spoilt("forward", x)

    def grad_input(self, ctx, dy):
        return self._spoilt("grad_input", dy)

    def _spoilt(self, method: str, array: Any) -> Any:
        if self.method != method or self.passes[0] < 10:
            return array
        if self.fault == "raises":
            raise KeyError("spoilt")
        return {"shape": array[:, :-1], "nothing": None, "dtype": array.astype(complex)}[self.fault]


PLACES = {
    "layers[1]": lambda late: (4, late, 4),
    "layers[1].body[0]": lambda late: (4, Residual([late])),
    "layers[1].body[1]": lambda late: (4, Residual([Dense(4), late, Dense(4)])),
    "layers[1].branches[0].body[1]": lambda late: (4, Parallel([Sequential([Dense(4), late]), Dense(2)])),
}


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("method", ["forward", "grad_input"])
@pytest.mark.parametrize("fault", ["shape", "dtype", "nothing", "raises"])
@pytest.mark.parametrize("place", PLACES)
def test_a_layer_that_fails_late_is_named_with_its_path(place: str, fault: str, method: str):
    Late.passes[0] = 0
    model = ModNetRegressor(PLACES[place](Late(method=method, fault=fault)), batch_size=10, accelerator=None)
    with pytest.raises(ContractError) as error:
        model.fit(X, X[:, 0])
    assert str(error.value).startswith(f"{place} (Late), class ")
    assert method in str(error.value)
    assert not hasattr(model, "theta_")
