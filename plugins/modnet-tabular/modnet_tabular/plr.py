"""PLR: periodic embeddings, a dense layer for each of them, and a rectifier."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from pydantic import Field

from modnet import Activation, Array, Context, Count, Graph, Module, Shape, Slot, Value, default
from modnet.activations import ReLU
from modnet.base import Links, shape_through
from modnet_tabular.column_dense import ColumnDense
from modnet_tabular.periodic import Periodic


class PLR(Module):
    """PLR embeddings of features: yⱼ = max([sin 2πcⱼxⱼ, cos 2πcⱼxⱼ] Wⱼ + bⱼ, 0), with learnt frequencies cⱼ.

    It is `periodic`, `column_dense` and an activation in a row, as one layer.

    Parameters
    ----------
    units : int
        Length of each yⱼ, ≥ 1.
    frequencies : int
        Number of frequencies per feature, ≥ 1.
    sigma : float
        Standard deviation of the first frequencies, > 0, in periods per unit of the feature; it should be searched
        for, see `periodic`.
    lite : bool
        Whether all features share W and b.
    activation : Module, optional
        Behind the dense layers, keeping their shape; None makes it PL.

    Raises
    ------
    ShapeError
        If the input has more than one axis per row.

    References
    ----------
    Gorishniy, Rubachev & Babenko (2022), On embeddings for numerical features in tabular deep learning, NeurIPS 35,
    sec. 3.3; defaults as in the authors' package rtdl_num_embeddings. Gorishniy et al. (2024), TabR: tabular
    deep learning meets nearest neighbors, ICLR (the lite version).

    Examples
    --------
    >>> from modnet import Network
    >>> from modnet_tabular import PLR
    >>> network = Network([PLR(8, sigma=0.1)], (3,))
    >>> network.output_shape, [type(link.module).__name__ for link in network.walk()]
    ((24,), ['PLR', 'Periodic', 'ColumnDense', 'ReLU'])
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    units: Count = 24
    frequencies: Count = 48
    sigma: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    lite: bool = False
    activation: Slot[Activation | Module | None] = default(ReLU())

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return PLR, its lite version, and PL."""
        return (cls(3, 4), cls(3, 4, sigma=0.3, lite=True), cls(2, 3, activation=None))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (d · units,) for d features."""
        return shape_through(self._links(), input_shape)

    def chains(self) -> tuple[Links, ...]:
        """Return them in a row."""
        return (self._links(),)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return the output of the last."""
        return ctx.children[0].forward(x)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return graph.children[0](x)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write the gradients of c, W and b."""
        ctx.children[0].grad_params(dy)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return the gradient of the features."""
        return ctx.children[0].grad_input()

    def _links(self) -> Links:
        periodic = ("periodic", Periodic(self.frequencies, self.sigma))
        linear = ColumnDense(self.units, inputs=2 * self.frequencies, shared=self.lite, activation=self.activation)
        return (periodic, ("linear", linear))
