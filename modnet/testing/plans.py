"""The contract of inputs and outputs: plans that say, once shapes are known, which links begin and end a network.

What the links have to do is in the contract of modules; here they are tried as a chain.
"""

from collections.abc import Iterator

import numpy as np

from modnet.base import Array, Inputs, Output, Shape
from modnet.testing.comparing import expect
from modnet.testing.problems import ROWS, Problem, check_along_lines
from modnet.testing.rules import Rules

INPUTS, OUTPUTS = Rules(), Rules()


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
