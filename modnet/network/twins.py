"""Which of a network's links, of its loss and its optimizer run as twins, found out without running any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modnet.base import Accelerator, Loss, Optimizer, Solver
from modnet.network.accelerating import offered_links, presumed_right, tasks_of
from modnet.network.link import Link
from modnet.network.network import Network


@dataclass(frozen=True)
class Twins:
    """What an accelerator runs.

    Attributes
    ----------
    accelerator : str or None
        Its name; None: there is no accelerator.
    links : frozenset of str
        The paths of the links that twins stand for, one for several or one for each.
    loss, optimizer : str or None
        The name of the class; None: it is not known yet.
    loss_has_twin, optimizer_has_twin : bool
    """

    accelerator: str | None = None
    links: frozenset[str] = frozenset()
    loss: str | None = None
    loss_has_twin: bool = False
    optimizer: str | None = None
    optimizer_has_twin: bool = False


def twins(
    network: Network,
    accelerator: Accelerator | None,
    dtype: "np.dtype[Any]",
    *,
    name: str | None = None,
    loss: Loss | None = None,
    optimizer: Optimizer | Solver | None = None,
) -> Twins:
    """Return what an accelerator runs of a network.

    Parameters
    ----------
    network : Network
    accelerator : Accelerator or None
    dtype : dtype
        Of θ.
    name : str, optional
        Of the accelerator.
    loss : Loss, optional
    optimizer : Optimizer or Solver, optional

    Notes
    -----
    Nothing is compiled and compared for that: a twin counts as long as no comparison in this process has set it aside.
    """
    names = [None if each is None else type(each).__name__ for each in (loss, optimizer)]
    if accelerator is None:
        return Twins(None, loss=names[0], optimizer=names[1])
    return Twins(
        name or type(accelerator).__name__,
        frozenset(_paths(network.links, offered_links(network, accelerator, dtype))),
        names[0],
        loss is not None
        and accelerator.loss(loss) is not None
        and bool(tasks_of(loss))
        and presumed_right((accelerator, loss), dtype),
        names[1],
        isinstance(optimizer, Optimizer)
        and accelerator.optimizer(optimizer) is not None
        and presumed_right((accelerator, optimizer), dtype),
    )


def _paths(originals: Sequence[Link], links: Sequence[Link]) -> Iterator[str]:
    """Yield the paths of those originals that are not among the links themselves."""
    kept = {link.path: link for link in links}
    in_twin = False
    for original in originals:
        link = kept.get(original.path)
        if link is not None:  # otherwise it is behind the first of those that the twin stands for
            in_twin = link.module is not original.module
            for chain, others in zip(original.chains, link.chains, strict=True):
                yield from _paths(chain, others)
        if in_twin:
            yield original.path
