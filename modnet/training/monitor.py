"""After each epoch: the history, the validation set, the best weights so far, and whether to stop.

Training stops after too many epochs in a row that brought no progress.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from modnet.base import Array, Patience
from modnet.errors import NonFiniteError
from modnet.training.settings import TrainingSettings


@dataclass
class History:
    """What happened.

    Parameters
    ----------
    losses : list of float
        Training loss per epoch, decay included.
    validation_losses : list of float
        Validation loss per epoch, without decay; empty if there was no validation set. Of a cool-down that learns from
        the rows held out it has none.
    validation_scores : list of float
        Validation score per epoch, likewise; empty if none was asked for.
    learning_rates : list of float
        The rate of each epoch's last step; empty for a solver, which has none.
    seconds : float
        How long the last epoch took.
    best_epoch : int
        Index of the epoch with the lowest watched loss, or the highest score.
    cooldown_start : int or None
        Index of the first epoch of the cool-down; None: there was none.
    timed_out : int or None
        How many epochs there were when `max_time` was over; None: it was not.
    waited : int
        Epochs since the last progress.
    converged : bool
        Whether training stopped because progress did.
    stopped : bool
        Whether `on_epoch` asked it to stop.
    """

    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best_epoch: int = 0
    cooldown_start: int | None = None
    timed_out: int | None = None
    waited: int = 0
    converged: bool = False
    stopped: bool = False

    def watched(self, *, early_stopping: bool) -> list[float]:
        """Return what progress is measured by, lower being better.

        Parameters
        ----------
        early_stopping : bool
            Whether rows held out are watched, and not those learnt from.

        Returns
        -------
        list of float
            A number for each epoch.
        """
        if not early_stopping:
            return self.losses
        if self.validation_scores:
            return [math.inf if math.isnan(score) else -score for score in self.validation_scores]
        return self.validation_losses


OnEpoch = Callable[[History], bool]
"""Called after each epoch; True stops training."""


class Monitor:
    """Looks at the weights after each epoch.

    Parameters
    ----------
    settings : TrainingSettings
    theta, state : ndarray
        The weights in training.
    validation_loss : callable, optional
        Returns the loss of the present weights on the validation set.
    score : callable, optional
        Returns their score on it, higher being better; then early stopping watches the score instead of the loss.
    on_begin, on_epoch : callable, optional
        Called before and after each epoch; see `OnEpoch`. An iteration of a solver is known when it is over, so both
        are called then.
    patience : Patience, optional
        To go on counting epochs without progress where an earlier training ended.
    history : History, optional
        To be continued; its best epoch stays.
    several : bool
        Whether `on_begin` and `on_epoch` may be called once for several epochs in a row.

    Attributes
    ----------
    watches : bool
        Whether an epoch is judged by the validation set.
    patience : Patience
    """

    def __init__(
        self,
        settings: TrainingSettings,
        theta: Array,
        state: Array,
        *,
        validation_loss: Callable[[], float] | None = None,
        score: Callable[[], float] | None = None,
        on_begin: Callable[[], None] | None = None,
        on_epoch: OnEpoch | None = None,
        patience: Patience | None = None,
        history: History | None = None,
        several: bool = False,
    ) -> None:
        self.history = History() if history is None else history
        self._theta, self._state = theta, state
        self._validation_loss, self._score = validation_loss, score
        self._on_begin, self._on_epoch = on_begin, on_epoch
        self.patience = Patience(settings.tol, settings.n_iter_no_change) if patience is None else patience
        self.watches = bool(settings.early_stopping) and validation_loss is not None
        self._several = several and score is None and settings.max_time is None
        self._best: tuple[Array, Array] | None = None
        self._has_best = False
        self._continues = history is not None
        self._started = self._epoch_started = time.perf_counter()
        self._max_time = settings.max_time

    @property
    def watched(self) -> list[float]:
        """What progress is measured by, for each epoch so far."""
        return self.history.watched(early_stopping=self.watches)

    def may_skip(self, *, validated: bool) -> bool:
        """Return whether nobody has to be asked between two epochs; `validated`: nor for the validation loss."""
        return self._several and (validated or self._validation_loss is None)

    def best(self) -> tuple[Array, Array] | None:
        """Return where the weights of the best epoch are kept; None if they are not."""
        if self.watches and self._best is None:
            self._best = self._theta.copy(), self._state.copy()
        return self._best

    def before(self) -> None:
        """Take note that an epoch begins."""
        self._epoch_started = time.perf_counter()
        if self._on_begin is not None:
            self._on_begin()

    def after(
        self, loss: float, learning_rate: float | None, validation_loss: float | None = None, *, tell: bool = True
    ) -> bool:
        """Take note of an epoch; return whether a callback wants to stop, or `max_time` is over.

        Parameters
        ----------
        loss, learning_rate : float
        validation_loss : float, optional
            If it is known already; then the weights of the best epoch are kept, too.
        tell : bool
            Whether this is an epoch after which `on_epoch` is called.
        """
        history = self.history
        history.losses.append(loss)
        if learning_rate is not None:
            history.learning_rates.append(learning_rate)
        if self._validation_loss is not None:
            found = self._validation_loss() if validation_loss is None else validation_loss
            history.validation_losses.append(self._finite(found))
        if self._score is not None:
            history.validation_scores.append(self._number(self._score()))
        if self.patience.update(self.watched[-1]):
            if not self._continues:
                history.best_epoch = len(history.losses) - 1
            if (best := self.best()) is not None:
                self._has_best = True
                if validation_loss is None:
                    best[0][...], best[1][...] = self._theta, self._state
        history.waited = self.patience.waited
        if not tell:
            return False
        now = time.perf_counter()
        history.seconds = now - self._epoch_started
        late = self._max_time is not None and now - self._started >= self._max_time
        if late:
            history.timed_out = len(history.losses)
        history.stopped = self._on_epoch is not None and bool(self._on_epoch(history))
        return history.stopped or late

    def _finite(self, loss: float) -> float:
        if not math.isfinite(loss):
            raise NonFiniteError(
                f"the validation loss became {loss} in epoch {len(self.history.losses)}, while the training loss is "
                f"{self.history.losses[-1]:.3g}. Likely causes: a learning rate that is too large, or validation rows "
                "that are not scaled like the training rows"
            )
        return loss

    def _number(self, score: float) -> float:
        if math.isnan(score):
            raise NonFiniteError(
                f"the validation score became nan in epoch {len(self.history.losses)}, and early stopping watches a "
                "number: choose another scoring, or more rows to watch"
            )
        return score

    def restore_best(self) -> bool:
        """Put the weights of the best epoch back, if they were watched on a validation set; return whether."""
        if self._best is not None and self._has_best:
            self._theta[...], self._state[...] = self._best
        return self._has_best
