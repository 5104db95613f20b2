"""Models of ONNX beside the estimators that they were made of."""

import numpy as np
import onnxruntime

from modnet.onnx import feeds, to_onnx


def outputs(model, X) -> dict:
    """What onnxruntime makes of X, by name."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds(model, X)), strict=True))


def exported(estimator, X, dtype="float64", **options) -> dict:
    """What the model of an estimator with weights of a dtype makes of X; one row alone is predicted as among others."""
    model = to_onnx(estimator, X, **options)
    found, alone = outputs(model, X), outputs(model, X[:1])
    for name, array in found.items():
        assert_same(alone[name], array[:1], dtype)
    return found


def assert_same(found, wanted, dtype="float64") -> None:
    """That predictions agree: labels are equal, numbers up to the rounding of their dtype."""
    wanted = np.asarray(wanted)
    assert found.shape == wanted.shape
    if wanted.dtype.kind != "f":
        assert found.tolist() == wanted.tolist()
        return
    tolerance = 1e-5 if "float32" in (found.dtype, wanted.dtype, dtype) else 1e-9
    scale = max(1, np.abs(wanted).max())
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * scale)
