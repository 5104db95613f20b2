"""What proves the kit: which checks a component fails."""

from collections.abc import Callable

import pytest

from modnet import Component
from modnet.testing import CheckFailed, checks_of


@pytest.fixture
def failures() -> Callable[[Component], dict[str, CheckFailed]]:
    """Return the checks that a component fails, by name; what its users do with it is left out, as that is slow."""

    def failing(component: Component) -> dict[str, CheckFailed]:
        found = {}
        for name, check in checks_of(component):
            if not name.startswith("it_works_in"):
                try:
                    check()
                except CheckFailed as failed:
                    found[name] = failed
        return found

    return failing
