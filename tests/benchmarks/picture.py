"""The picture: how many times as long as modnet the others train."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from benchmarks.contenders import ACCELERATED, CONTENDERS, MODNET
from benchmarks.job import Record, counted
from benchmarks.sections.training import ratio, settings, under

_COLOURS = {"scikit-learn": "#d95f02", "torch": "#b2182b", "jax": "#1f78b4", "skorch": "#7570b3", "keras": "#5a8f29"}


def draw(records: Sequence[Record], machine: str, path: Path) -> None:
    """Draw the ratios of a run's first setting into a file.

    Parameters
    ----------
    records : sequence of Record
        Of the section on training.
    machine : str
        For the caption.
    path : Path
    """
    dtype, threads, kernel = settings(records)[0]
    mine = under(records, dtype, threads, kernel)
    cases = list(dict.fromkeys(each["case"] for each in mine))
    measured = {each["contender"] for each in mine}
    peers = [each.name for each in CONTENDERS if each.name in measured and each.name in _COLOURS]
    engines = [name for name in (MODNET, ACCELERATED) if name in measured]
    lanes = len(peers) + 1
    figure = Figure(figsize=(9, 2 + 0.16 * lanes * len(cases)), layout="constrained")
    axes = figure.add_subplot()
    for i, case in enumerate(cases):
        for j, peer in enumerate(peers):
            found = [ratio(mine, case, peer, engine) for engine in engines]
            _lane(axes, i * lanes + j, _COLOURS[peer], [each for each in found if each is not None])
    axes.axvline(1, color="black", linewidth=1)
    axes.set_ylim(lanes * len(cases) - 0.5, -1.5)
    middles = [i * lanes + (len(peers) - 1) / 2 for i in range(len(cases))]
    axes.set_yticks(middles, [case.replace("/", "\nbatch ") for case in cases])
    axes.tick_params(axis="y", length=0)
    _log_axis(axes)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    handles = [axes.plot([], [], "o", color=_COLOURS[peer], label=peer)[0] for peer in peers]
    if len(engines) == 2:
        handles.append(axes.plot([], [], "o", color="0.3", label="modnet with its accelerator")[0])
        handles.append(axes.plot([], [], "o", color="0.3", markerfacecolor="white", label="… on NumPy alone")[0])
    title = f"Training: how many times as long as modnet?  {dtype}, {counted(threads)}"
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(handles),
        frameon=False,
        handletextpad=0,
        columnspacing=1.2,
        fontsize=8,
    )
    caption = "\n".join(textwrap.wrap(machine, 160))
    figure.supxlabel(caption, x=0.01, ha="left", fontsize=7, color="0.35")
    figure.savefig(path, dpi=150)


def _log_axis(axes: Axes) -> None:
    """Make the axis of ratios logarithmic, with the line of modnet and a ratio of 2 in sight."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    low, high = min(low, 0.8), 1.15 * max(high, 2)
    axes.set_xlim(low, high)
    ticks = [tick for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    axes.set_xlabel("time of a peer's fit / time of modnet's: right of the line, modnet is faster")


def _lane(axes: Axes, y: int, colour: str, found: Sequence[float]) -> None:
    """Draw one peer in one case: a dot for modnet at its best, a ring for NumPy alone if that is another engine."""
    if not found:
        return
    *rings, dot = found
    axes.plot([1, *found], [y] * (1 + len(found)), color=colour, linewidth=1.2, alpha=0.6)
    axes.plot(rings, [y] * len(rings), "o", color=colour, markerfacecolor="white", markersize=5)
    axes.plot([dot], [y], "o", color=colour, markersize=5)
    label = f"{dot:.2g}" if dot < 10 else f"{dot:.0f}"
    place = {"textcoords": "offset points", "va": "center", "fontsize": 7}
    axes.annotate(label, (max(1, *found), y), xytext=(6, 0), **place)
