"""A trace as a picture: how large values and gradients are from link to link, so that a vanishing gradient is seen."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sklearn.utils._optional_dependencies import check_matplotlib_support

from modnet.network.link import walk
from modnet.tracing.quantities import Trace, magnitude

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VALUE, _GRADIENT = "#3b6ea5", "#c8502d"

_CROWDED = 10
"""From how many quantities on their names are written upwards."""


def drawn(trace: Trace, figure: "Figure | None") -> "Figure":
    """Return a figure: the chain of links on top, below it sizes on a log scale, a place for each output of a link."""
    check_matplotlib_support("Trace.plot")
    import matplotlib.pyplot as plt

    links = {link.path: link for link in trace.network.walk()}
    places = {path: x for x, path in enumerate(["x", *trace.links])}
    if figure is None:
        width = min(max(6.4, 1.5 + 0.75 * len(places)), 16)
        figure = plt.figure(figsize=(width, 5.6), layout="constrained")
    chain, sizes = figure.subplots(2, 1, sharex=True, height_ratios=(1, 3))
    turned = {"rotation": 90} if len(places) > _CROWDED else {}

    lines = ((trace, "value", _VALUE, "o-"), (trace.d, "gradient of J", _GRADIENT, "o-"))
    for mapping, label, color, style in lines:
        sizes.plot(list(places.values()), _sizes(mapping, places), style, color=color, label=label, markersize=5)
    weights = {f"{path}.{name}": places[path] - 0.5 for path in trace.links for name in links[path].places}
    marks: dict[str, Any] = {"linestyle": "none", "marker": "D", "markersize": 5, "markerfacecolor": "white"}
    for mapping, label, color in ((trace, "parameter", _VALUE), (trace.d, "its gradient", _GRADIENT)):
        if weights:
            sizes.plot(list(weights.values()), _sizes(mapping, weights), color=color, label=label, **marks)
    sizes.set_yscale("log")
    sizes.set_ylabel("root mean square")
    sizes.grid(visible=True, alpha=0.3)
    sizes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    names = {path: name for name, path in trace.paths.items()}
    between = "   " if turned else "\n"
    shapes = {path: " × ".join(map(str, trace[path].shape)) for path in places}
    labels = [f"{names[path].rpartition('.')[2]}{between}{shapes[path]}" for path in places]
    sizes.set_xticks(list(places.values()), labels, **turned)

    chain.set(ylim=(0, 1), xlim=(-0.6, len(places) - 0.4), title=trace.title)
    chain.axis("off")
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "0.4"}
    for path in trace.links:
        chain.annotate(
            "", (places[path], 0.5), (places[path] - 1, 0.5), arrowprops={"arrowstyle": "->", "color": "0.4"}
        )
        kind = type(links[path].module).__name__
        chain.text(places[path] - 0.5, 0.5, kind, ha="center", va="center", fontsize="small", bbox=box, **turned)
    for link in links.values():
        inside = [places[each.path] for each in walk([link])]
        if link.chains:  # a composite, and what runs inside it
            for axes in (chain, sizes):
                axes.axvspan(min(inside) - 0.95, max(inside) - 0.05, color="0.5", alpha=0.1, linewidth=0)
    return figure


def _sizes(mapping: Mapping[str, Any], paths: Mapping[str, float]) -> list[float]:
    """Return sizes for a log scale: NaN, a gap, where all is 0."""
    return [magnitude(mapping[path]) or float("nan") for path in paths]
