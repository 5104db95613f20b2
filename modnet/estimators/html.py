"""The HTML picture of an estimator: its layers as blocks, with their shapes as soon as they are known.

scikit-learn draws it, in notebooks and for ``estimator_html_repr``, alone and as a step of a pipeline.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from modnet.base import Links, Module, located
from modnet.network.link import Link
from modnet.network.summary import own_fields, shown, title_of

try:
    from sklearn.utils._repr_html.estimator import _VisualBlock
except ImportError:  # It is private. Without it scikit-learn draws estimators as it draws all others.
    _VisualBlock = None


def can_draw(estimator: Any) -> bool:
    """Return whether scikit-learn has the blocks that `visual_block` is made of."""
    return _VisualBlock is not None


def visual_block(estimator: Any) -> Any:
    """Return what scikit-learn should draw of an estimator: a block per layer, or one block if there is no layer.

    Parameters that are not valid raise, and scikit-learn then draws the estimator as one block.
    """
    blocks = list(_blocks(*_layers(estimator)))
    if not blocks:
        return _VisualBlock("single", estimator, names=type(estimator).__name__, name_details=str(estimator))
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
        return _Block(_VisualBlock("single", None, names=title, name_details=details, name_caption=caption))
    inside: Sequence[Sequence[Link]] = next((link.chains for link in links if link.chains), ((),) * len(chains))
    drawn = [list(_blocks(chain, mine, path)) for chain, mine in zip(chains, inside, strict=True)]
    if len(drawn) == 1:
        body = _serial(drawn[0])
    else:
        body = _VisualBlock("parallel", [_serial(blocks, framed=False) for blocks in drawn])
    return _Block(body, f"{title} · {caption}" if caption else title, details)


def _serial(blocks: Sequence[_Block], *, framed: bool = True) -> Any:
    return _VisualBlock(
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
    mine = sum(place.stop - place.start for place in link.places.values())
    return mine + sum(_parameters(inner) for chain in link.chains for inner in chain)


def _details(path: str, module: Module, links: Sequence[Link]) -> str:
    """Return what a block shows when it is opened: its path, its fields, and the arrays that it has."""
    fields = [f"{name} = {getattr(module, name)!r}" for name in own_fields(module)]
    places = [(link.path, {**link.places, **link.state_places}) for link in links]
    arrays = [f"{path}.{name}  {place.shape}" for path, mine in places for name, place in mine.items()]
    return "\n\n".join("\n".join(lines) for lines in ([path], fields, arrays) if lines)
