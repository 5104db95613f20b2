"""Tests of what is exported; each skips where onnx, onnxruntime or skl2onnx is missing."""

import pytest


@pytest.fixture(autouse=True)
def _installed() -> None:
    for package in ("onnx", "onnxruntime", "skl2onnx"):
        pytest.importorskip(package)
