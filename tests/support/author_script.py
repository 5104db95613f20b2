"""What plugin authors write: fields that hold components, and methods that find them there as components."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self, assert_type

from annotated_types import MinLen

from modnet import (
    Activation,
    Array,
    Context,
    Converted,
    Count,
    Initializer,
    Loss,
    Module,
    Optimizer,
    Parameter,
    Schedule,
    Shape,
    Slot,
    Slots,
    Solver,
    default,
)
from modnet.activations import ReLU
from modnet.base import Links, located, shape_through
from modnet.initializers import GlorotUniform
from modnet.layers import Dense


class Gate(Module):
    """A module that names others in its fields."""

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    units: Count
    gate: Slot[Activation]
    activation: Slot[Activation | Module | None] = default(None)
    initializer: Slot[Initializer | Literal["auto"]] = default("auto")
    inner: Slot[Dense] = default(Dense(2))
    body: Annotated[Slots[Module], MinLen(1)] = default((ReLU(),))
    columns: Converted[tuple[int, ...], Sequence[int]] = default((0,))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with a name, an instance and a mapping."""
        return (cls(3, "tanh"), cls(3, ReLU(), activation="prelu"), cls(3, {"type": "elu", "alpha": 0.5}, columns=[1]))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape behind the body."""
        assert_type(self.body, tuple[Module, ...])
        assert_type(self.columns, tuple[int, ...])
        return shape_through(located("body", self.body), input_shape)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W."""
        first = GlorotUniform() if self.initializer == "auto" else self.initializer
        return {"W": Parameter((self.inner.units, self.units), first)}

    def links(self) -> Links:
        """Return the links."""
        if self.activation is None:
            return located("body", self.body)
        return (("", replace(self, activation=None)), ("activation", self.activation))

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return σ(x)."""
        assert_type(self.gate, Activation)
        return self.gate.f(x, out=ctx.out)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ σ'(x)."""
        return self.gate.df(ctx.x, None, dy)


class Narrow(Gate):
    """Inherited fields are of the same types."""

    def first(self) -> Module:
        """Return the first of the body."""
        assert_type(self.gate, Activation)
        return self.body[0]


class Smoothed(Loss):
    """A loss with a schedule and an optimizer in it, and another loss."""

    loss: Slot[Loss]
    schedule: Slot[Schedule | None] = default(None)
    optimizer: Slot[Optimizer | Solver] = default("adam")

    def inner(self) -> tuple[Loss, Schedule | None, Optimizer | Solver]:
        """Return what it holds."""
        return self.loss, self.schedule, self.optimizer


MADE = [Gate(3, "tanh"), Narrow(3, gate=ReLU(), body=["relu", Dense(4)]), *Gate.examples()]
