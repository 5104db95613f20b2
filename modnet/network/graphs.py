"""A network as a graph of ONNX: each link writes its own nodes, one after the other."""

from collections.abc import Mapping, Sequence
from functools import partial

from modnet.base import Array, Graph, Place, Value
from modnet.errors import ExportError
from modnet.network.link import Link


def written(graph: Graph, links: Sequence[Link], theta: Array, state: Array, x: Value) -> dict[str, Value]:
    """Write links in a row into a graph, those of composites inside of these.

    Returns
    -------
    dict of str to Value
        What each link puts out, by its path; the last is the output.

    Raises
    ------
    ExportError
        If a module writes no nodes; the message names its path.
    """
    made: dict[str, Value] = {}
    _write(graph, links, theta, state, made, x)
    return made


def _write(graph: Graph, links: Sequence[Link], theta: Array, state: Array, made: dict[str, Value], x: Value) -> Value:
    for link in links:
        chains = [partial(_write, graph, chain, theta, state, made) for chain in link.chains]
        p, s = _views(link.places, theta), _views(link.state_places, state)
        graph.at(link.path)
        try:
            x = link.module.onnx(graph.within(link.path, p, s, link.input_shape, chains), x)
        except ExportError as error:
            error.link = error.link or link.title
            raise
        made[link.path] = x
    return x


def _views(places: Mapping[str, Place], vector: Array) -> dict[str, Array]:
    return {name: place.view(vector) for name, place in places.items()}
