"""Pictures: the course of a training, in the manner of scikit-learn's displays, and a network in notebooks.

Of a training the loss stands on top; scores on the validation set and a learning rate that changes get panels of their
own below. A network is a block per layer, with its shapes as soon as they are known, in pipelines too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from modnet.base import Inputs, Module, located
from modnet.network.link import Link, walk
from modnet.network.summary import own_fields, shown, title_of
from modnet.registry import registry
from modnet.spec import ModelSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    _Where = Axes | Sequence[Axes] | None

try:
    from sklearn.utils._repr_html.estimator import _VisualBlock
except ImportError:  # It is private. Without it scikit-learn draws estimators as it draws all others.
    _VisualBlock = None

VisualBlock: Any = _VisualBlock
"""What scikit-learn's pictures are made of; None where scikit-learn has it no more."""

_WRAPPED = ("best_estimator_", "regressor_", "estimator_")
"""Where a search, a TransformedTargetRegressor and other wrappers keep the estimator that they fitted."""


@dataclass(kw_only=True, eq=False, repr=False)
class TrainingCurveDisplay:
    """Loss, validation loss, validation score and learning rate, epoch by epoch.

    `from_estimator` makes one. Curves may differ in length: they end with the same epoch.

    Parameters
    ----------
    loss : sequence of float
        Training loss per epoch.
    validation_loss, validation_score, learning_rate : sequence of float, optional
        Per epoch. A learning rate that stays the same is not drawn.
    best_epoch : int, optional
        The epoch whose weights were kept, from 1; it is marked. None where training ended with others, as it does with
        a cool-down.
    score_name : str, optional
        What the score is; default: "Score".
    name : str, optional
        Put in front of the labels, to tell several estimators in one picture apart.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The panel of the loss.
    axes_ : list of matplotlib Axes
        All panels, from the top.
    figure_ : matplotlib Figure
    lines_ : dict of str to matplotlib Line2D
        The curves: "loss", "validation_loss", "validation_score", "learning_rate", as far as they are drawn.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores against the size of the training set.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from modnet import ModNetClassifier, TrainingCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ModNetClassifier(early_stopping=True, scoring="accuracy", max_iter=500, random_state=0).fit(X, y)
    >>> display = TrainingCurveDisplay.from_estimator(model)
    >>> list(display.lines_), [ax.get_ylabel() for ax in display.axes_]
    (['loss', 'validation_loss', 'validation_score', 'learning_rate'], ['Loss', 'Accuracy', 'Learning rate'])
    """

    loss: Sequence[float]
    validation_loss: Sequence[float] | None = None
    validation_score: Sequence[float] | None = None
    learning_rate: Sequence[float] | None = None
    best_epoch: int | None = None
    score_name: str | None = None
    name: str | None = None

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, name: str | None = None, ax: "_Where" = None, line_kw: Mapping[str, Any] | None = None
    ) -> Self:
        """Draw how a fitted estimator was trained.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator of modnet, or a pipeline that ends in one, or a search over such.
        name : str, optional
            As in `plot`.
        ax : matplotlib Axes, optional
            As in `plot`.
        line_kw : mapping, optional
            As in `plot`.

        Returns
        -------
        TrainingCurveDisplay

        Raises
        ------
        NotFittedError, TypeError
            If the estimator has not been fitted, or has no training curve.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        trained = _trained(estimator)
        scores = _watched(trained, "validation_scores_")
        display = cls(
            loss=trained.loss_curve_,
            validation_loss=_watched(trained, "validation_loss_curve_"),
            validation_score=scores,
            learning_rate=getattr(trained, "learning_rate_curve_", None),
            best_epoch=_best_epoch(trained),
            score_name=_score_name(trained) if scores else None,
            name=name,
        )
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax: "_Where" = None, *, name: str | None = None, line_kw: Mapping[str, Any] | None = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, optional
            Where. One is divided if more than one panel is needed; a sequence, such as the `axes_` of another
            display, has to have one for each. None: a new figure.
        name : str, optional
            Put in front of the labels; default: that of the display.
        line_kw : mapping, optional
            Keyword arguments for ``Axes.plot``.

        Returns
        -------
        TrainingCurveDisplay
            Itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.ticker import MaxNLocator

        name = self.name if name is None else name
        prefix = "" if name is None else f"{name}: "
        self.axes_ = _axes(ax, self._panels())
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        self.lines_: dict[str, Line2D] = {}
        for axes, (label, curves) in zip(self.axes_, self._panels().items(), strict=True):
            for curve in curves:
                self._draw(curve, axes, prefix, line_kw or {})
            if self.best_epoch is not None:
                color: Any = self.lines_.get("validation_loss", self.lines_["loss"]).get_color()
                mark = f"{prefix}best epoch ({self.best_epoch})"
                axes.axvline(self.best_epoch, label=mark, color=color, linestyle=":", zorder=1)
            axes.set_ylabel(label)
            axes.grid(visible=True, alpha=0.3)
        self.ax_.legend()
        for axes in self.axes_[:-1]:
            axes.tick_params(labelbottom=False)
        self.axes_[-1].xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        self.axes_[-1].set_xlabel("Epoch")
        self.figure_.align_ylabels(self.axes_)
        return self

    def _panels(self) -> dict[str, list[str]]:
        """Return the labels of the panels, and which curves each of them shows."""
        panels = {"Loss": ["loss", "validation_loss"] if self.validation_loss else ["loss"]}
        if self.validation_score:
            panels[self.score_name or "Score"] = ["validation_score"]
        if self.learning_rate and len(set(self.learning_rate)) > 1:
            panels["Learning rate"] = ["learning_rate"]
        return panels

    def _draw(self, curve: str, axes: "Axes", prefix: str, line_kw: Mapping[str, Any]) -> None:
        values = getattr(self, curve)
        epochs = range(len(self.loss) - len(values) + 1, len(self.loss) + 1)
        label = {"loss": "training loss"}.get(curve, curve.replace("_", " "))
        style: dict[str, Any] = {"label": f"{prefix}{label}"}
        # Panels below take their colours from the one on top: what is watched has another than what is trained on.
        above = {"validation_score": "validation_loss", "learning_rate": "loss"}.get(curve)
        if above in self.lines_:
            style["color"] = self.lines_[above].get_color()
        if len(values) == 1:
            style["marker"] = "o"
        (self.lines_[curve],) = axes.plot(epochs, values, **{**style, **line_kw})
        if curve == "learning_rate" and min(values) > 0 and max(values) > 10 * min(values):
            axes.set_yscale("log")


def _axes(given: "_Where", panels: Mapping[str, object]) -> "list[Axes]":
    """Return axes for the panels: those given, the one given divided, or those of a new figure."""
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.gridspec import GridSpec

    ratios = [2.0] + [1.0] * (len(panels) - 1)
    if given is None:
        given = plt.figure(figsize=(6.4, 2.4 + 1.2 * sum(ratios)), layout="constrained").add_subplot()
    if not isinstance(given, Axes):
        axes: list[Axes] = list(np.asarray(given, dtype=object).ravel())
        if len(axes) != len(panels):
            raise ValueError(f"ax should be one Axes or {len(panels)} ({', '.join(panels)}), got {len(axes)}")
        return axes
    if len(panels) == 1:
        return [given]
    place, figure = given.get_subplotspec(), given.figure
    if place is None:
        box = given.get_position()
        place = GridSpec(1, 1, left=box.x0, right=box.x1, bottom=box.y0, top=box.y1)[0]
    rows = place.subgridspec(len(panels), 1, height_ratios=ratios)
    given.set_subplotspec(rows[0])
    return [given, *(figure.add_subplot(rows[index], sharex=given) for index in range(1, len(panels)))]


def _trained(estimator: Any) -> Any:
    """Return what has the curves: the estimator, or the one inside it."""
    if isinstance(estimator, Pipeline):
        return _trained(estimator.steps[-1][1])
    for name in _WRAPPED:
        if hasattr(estimator, name):
            return _trained(getattr(estimator, name))
    if not hasattr(estimator, "loss_curve_"):
        check_is_fitted(estimator)
        raise TypeError(
            f"{type(estimator).__name__} has no loss_curve_: pass a fitted estimator of modnet, a pipeline that ends "
            "in one, or a search that has refitted one"
        )
    return estimator


def _watched(trained: Any, name: str) -> list[float] | None:
    """Return a curve of what was watched; it ends with the training, NaN where a cool-down had nothing to watch."""
    curve: list[float] | None = getattr(trained, name, None)
    missing = trained.n_iter_ - len(curve or []) if hasattr(trained, "cooldown_start_") else 0
    return [*curve, *[np.nan] * missing] if curve else None


def _best_epoch(trained: Any) -> int | None:
    """Return the epoch, from 1, whose weights early stopping has kept; None where a cool-down has moved them on."""
    scores = getattr(trained, "validation_scores_", None)
    losses = getattr(trained, "validation_loss_curve_", None)
    settings = trained.spec_.training if hasattr(trained, "spec_") else trained
    if not settings.early_stopping or hasattr(trained, "cooldown_start_") or not (scores or losses):
        return None
    watched = np.array(scores) if scores else -np.array(losses)
    watched = np.nan_to_num(watched[-trained.n_iter_ :], nan=-np.inf)  # of a warm start, only the last fit
    return len(trained.loss_curve_) - len(watched) + int(watched.argmax()) + 1


def _score_name(trained: Any) -> str:
    scoring = getattr(trained, "scoring", None)
    if isinstance(scoring, str):
        return scoring.replace("_", " ").capitalize()
    default = "Accuracy" if is_classifier(trained) else "R²" if is_regressor(trained) else "Score"
    return default if scoring is None else "Score"


# The network of an estimator, as scikit-learn draws it in notebooks


def can_draw(estimator: Any) -> bool:
    """Return whether scikit-learn has the blocks that `visual_block` is made of."""
    return VisualBlock is not None


def visual_block(estimator: Any) -> Any:
    """Return what scikit-learn should draw of an estimator: a block per layer, or one block if there is no layer.

    Parameters that are not valid raise, and scikit-learn then draws the estimator as one block.
    """
    blocks = list(_blocks(*_layers(estimator)))
    if not blocks:
        return VisualBlock("single", estimator, names=type(estimator).__name__, name_details=str(estimator))
    return _serial(blocks)


_Parts = Sequence[tuple[str, Module | Inputs]]

_Block = tuple[Any, str | None, str | None]
"""What scikit-learn draws, and the name and the details that a composite has standing above it."""


def _layers(estimator: Any) -> tuple[_Parts, Sequence[Link]]:
    """Return what stands in a row, inputs in front, and the links of the network if there is one."""
    if not estimator.__sklearn_is_fitted__():
        spec: ModelSpec = estimator.to_spec()
        front = [] if spec.inputs is None else [("inputs", spec.inputs)]
        return [*front, *located("layers", spec.layers)], ()
    links = estimator.network_.links
    ends = [(link.path, link.module) for link in links if not link.path.startswith("layers[")]
    front = [(path, module) for path, module in ends if re.match(r"inputs\b", path)]
    return [*front, *located("layers", estimator.spec_.layers), *ends[len(front) :]], links


def _blocks(parts: _Parts, links: Sequence[Link], around: str = "") -> Iterator[_Block]:
    for path, module in parts:
        here = f"{around}.{path}" if around else path
        yield _block(here, module, [link for link in links if link.path == here or link.path.startswith(f"{here}.")])


def _block(path: str, module: Module | Inputs, links: Sequence[Link]) -> _Block:
    """Return the block of one layer, or of inputs, which stands for `links` (none: there is no network yet)."""
    title, caption, details = title_of(module), _caption(links), _details(path, module, links)
    chains = module.chains() if isinstance(module, Module) else ()
    if not chains:
        return VisualBlock("single", None, names=title, name_details=details, name_caption=caption), None, None
    inside: Sequence[Sequence[Link]] = next((link.chains for link in links if link.chains), ((),) * len(chains))
    drawn = [list(_blocks(chain, mine, path)) for chain, mine in zip(chains, inside, strict=True)]
    several = [_serial(blocks) for blocks in drawn]
    if registry.name_of(type(module)) == "residual":
        several.append(VisualBlock("single", None, names="x", name_details=f"{path}: y = x + f(x)"))
    body = VisualBlock("parallel", several) if len(several) > 1 else several[0]
    return body, f"{title} · {caption}" if caption else title, details


def _serial(blocks: Sequence[_Block]) -> Any:
    drawn, names, details = ([block[part] for block in blocks] for part in range(3))
    # Without a frame, as scikit-learn draws a pipeline inside another: its line of flow would cross the frame.
    return VisualBlock("serial", drawn, names=names, name_details=details, dash_wrapped=False)


def _caption(links: Sequence[Link]) -> str:
    """Return what a layer makes of its input, in numbers."""
    if not links:
        return ""
    shapes = f"{shown(links[0].input_shape)} → {shown(links[-1].output_shape)}"
    parameters = sum(place.stop - place.start for link in walk(links) for place in link.places.values())
    return f"{shapes}, {parameters:,} parameters" if parameters else shapes


def _details(path: str, module: Module | Inputs, links: Sequence[Link]) -> str:
    """Return what a block shows when it is opened: its path, its fields, and the arrays that it has."""
    fields = [f"{name} = {getattr(module, name)!r}" for name in own_fields(module)]
    places = [(link.path, {**link.places, **link.state_places}) for link in links]
    arrays = [f"{path}.{name}  {place.shape}" for path, mine in places for name, place in mine.items()]
    return "\n\n".join("\n".join(lines) for lines in ([path], fields, arrays) if lines)
