"""Two slots of a spec that take more than components: a layer may be a number of units, an optimizer a solver.

The dense layer and the optimizer that they stand for are named in full, so that no plugin takes their place.
"""

from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from modnet.slot import SLOT_MARK, Slot
from modnet.strict import is_number

DENSE = "modnet-layers:dense"
"""The layer behind ``layers=(100,)``, by its full name: no plugin can take its place."""


class LayerSlot(Slot):
    """The slot of one element of ``layers``: a module, or a number of hidden units.

    Parameters
    ----------
    activation : str, mapping, Activation or None
        What follows the dense layer that a bare number stands for.
    """

    def __init__(self, activation: Any = "relu") -> None:
        super().__init__("layer", "activation")
        self._activation = activation

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Leave the mark of a slot that takes numbers of units as well."""
        mark = super().__get_pydantic_json_schema__(schema, handler)[SLOT_MARK]
        return {SLOT_MARK: {**mark, "also": [*mark["also"], {"type": "integer", "minimum": 1}]}}

    def spelled_out(self, value: Any) -> Any:
        """Return a number n as the dense layer that it stands for, anything else as it is.

        Parameters
        ----------
        value : object
            What stands in `layers`.

        Returns
        -------
        object
            A mapping for a number of units, else the value itself.
        """
        return {"type": DENSE, "units": value, "activation": self._activation} if is_number(value) else value

    def resolve(self, value: Any) -> Any:
        """Return the layer that `value` means.

        Parameters
        ----------
        value : object
            A component, its name, a mapping, or a number of units.

        Returns
        -------
        Module
            What the value means.
        """
        return super().resolve(self.spelled_out(value))


class OptimizerSlot(Slot):
    """The slot of an optimizer, in which "auto" is Adam with the rate and the decay that suit most tables."""

    def __init__(self) -> None:
        super().__init__("optimizer", "solver", keep=("auto",))

    def resolve(self, value: Any) -> Any:
        """Return the optimizer that `value` means.

        Parameters
        ----------
        value : object
            A component, its name or a mapping.

        Returns
        -------
        Optimizer or Solver
            What the value means.
        """
        return super().resolve(AUTO if isinstance(value, str) and value == "auto" else value)


AUTO = {"type": "modnet-layers:adam", "learning_rate": 0.003, "beta_2": 0.95}
"""Chosen among 80 configurations on validation rows of eight tables, as were the other defaults of estimators."""
