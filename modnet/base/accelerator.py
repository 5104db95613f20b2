"""An accelerator offers twins of components: the same numbers from the same parameters, made faster.

The components stay what a spec names and what a reader reads; twins take their place when a network is run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from modnet.base.loss import Loss
from modnet.base.module import Module
from modnet.base.optimizer import Optimizer
from modnet.component import Component, Slot


@dataclass(frozen=True)
class Twin:
    """A module that stands for the first of several modules in a row.

    Attributes
    ----------
    module : Module
        It has the parameters of all that it stands for, by the same names and of the same shapes.
    length : int
        How many modules it stands for, ≥ 1.
    """

    module: Module
    length: int = 1


class Accelerator(Component, kind="accelerator"):
    """A source of twins. What it has no twin for is run as it is; by default that is everything.

    A twin passes the same checks as its original and agrees with it to rounding. modnet compares the two on a few rows
    before it trusts a twin: one that raises or differs is set aside with a warning.
    """

    def twin(self, modules: Sequence[Module]) -> Twin | None:
        """Return a twin for the first of these modules, or for several in a row; None if there is none.

        Parameters
        ----------
        modules : sequence of Module
            The rest of a chain of links from one of them on: a dense layer and its activation are two.
        """
        return None

    def loss(self, loss: Loss) -> Loss | None:
        """Return a twin of a loss; None if there is none."""
        return None

    def optimizer(self, optimizer: Optimizer) -> Optimizer | None:
        """Return a twin of an optimizer, whose state is the original's; None if there is none."""
        return None


AnyAccelerator = Annotated[Accelerator, Slot("accelerator")]
"""The slot of an accelerator: an instance, a registered name or a mapping."""
