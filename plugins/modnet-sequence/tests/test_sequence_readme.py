"""The code in the README runs."""

import re
from pathlib import Path

import pytest

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", Path(__file__).parents[1].joinpath("README.md").read_text("utf-8"), re.S | re.M
)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
def test_the_code_runs(block):
    exec(block, {})
