"""Numba: the accelerator that offers fused versions of components, made of compiled loops."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from modnet import Accelerator, Activation, CompiledLoop, Fused, Loss, Module, Network, Optimizer, TrainingStep
from modnet.acceleration import accelerated
from modnet.acceleration.engine import MIN_STEPS, fused_optimizer
from modnet.activations import Identity, ReLU
from modnet.base import Task, served
from modnet.errors import RegistryError
from modnet.layers import BatchNorm, Dense, Dropout, Embedding, LayerNorm, RMSNorm
from modnet.losses import CrossEntropy, SquaredError
from modnet.optimizers import Adam
from modnet.registry import registry
from modnet.training import Data, Trainer, TrainingSettings
from modnet_numba.activation import FusedActivation
from modnet_numba.compiling import compile_seconds
from modnet_numba.cross_entropy import FusedCrossEntropy
from modnet_numba.dense import FusedDense, FusedDenseActivation
from modnet_numba.dropout import FusedDropout
from modnet_numba.embedding import FusedEmbedding
from modnet_numba.formulas import formulas_of
from modnet_numba.normalization import FusedNorm
from modnet_numba.optimizers import FusedOptimizer, has_pass
from modnet_numba.squared_error import FusedSquaredError
from modnet_numba.steps import TapedLoop


class Numba(Accelerator):
    """Fused components compiled by Numba: what a link does beside its matrix products is one pass over memory."""

    def fuse(self, modules: Sequence[Module]) -> Fused | None:
        """Return the fused version of a dense layer and its activation, or of another layer that there is one for."""
        first, *behind = modules
        if type(first) is Dense:
            return _of_dense(first, behind[0] if behind else None)
        if isinstance(first, Activation) and formulas_of(first) is not None:
            return Fused(FusedActivation(first))
        if type(first) is Dropout:
            return Fused(FusedDropout(first))
        if type(first) is Embedding:
            return Fused(FusedEmbedding(first))
        if isinstance(first, BatchNorm | LayerNorm | RMSNorm) and type(first) in (BatchNorm, LayerNorm, RMSNorm):
            return Fused(FusedNorm(first))
        return None

    def loss(self, loss: Loss) -> Loss | None:
        """Return the fused version of cross-entropy or of squared error."""
        if type(loss) is CrossEntropy:
            return FusedCrossEntropy(loss.link, loss.label_smoothing)
        return FusedSquaredError() if type(loss) is SquaredError else None

    def optimizer(self, optimizer: Optimizer) -> Optimizer | None:
        """Return the fused version of any standard optimizer."""
        return FusedOptimizer.of(optimizer) if has_pass(optimizer) else None

    def compile(self, step: TrainingStep) -> CompiledLoop | None:
        """Return a compiled loop of steps like this one, if fused components do all that there is to do in it."""
        return TapedLoop.of(step)

    def warm_up(self, dtype: DTypeLike = np.float32) -> float:
        """Compile everything that default components need, so that later processes find it on disk.

        Parameters
        ----------
        dtype : dtype
            Of θ: float32 or float64.

        Returns
        -------
        float
            How many seconds it took.
        """
        start, dtype = time.perf_counter(), np.dtype(dtype)
        chains: list[list[Module]] = [[BatchNorm()], [LayerNorm()], [RMSNorm()], [Dropout()], [Dense(1)]]
        chains.append([Embedding(1, categories=2, handle_unknown="missing")])
        for _, cls in registry.classes("activation"):
            if not isinstance(cls, RegistryError):  # `doctor` says of those what is wrong with them
                activation = cls.examples()[0]
                chains += [[Dense(1, activation)], [activation]]
        for chain in chains:
            accelerated(Network(chain, (2,)), self, dtype)
        for optimizer in FusedOptimizer.examples():
            fused_optimizer(optimizer.original, self, dtype)
        for loss in (CrossEntropy(), SquaredError()):
            for task, ready in served(loss).items():
                self._train(ready, task, dtype)
        return time.perf_counter() - start

    def compile_seconds(self) -> float:
        """Return how long this process has waited for Numba to compile."""
        return compile_seconds()

    def _train(self, loss: Loss, task: Task, dtype: "np.dtype[Any]") -> None:
        """Train a small network, without and with weights of rows: losses and what compiled loops need are compiled."""
        rng = np.random.default_rng(0)
        rows, settings = 32, TrainingSettings(batch_size=16, max_iter=MIN_STEPS)
        t = loss.example_truth(task, rng, rows)
        width = loss.width(t.shape[-1] if t.ndim > 1 else 3)
        network = Network([Dense(3, ReLU()), Dropout(), Dense(3, ReLU()), Dense(width)], (2,))
        x = rng.normal(size=(rows, 2)).astype(dtype)
        for weight in (None, np.ones(rows, dtype)):
            theta, state = network.initialize(rng, dtype)
            trainer = Trainer(
                network, loss, Adam(), settings, theta, state, shuffle_rng=rng, noise_rng=rng, accelerator=self
            )
            trainer.fit(Data(x, t if t.dtype.kind == "i" else t.astype(dtype), weight))


def _of_dense(dense: Dense, behind: Module | None) -> Fused:
    """Return the fused version of a dense layer and what is behind it, if that is an activation with formulas."""
    if isinstance(behind, Identity):
        return Fused(FusedDense(dense), 2)
    if isinstance(behind, Activation) and formulas_of(behind) is not None:
        return Fused(FusedDenseActivation(dense, behind), 2)
    return Fused(FusedDense(dense))
