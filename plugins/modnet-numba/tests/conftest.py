"""What tests of compiled loops ask for: how often they ran, without which a loop that is never used agrees, too."""

from typing import Any

import pytest


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many steps compiled loops have made, run by run."""
    TapedLoop = pytest.importorskip("modnet_numba.steps").TapedLoop
    found: list[int] = []
    run = TapedLoop.run

    def counted(self: Any, order: Any, rates: Any, epochs: Any) -> Any:
        found.append(len(rates))
        return run(self, order, rates, epochs)

    monkeypatch.setattr(TapedLoop, "run", counted)
    return found
