"""A trace as a picture: how large values and gradients are from link to link, so that a vanishing gradient is seen."""

from typing import TYPE_CHECKING, Any

from sklearn.utils._optional_dependencies import check_matplotlib_support

from modnet.network.link import walk
from modnet.tracing.quantities import Trace, magnitude

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CROWDED = 10
"""From how many quantities on their names are written upwards."""


def drawn(trace: Trace, figure: "Figure | None") -> "Figure":
    """Return a figure: sizes on a log scale, a place for each output of a link, and above them the links between."""
    check_matplotlib_support("Trace.plot")
    import matplotlib.pyplot as plt

    links = {link.path: link for link in trace.network.walk()}
    places: dict[str, float] = {path: x for x, path in enumerate(["x", *trace.links])}
    weights = {f"{path}.{name}": places[path] - 0.5 for path in trace.links for name in links[path].places}
    turned: dict[str, Any] = {"rotation": 90} if len(places) > _CROWDED else {}
    if figure is None:
        width = min(max(6.4, 1.5 + 0.75 * len(places)), 16)
        figure = plt.figure(figsize=(width, 6.4 if turned else 5.2), layout="constrained")
    axes = figure.subplots()
    marks: dict[str, Any] = {"linestyle": "none", "marker": "D", "markersize": 5, "markerfacecolor": "white"}
    for mapping, color, labels in (
        (trace, "#3b6ea5", ("value", "parameter")),
        (trace.d, "#c8502d", ("gradient of J", "its gradient")),
    ):
        for where, label, style in zip((places, weights), labels, ({"marker": "o"}, marks), strict=True):
            sizes = [magnitude(mapping[path]) or float("nan") for path in where]  # a gap, where all is 0
            axes.plot(list(where.values()), sizes, color=color, label=label, **style)
    axes.set(yscale="log", ylabel="root mean square", xlim=(-0.6, len(places) - 0.4))
    axes.grid(visible=True, alpha=0.3)
    names = {path: name.rpartition(".")[2] for name, path in trace.paths.items()}
    shapes = {path: " × ".join(map(str, trace[path].shape)) for path in places}
    between = "   " if turned else "\n"
    axes.set_xticks(list(places.values()), [f"{names[path]}{between}{shapes[path]}" for path in places], **turned)
    top = axes.secondary_xaxis("top")
    kinds = [type(links[path].module).__name__ + (" →" if not turned else "") for path in trace.links]
    top.set_xticks([places[path] - 0.5 for path in trace.links], kinds, **turned)
    top.tick_params(length=0)
    for link in links.values():
        inside = [places[each.path] for each in walk([link])]
        if link.chains:  # a composite, and what runs inside it
            axes.axvspan(min(inside) - 0.95, max(inside) - 0.05, color="0.5", alpha=0.1, linewidth=0)
    axes.set_title(trace.title)
    figure.legend(ncols=4, loc="outside lower center", frameon=False)
    return figure
