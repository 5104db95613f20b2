"""What an estimator tells of itself: the summary of its network, the picture in notebooks, and scikit-learn's tags.

scikit-learn draws the picture, also for ``estimator_html_repr``, alone and as a step of a pipeline: layers as blocks,
with their shapes as soon as they are known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from modnet.acceleration import accelerator_name, fused_parts
from modnet.base import Links, Module, located
from modnet.errors import ModNetError
from modnet.estimators.parameters import NestedParameters, chosen_accelerator, loss_of
from modnet.estimators.preparation import modules_of, takes
from modnet.estimators.target import loss_before_target
from modnet.network.link import Link, walk
from modnet.network.summary import Summary, own_fields, shown, summarize, title_of

try:
    from sklearn.utils._repr_html.estimator import _VisualBlock
except ImportError:  # It is private. Without it scikit-learn draws estimators as it draws all others.
    _VisualBlock = None

VisualBlock: Any = _VisualBlock
"""What scikit-learn's pictures are made of; None where scikit-learn has it no more."""


def can_draw(estimator: Any) -> bool:
    """Return whether scikit-learn has the blocks that `visual_block` is made of."""
    return VisualBlock is not None


class Described(NestedParameters):
    """An estimator with a network that can be looked at."""

    _doc_link_module = "modnet"
    _doc_link_template = ""  # scikit-learn's own would lead to a page that its site does not have
    _default_loss: str

    def summary(self, n_features: int | None = None, n_outputs: int | None = None) -> Summary:
        """Return the links with their shapes, parameters and multiply-adds; ``print`` shows them as a table.

        It marks what the accelerator runs fused; nothing is compiled for that.

        Parameters
        ----------
        n_features, n_outputs : int, optional
            Columns of X and of the raw output (targets; classes, of which two need one column), for the network that
            the parameters describe. Not given: the fitted network.

        Raises
        ------
        NotFittedError
            If it is not fitted and the numbers are not given.

        Examples
        --------
        >>> from modnet import ModNetClassifier
        >>> print(ModNetClassifier(layers=(32, 16), accelerator=None).summary(n_features=64, n_outputs=10))
        path                  layer            output  parameters  multiply-adds
        ────────────────────────────────────────────────────────────────────────
                              input                64
        layers[0]             Dense(units=32)      32       2,080          2,048
        layers[0].activation  ReLU()               32           0              0
        layers[1]             Dense(units=16)      16         528            512
        layers[1].activation  ReLU()               16           0              0
        output                Dense(units=10)      10         170            160
        ────────────────────────────────────────────────────────────────────────
                              total                         2,778          2,720
        accelerator: none
        """
        if (n_features is None) != (n_outputs is None):
            raise ValueError(f"n_features and n_outputs belong together, got {n_features} and {n_outputs}")
        fitted = hasattr(self, "theta_")
        if n_features is not None and n_outputs is not None:
            spec = self.to_spec()
            network, loss = spec.network(n_features, n_outputs), loss_before_target(spec, self._default_loss)
        elif fitted:
            spec, network, loss = self.spec_, self.network_, loss_of(self)
        else:
            raise NotFittedError(
                f"This {type(self).__name__} is not fitted yet, so the widths of its input and output are not known: "
                "call summary(n_features=…, n_outputs=…), or fit first"
            )
        accelerator, dtype = chosen_accelerator(self), self.theta_.dtype if fitted else np.dtype(np.float64)
        name = accelerator_name(accelerator)
        parts = fused_parts(network, accelerator, dtype, name=name, loss=loss, optimizer=spec.optimizer)
        return summarize(network, parts)

    @available_if(can_draw)  # type: ignore[untyped-decorator]
    def _sk_visual_block_(self) -> Any:
        """Return what scikit-learn draws in notebooks."""
        return visual_block(self)

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there are weights."""
        return hasattr(self, "theta_")

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn may expect of this estimator."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = True
        try:
            found = modules_of(self, fitted=hasattr(self, "network_"))
        except (ModNetError, ValueError, TypeError):
            found = []  # `fit` says what is wrong
        tags.input_tags.allow_nan, tags.input_tags.categorical = takes("missing", found), takes("codes", found)
        return tags


def visual_block(estimator: Any) -> Any:
    """Return what scikit-learn should draw of an estimator: a block per layer, or one block if there is no layer.

    Parameters that are not valid raise, and scikit-learn then draws the estimator as one block.
    """
    blocks = list(_blocks(*_layers(estimator)))
    if not blocks:
        return VisualBlock("single", estimator, names=type(estimator).__name__, name_details=str(estimator))
    return _serial(blocks)


@dataclass(frozen=True)
class _Block:
    """What scikit-learn draws, and what a composite has standing above it."""

    drawn: Any
    name: str | None = None
    details: str | None = None


def _layers(estimator: Any) -> tuple[Links, Sequence[Link]]:
    """Return the layers, and the links of the network if there is one."""
    if not estimator.__sklearn_is_fitted__():
        return located("layers", estimator.to_spec().layers), ()
    links = estimator.network_.links
    behind = [(link.path, link.module) for link in links if not link.path.startswith("layers[")]
    return [*located("layers", estimator.spec_.layers), *behind], links


def _blocks(modules: Links, links: Sequence[Link], around: str = "") -> Iterator[_Block]:
    for path, module in modules:
        here = f"{around}.{path}" if around else path
        yield _block(here, module, [link for link in links if link.path == here or link.path.startswith(f"{here}.")])


def _block(path: str, module: Module, links: Sequence[Link]) -> _Block:
    """Return the block of one layer, which stands for `links` (none: there is no network yet)."""
    title, caption, details = title_of(module), _caption(links), _details(path, module, links)
    chains = module.chains()
    if not chains:
        return _Block(VisualBlock("single", None, names=title, name_details=details, name_caption=caption))
    inside: Sequence[Sequence[Link]] = next((link.chains for link in links if link.chains), ((),) * len(chains))
    drawn = [list(_blocks(chain, mine, path)) for chain, mine in zip(chains, inside, strict=True)]
    if len(drawn) == 1:
        body = _serial(drawn[0])
    else:
        body = VisualBlock("parallel", [_serial(blocks, framed=False) for blocks in drawn])
    return _Block(body, f"{title} · {caption}" if caption else title, details)


def _serial(blocks: Sequence[_Block], *, framed: bool = True) -> Any:
    return VisualBlock(
        "serial",
        [block.drawn for block in blocks],
        names=[block.name for block in blocks],
        name_details=[block.details for block in blocks],
        dash_wrapped=framed,
    )


def _caption(links: Sequence[Link]) -> str:
    """Return what a layer makes of its input, in numbers."""
    if not links:
        return ""
    shapes = f"{shown(links[0].input_shape)} → {shown(links[-1].output_shape)}"
    parameters = sum(map(_parameters, links))
    return f"{shapes}, {parameters:,} parameters" if parameters else shapes


def _parameters(link: Link) -> int:
    return sum(place.stop - place.start for each in walk([link]) for place in each.places.values())


def _details(path: str, module: Module, links: Sequence[Link]) -> str:
    """Return what a block shows when it is opened: its path, its fields, and the arrays that it has."""
    fields = [f"{name} = {getattr(module, name)!r}" for name in own_fields(module)]
    places = [(link.path, {**link.places, **link.state_places}) for link in links]
    arrays = [f"{path}.{name}  {place.shape}" for path, mine in places for name, place in mine.items()]
    return "\n\n".join("\n".join(lines) for lines in ([path], fields, arrays) if lines)
