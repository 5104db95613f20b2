"""The contract of inputs and outputs: plans that say, once shapes are known, which links begin and end a network.

What the links have to do is in the contract of modules; here they are tried as a chain.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from modnet.base import Array, Inputs, Output, Shape
from modnet.testing.comparing import expect
from modnet.testing.modules import expect_finite
from modnet.testing.problems import ROWS, Problem, check_along_lines
from modnet.testing.rules import Rules, guarded, nothing_kept

INPUTS, OUTPUTS = Rules(), Rules()
_MANY = 500
"""So many rows may lead to another choice than a few."""


def _problems(component: Inputs | Output) -> Iterator[tuple[Shape, Problem]]:
    """Return the shape in which its links should end, where that is known, and a problem with them."""
    rng = np.random.default_rng(0)
    if isinstance(component, Inputs):
        yield from (
            ((), _problem(component, component.example_rows(rng, ROWS), training)) for training in (True, False)
        )
    else:
        for shape, width in component.example_shapes():
            x = rng.normal(size=(ROWS, *shape))
            yield from (((width,), _problem(component, x, training, width)) for training in (True, False))


def _problem(component: Inputs | Output, x: Array, training: bool, *width: int) -> Problem:
    links = component.links(x.shape[1:], *width)
    expect(links, f"links({', '.join(map(str, (x.shape[1:], *width)))}) returned none")
    return Problem([module for _, module in links], x, training=training)


@OUTPUTS.add()
def an_output_ends_in_the_width_asked_for(output: Output) -> None:
    """Whatever comes in, the links end in rows of shape (width,).

    Usually: an axis that is left over: put Flatten() behind, or a width that was forgotten
    """
    for expected, problem in _problems(output):
        found = problem.network.output_shape
        expect(found == expected, f"rows of {problem.network.input_shape} end in shape {found}, asked for {expected}")


@OUTPUTS.add()
def gradients_of_the_links_agree_with_central_differences(component: Inputs | Output) -> None:
    """Through all links, the gradients of parameters and rows are the derivatives.

    Usually: a link that is no module of the contract: check it by itself
    """
    for _, problem in _problems(component):
        check_along_lines(problem)


INPUTS.append(gradients_of_the_links_agree_with_central_differences)


@INPUTS.add()
def what_is_left_open_is_chosen_once(inputs: Inputs) -> None:
    """`choose` returns inputs of its own class that choose no more, whose links run; or None: rows pass as they are.

    Usually: links or a layer returned in place of dataclasses.replace(self, …), or a field that stays open
    """
    rng, name = np.random.default_rng(0), type(inputs).__name__
    for rows, weighted in itertools.product((ROWS, _MANY), (False, True)):
        x, weight = inputs.example_rows(rng, rows), rng.uniform(1, 3, rows) if weighted else None
        with nothing_kept(inputs), guarded(x, weight):
            chosen = inputs.choose(x.shape[1:], x, weight)
        if chosen is None:
            continue
        expect(type(chosen) is type(inputs), f"for {rows} rows choose returned {chosen!r}, neither a {name} nor None")
        again = chosen.choose(x.shape[1:], x, weight)
        expect(again == chosen, f"for {rows} rows it chooses {chosen!r}, and of these rows again {again!r}")
        expect_finite(_problem(chosen, x, False))
