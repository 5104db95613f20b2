"""What a training tells while it runs and when it ends: a line per epoch, and warnings.

Each warning is given at the line that has called `fit`.
"""

import sys
import warnings
from typing import Any

from modnet.base import Optimizer
from modnet.text import counted
from modnet.training import History, Trainer


def report(history: History) -> str:
    """Return the line that ``verbose`` prints after an epoch; a cool-down may have nothing to watch.

    Examples
    --------
    >>> report(History(losses=[0.5], validation_losses=[0.75], seconds=0.01))
    'epoch    1  loss 0.500000  validation loss 0.750000  0.010 s'
    """
    parts = [f"epoch {len(history.losses):4d}", f"loss {history.losses[-1]:.6f}"]
    epochs = len(history.losses)
    if len(history.validation_losses) == epochs:
        parts.append(f"validation loss {history.validation_losses[-1]:.6f}")
    if len(history.validation_scores) == epochs:
        parts.append(f"score {history.validation_scores[-1]:.4f}")
    late = ["max_time is over"] if history.timed_out == epochs else []
    return "  ".join([*parts, f"{history.seconds:.3f} s", *late])


def has_run_out(trainer: Trainer) -> bool:
    """Return whether a schedule has brought the rate down to the optimizer's least: more epochs would not help."""
    optimizer = trainer.optimizer
    return isinstance(optimizer, Optimizer) and optimizer.rate(trainer.progress) <= optimizer.least_rate


def not_converged(estimator: Any, trainer: Trainer) -> str:
    """Return what to warn of where progress had not ended; nothing where a schedule has run to its end."""
    if has_run_out(trainer):
        return ""
    late = getattr(estimator, "timed_out_", None) == estimator.n_iter_
    name, epochs = ("max_time", f", after {counted(estimator.n_iter_, 'epoch')},") if late else ("max_iter", " epochs")
    return f"training stopped at {name}{epochs} before the loss stopped improving; raise {name}, or loosen tol"


def warn_of_the_end(trainer: Trainer) -> None:
    """Warn, in the first pass of a stream behind a schedule's end, that it goes on at the least rate."""
    progress = trainer.progress
    if progress.epoch == progress.epochs + 1 and has_run_out(trainer):
        rate = trainer.optimizer_state.learning_rate
        warnings.warn(
            f"the schedule was planned for max_iter={progress.epochs} passes, which are over: partial_fit goes on at "
            f"the rate {rate:.3g}; raise max_iter, or leave the schedule out",
            stacklevel=4,
        )


_SHOWN: set[tuple[str, str]] = set()


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that has called `fit`; a part of scikit-learn that fits again and again is told once.

    Python's filters show a text once per line, but a search of scikit-learn 1.9 sets them anew for every candidate
    (`sklearn.utils.parallel`), and what has been shown is forgotten then.
    """
    caller = sys._getframe(3)  # behind `fit` and what `with_callbacks` makes of it
    module = str(caller.f_globals.get("__name__"))
    mine = (
        action
        for action, message, kind, place, _ in warnings.filters
        if issubclass(category, kind) and (not message or message.match(text)) and (not place or place.match(module))
    )
    if module.startswith("sklearn.") and next(mine, "default") == "default":
        key = text, module.rpartition(".")[0]
        if key in _SHOWN:
            return
        _SHOWN.add(key)
    warnings.warn(text, category, stacklevel=4)


def warn_of_unknown(estimator: Any, x: Any) -> None:
    """Warn, once in a stream, of categories that its first rows had not: they count as unknown ever after."""
    table = estimator.table_
    if table is None or not table.categories or estimator._told_of_unknown:
        return
    for i, column in enumerate(table.columns):
        rows = int((x[:, i] == -1).sum()) if column.name in table.categories else 0
        if rows:
            estimator._told_of_unknown = True
            name = f"column {column.name!r}" if table.named else f"column {column.name}"
            warnings.warn(
                f"{name}: {rows} of {len(x)} rows hold a category that the first call of partial_fit did not know, and "
                "which counts as unknown: declare all of them there (pandas Categorical, polars Enum)",
                stacklevel=4,
            )
            return


def record(estimator: Any, history: History) -> None:
    """Show the history so far as attributes."""
    # The lists themselves, which grow: copies would take longer from epoch to epoch.
    estimator.loss_curve_, estimator.n_iter_ = history.losses, len(history.losses)
    estimator.learning_rate_curve_ = history.learning_rates
    found = {
        "validation_loss_curve_": history.validation_losses,
        "validation_scores_": history.validation_scores,
        "cooldown_start_": history.cooldown_start,
        "timed_out_": history.timed_out,
    }
    for name, value in found.items():
        estimator.__dict__.pop(name, None)
        if value:
            setattr(estimator, name, value)
