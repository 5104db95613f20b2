"""What the layers here have in common: shapes that they take, views of columns and members, and sums as products."""

from modnet import Array, Shape
from modnet.errors import ShapeError
from modnet_standard.arrays import column_sums


def features(input_shape: Shape) -> int:
    """Return the number of features of rows that have one axis.

    Raises
    ------
    ShapeError
        If they have another number of axes.

    Examples
    --------
    >>> features((3,))
    3
    """
    if len(input_shape) != 1:
        raise ShapeError(f"expected rows of shape (n_features,), got {input_shape}")
    return input_shape[0]


def width(input_shape: Shape) -> int:
    """Return the number of features of rows of any axes, of which the last is that of features.

    Raises
    ------
    ShapeError
        If they have no axis.

    Examples
    --------
    >>> width((3,)), width((32, 3))
    (3, 3)
    """
    if not input_shape:
        raise ShapeError("expected rows with an axis of features, got rows of shape ()")
    return input_shape[-1]


def members(input_shape: Shape) -> tuple[int, int]:
    """Return the numbers of members and of features of rows that have an axis for each.

    Raises
    ------
    ShapeError
        If they have other axes.

    Examples
    --------
    >>> members((32, 8))
    (32, 8)
    """
    if len(input_shape) != 2:
        raise ShapeError(
            f"expected rows of shape (members, n_features), got {input_shape}: ensemble_view makes such rows"
        )
    return input_shape[0], input_shape[1]


def by_column(a: Array, columns: int) -> Array:
    """Return a view of a, shape (n, columns · m), with the columns in front: (columns, n, m).

    A product of such stacks reaches BLAS without a copy: it takes matrices whose rows lie apart.
    """
    return a.reshape(len(a), columns, a.shape[-1] // columns).swapaxes(0, 1)


def joined(a: Array) -> Array:
    """Return a, shape (n, k, m), as rows of one axis, shape (n, k · m)."""
    return a.reshape(len(a), a.shape[1] * a.shape[2])


def member_sums(a: Array, *, out: Array) -> None:
    """Write Σ rows a, shape (k, m), for a of shape (n, k, m)."""
    column_sums(joined(a), out=out.reshape(1, -1))
