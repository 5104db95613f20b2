"""An optimizer is an update rule on one flat vector: the rule is the component, its arrays are in a state beside it."""

import dataclasses
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self, final

import numpy as np
from pydantic import Field, model_validator

from modnet.base.layout import Layout
from modnet.base.schedule import Progress, Schedule
from modnet.base.types import Array
from modnet.component import Component
from modnet.slot import Converted, Slot, default


@dataclasses.dataclass
class OptimizerState:
    """What an optimizer remembers from step to step.

    Parameters
    ----------
    learning_rate : float
        The rate of a step; the training loop sets it from the schedule before each.
    layout : Layout
        What `init` was given: which slice of θ is which parameter.
    step : int
        How many steps were made.
    vectors : dict of str to ndarray, each of the shape and dtype of θ
        Momentum, mean squares, and scratch memory where the gradient's is not enough: whatever the rule needs.
    scalars : dict of str to float
        Single numbers that do not follow from `step`, such as a product over all steps.
    average : ndarray, shape of θ, optional
        The mean of θ that `ema` or `swa` asks for.
    averaged : int
        How many points are in it.
    moving, moving_state : ndarray, optional
        What θ and the network's state are in training, where another point is published, that is, predicts; None where
        they are the published ones.
    """

    learning_rate: float
    layout: Layout
    step: int = 0
    vectors: dict[str, Array] = dataclasses.field(default_factory=dict)
    scalars: dict[str, float] = dataclasses.field(default_factory=dict)
    average: Array | None = None
    averaged: int = 0
    moving: Array | None = None
    moving_state: Array | None = None


class ParameterGroup(Component):
    """Layers that learn at a rate of their own, or not at all.

    Parameters
    ----------
    layers : str
        Which: the name of a layer (``"trunk"``), its path (``"layers[0]"``, ``"output"``), or a pattern for either, in
        which * stands for anything (``"layers[*]"``); what is inside a layer belongs to it.
    factor : float
        What the learning rate is multiplied by, ≥ 0; 0 freezes the layers.

    Examples
    --------
    >>> from modnet.optimizers import Adam
    >>> Adam(groups=[{"layers": "trunk", "factor": 0}]).groups
    (ParameterGroup(layers='trunk', factor=0.0),)
    """

    layers: str
    factor: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Optimizer(Component, kind="optimizer"):
    """A rule that changes θ along ∇J(θ).

    A concrete class defines `init` and `step`; one whose θ in training is not what should predict, `predicts` as well.
    What any of them can be combined with is here, as keyword arguments.

    Parameters
    ----------
    learning_rate : float
        Size η of a step, > 0.
    schedule : Schedule, optional
        How the rate changes as training goes on; None: it does not.
    weight_decay : float
        Strength λ of decoupled decay, ≥ 0: each step first shrinks weights, not biases, by the factor 1 − ηλ
        (Loshchilov & Hutter 2019, Decoupled weight decay regularization, ICLR, algorithm 2). `alpha` of the estimators
        is the penalty in the loss.
    clip_norm : float, optional
        The largest Euclidean norm that ∇J may have, > 0; a longer one is scaled down to it (Pascanu, Mikolov & Bengio
        2013, On the difficulty of training recurrent neural networks, ICML, algorithm 1).
    clip_value : float, optional
        The largest absolute value that an element of ∇J may have, > 0; before `clip_norm`.
    ema : float, optional
        Decay, in [0, 1), of the running mean of θ that predicts in place of θ: mean ← ema · mean + (1 − ema) θ after
        each step, from θ of the first (Polyak & Juditsky 1992; Kingma & Ba 2015, sec. 7.2).
    swa : float, optional
        Share of the planned epochs, in [0, 1), after which the plain mean of θ over the ends of epochs is what predicts
        (Izmailov et al. 2018, Averaging weights leads to wider optima and better generalization, UAI, algorithm 1).
    groups : tuple of ParameterGroup
        Layers with a learning rate of their own, or frozen; where several fit, their factors multiply.

    Attributes
    ----------
    own_points : bool
        Whether θ is rebuilt from vectors of the state, so that nothing that others change in it stays. Such a rule
        shrinks weights by `weight_decay` itself, the first `state.layout.regularized` elements, and multiplies the rate
        of each element by `state.layout.rates`; what has a rate of 0 predicts with the same bits ever after.
    """

    own_points: ClassVar[bool] = False

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.001
    schedule: Slot[Schedule | None] = Field(default=default(None), kw_only=True)
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(default=0.0, kw_only=True)
    clip_norm: Annotated[float, Field(gt=0)] | None = Field(default=None, kw_only=True)
    clip_value: Annotated[float, Field(gt=0)] | None = Field(default=None, kw_only=True)
    ema: Annotated[float, Field(ge=0, lt=1)] | None = Field(default=None, kw_only=True)
    swa: Annotated[float, Field(ge=0, lt=1)] | None = Field(default=None, kw_only=True)
    groups: Converted[tuple[ParameterGroup, ...], Sequence[ParameterGroup | Mapping[str, Any]]] = Field(
        default=default(()), kw_only=True
    )

    @model_validator(mode="after")
    def _one_point_predicts(self) -> Self:
        given = [name for name in ("ema", "swa") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError("ema and swa are two means of θ, of which one can predict: leave one of them out")
        if given and type(self).predicts is not Optimizer.predicts:
            raise ValueError(f"{type(self).__name__} says itself which point predicts: leave out {given[0]}")
        return self

    @abstractmethod
    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return the state before the first step.

        Parameters
        ----------
        theta : ndarray, shape (size,)
            Not changed, and not kept.
        layout : Layout
            Which slice of it is which parameter, by name and shape; which are regularized; rates of their own.

        Returns
        -------
        OptimizerState
            Of no step.
        """

    @abstractmethod
    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Change θ and the state in place.

        Parameters
        ----------
        theta : ndarray, shape (size,)
            The parameters θ.
        grad : ndarray, shape (size,)
            Their gradient ∇J(θ). Nobody reads it after the step: it may serve as scratch memory.
        state : OptimizerState
            As `init` or the step before left it, with the rate of this step.
        """

    def predicts(self, theta: Array, state: OptimizerState) -> Array:
        """Return the point that predicts: the θ that steps are made with, or the average if one is kept.

        Training copies it at the end of each epoch. It is a view or a fresh array, nobody writes into it, and neither
        `theta` nor the state changes.

        Parameters
        ----------
        theta : ndarray, shape (size,)
            As the last step left it.
        state : OptimizerState
            As the last step left it.

        Returns
        -------
        ndarray, shape (size,)
            A view, or a fresh array.
        """
        return theta if state.average is None else state.average

    @property
    @final
    def publishes(self) -> bool:
        """Whether another point than the θ that steps are made with predicts, or will."""
        averages = self.ema is not None or self.swa is not None
        return averages or type(self).predicts is not Optimizer.predicts

    @final
    def update(self, theta: Array, grad: Array, state: OptimizerState, *, rule: "Optimizer | None" = None) -> None:
        """Make a step as training does: clip the gradient, shrink what is regularized, call `step`, scale the step.

        The update of every rule here is proportional to its learning rate. So a rate of its own is the same as a step
        of its own size: θ ← θ_before + factor · (θ − θ_before) in the slices of a group.

        Parameters
        ----------
        theta : ndarray, shape (size,)
            The parameters θ; changed.
        grad : ndarray, shape (size,)
            Their gradient ∇J(θ); changed.
        state : OptimizerState
            As `init` or the step before left it, with the rate of this step.
        rule : Optimizer, optional
            Whose `step` it is, on this one's state: an accelerator's.
        """
        layout = state.layout
        grouped = _grouped(layout, theta, grad) if layout.factors else ()
        if self.clip_norm is not None or self.clip_value is not None:
            self.clip(grad)
        if self.weight_decay and not self.own_points:
            theta[: layout.regularized] *= 1 - state.learning_rate * self.weight_decay
        (self if rule is None else rule).step(theta, grad, state)
        if grouped and not self.own_points:
            for part, before, factor in grouped:
                part[...] = before + factor * (part - before) if factor else before

    @final
    def clip(self, grad: Array) -> None:
        """Hold the gradient within `clip_value` and then `clip_norm`, in place.

        Parameters
        ----------
        grad : ndarray, shape (size,)
            The gradient ∇J(θ); changed.
        """
        if self.clip_value is not None:
            np.clip(grad, -self.clip_value, self.clip_value, out=grad)
        if self.clip_norm is not None:
            norm = math.sqrt(float(grad @ grad))
            if norm > self.clip_norm:
                grad *= self.clip_norm / norm

    def rate(self, progress: Progress) -> float:
        """Return the learning rate at a point of the training; behind the planned epochs `least_rate` at least.

        Parameters
        ----------
        progress : Progress
            How far training has come.

        Returns
        -------
        float
            The rate of the next step, ≥ 0.
        """
        if self.schedule is None:
            return self.learning_rate
        rate = self.schedule.rate(self.learning_rate, progress)
        return rate if progress.epoch < progress.epochs else max(rate, self.least_rate)

    @property
    def least_rate(self) -> float:
        """The rate at which a stream goes on learning where its schedule has come further down: a hundredth."""
        return 0.01 * self.learning_rate

    def should_continue(self, progress: Progress) -> bool:
        """Return whether training should go on at the schedule's next rate, though progress has ended.

        Parameters
        ----------
        progress : Progress
            How far training has come.

        Returns
        -------
        bool
            False: training stops here.
        """
        return self.schedule is not None and (self.schedule.ends or self.rate(progress) > self.schedule.lowest)


def _grouped(layout: Layout, theta: Array, grad: Array) -> Sequence[tuple[Array, Array, float]]:
    """Return views of θ that have a factor, what is in them, and the factor; what is frozen loses its gradient."""
    layout.freeze(grad)
    parts = [(layout.places[name].view(theta), factor) for name, factor in layout.factors.items()]
    return [(part, part.copy(), factor) for part, factor in parts]
