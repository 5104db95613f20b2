"""What is printed for machines: JSON that is JSON."""

import argparse
import json
from typing import Any

import numpy as np
import pytest

from modnet.cli.shared import emit


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"x": np.float32(0.5), "n": np.int64(3), "b": np.bool_(True)}, {"x": 0.5, "n": 3, "b": True}),
        ([float("inf"), float("nan"), 1.0], [None, None, 1.0]),
        ({"a": np.array([[1.0, np.nan]])}, {"a": [[1.0, None]]}),
        ((1, ("σ", None)), [1, ["σ", None]]),
        ({1: "one"}, {"1": "one"}),
    ],
)
def test_json_is_json_whatever_is_in_it(value: Any, expected: Any, capsys: pytest.CaptureFixture[str]):
    emit(argparse.Namespace(json=True), value, "text")
    assert json.loads(capsys.readouterr().out) == expected
