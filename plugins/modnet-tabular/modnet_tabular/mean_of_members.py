"""MeanOfMembers: the end of an ensemble, where each member has a head of its own and predictions are their mean."""

from collections.abc import Sequence
from typing import Literal, Self

from modnet import Output, Shape
from modnet.base import Links
from modnet.errors import ShapeError
from modnet_tabular.arrays import members
from modnet_tabular.member_heads import MemberHeads


class MeanOfMembers(Output):
    """A head per member, zₘ = xₘ Wₘ + bₘ: the raw output is all heads, [z₁, …, z_k], or their mean, Σₘ zₘ / k.

    With `mean_of_members_loss` it is all of them, and the loss takes the mean: of the members' losses to train on, and
    of their predictions to predict. That is TabM. Any other loss needs the mean, and trains on the loss of the mean:
    members then only have to be right together.

    Parameters
    ----------
    raw : {"members", "mean"}
        What the raw output is: the heads, as `mean_of_members_loss` looks at them, or their mean, for any other loss.

    Raises
    ------
    ShapeError
        If the rows do not have an axis of members and one of features, or the loss does not look at as many columns for
        every member.

    References
    ----------
    Gorishniy, Kotelnikov & Babenko (2024), TabM: advancing tabular deep learning with parameter-efficient ensembling,
    arXiv:2410.24210.

    Examples
    --------
    >>> from modnet import ModelSpec
    >>> body = [{"type": "ensemble_view", "ensemble_size": 8}, {"type": "batch_ensemble_dense", "units": 16}]
    >>> spec = ModelSpec(layers=body, output="mean_of_members")
    >>> spec.network((5,), 24).layer("output").module  # three columns for each of eight members
    MemberHeads(units=3)
    """

    raw: Literal["members", "mean"] = "members"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return both."""
        return (cls(), cls("mean"))

    def example_shapes(self) -> Sequence[tuple[Shape, int]]:
        """Return three members of five features, and the columns that two predictions, or one, ask for."""
        k = 3 if self.raw == "members" else 1
        return (((3, 5), 2 * k), ((3, 5), k))

    def links(self, shape: Shape, width: int) -> Links:
        """Return the heads."""
        k, _ = members(shape)
        if self.raw == "mean":
            return (("", MemberHeads(width, mean=True)),)
        if width % k:
            raise ShapeError(
                f"the loss looks at {width} columns, no multiple of {k} members: take mean_of_members_loss with "
                f"ensemble_size={k}, or give mean_of_members raw='mean'"
            )
        return (("", MemberHeads(width // k)),)
