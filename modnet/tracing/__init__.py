"""Backpropagation made visible: `trace` returns every quantity of one pass through a network, forward and backward."""

from typing import Any

import numpy as np
from scipy import sparse

from modnet.base import Array, Loss
from modnet.component import Slot, parse
from modnet.diagnosis.model import network_of
from modnet.errors import ShapeError
from modnet.estimators.parameters import loss_of
from modnet.estimators.preparation import prepared, with_first_weights
from modnet.network import Network
from modnet.network.trial import adapt
from modnet.tracing.quantities import Trace
from modnet.training import Data

__all__ = ["Trace", "trace"]


def trace(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    training: bool = False,
    seed: int = 0,
    loss: Any = None,
    theta: Any = None,
    state: Any = None,
) -> Trace:
    """Return every quantity of one pass, forward and backward: x, z, a, ŷ, J, and the gradient of J for each of them.

    Parameters
    ----------
    model : estimator or Network
        Any estimator of modnet, or a pipeline or search around one. One that has not been fitted gets the first
        weights that `fit` would start from. It is not changed.
    X : array-like or sparse matrix, shape (n, *input_shape)
        A few rows are enough: every quantity is copied. Sparse rows become dense.
    y : array-like, shape (n,) or (n, k)
        As for `fit`; for a `Network` as the loss takes it (see `modnet.base.loss.Task`). None: X, for an autoencoder.
    sample_weight : array-like, shape (n,), optional
        Rows of weight zero are absent.
    training : bool
        False: as in prediction, where dropout passes everything on and batch normalization takes its running
        statistics. True: as in a step of training, with noise and statistics of these rows.
    seed : int
        Of the noise in training, and of a `Network`'s first weights.
    loss : str, mapping or Loss
        Of a `Network`; default: the squared error. Estimators have their own.
    theta : ndarray of shape (layout.size,), or mapping of str to array-like
        Of a `Network`: θ, or some parameters by full name; what is not given is drawn.
    state : ndarray, shape (state_layout.size,)
        Of a `Network`; default: what its links learn from X before training.

    Returns
    -------
    Trace
        In float64, whatever the model's dtype. J is the loss alone; the penalties `alpha` and `l1_ratio` are not in it.

    Raises
    ------
    ValueError, ShapeError
        If X and y are not such as the network takes.
    TypeError
        If there is no network in `model`.

    Examples
    --------
    >>> from modnet import ModNetRegressor, trace
    >>> X, y = [[0.5, -1.0], [1.0, 2.0], [-1.5, 0.0]], [1.0, 2.0, 0.0]
    >>> t = trace(ModNetRegressor(layers=(3,), activation="tanh", random_state=0), X, y)
    >>> bool(np.allclose(t["z2"], t["a1"] @ t["W2"] + t["b2"]))
    True
    >>> bool(np.allclose(t.d["z1"], t.d["z2"] @ t["W2"].T * (1 - t["a1"] ** 2)))
    True
    >>> t.check().wrong
    ()
    """
    if isinstance(model, Network):
        network = model
        loss = parse(Slot("loss"), "squared_error" if loss is None else loss, subject="trace", path="loss")
        data = _rows(network, loss, X, y, sample_weight)
        own, own_state = network.initialize(np.random.default_rng(seed))
        if theta is not None:
            network.assign(own, own_state, theta)
        if state is None:
            adapt(network, own, own_state, data.x, data.weight)
        elif np.shape(state) == own_state.shape:
            own_state[...] = state
        else:
            raise ShapeError(f"state: should have shape {own_state.shape}, got {np.shape(state)}")
        return Trace(network, loss, own, own_state, data, training=training, seed=seed)
    if not (loss is theta is state is None):
        raise TypeError(f"loss, theta and state belong to a Network; {type(model).__name__} has its own")
    net, X, truth = network_of(model, X, y)
    if y is None and truth is not X:
        raise ValueError(f"y: {type(net).__name__} is measured against a truth, and none was given")
    if hasattr(net, "theta_"):
        sample = prepared(net, X, truth, sample_weight)
    else:
        net, sample = with_first_weights(net, X, truth, sample_weight)
    given, weight = sample.data, sample.data.weight
    t = given.t.astype(float) if given.t.dtype.kind == "f" else given.t  # codes of classes stay what they are
    data = Data(_numbers(given.x), t, None if weight is None else weight.astype(float))
    vectors = net.theta_.astype(float), net.state_.astype(float)
    return Trace(net.network_, loss_of(net), *vectors, data, training=training, seed=seed)


def _rows(network: Network, loss: Loss, X: Any, y: Any, sample_weight: Any) -> Data:
    """Return rows for a network that is no estimator's, and their truth as the loss takes it."""
    x = _numbers(X)
    if x.shape[1:] != network.input_shape or not len(x):
        raise ShapeError(f"X: should have shape {('n', *network.input_shape)} with n ≥ 1, got {x.shape}")
    t, width = x if y is None else np.asarray(y), network.output_shape[-1]
    if t.dtype.kind not in "biuf":
        raise ValueError(f"y: a Network has no labels: give its loss numbers, such as codes 0, 1, …; got {t.dtype}")
    if loss.for_task("regression") is not None:
        t = t.astype(float).reshape(-1, 1) if t.ndim == 1 else t.astype(float)
        if t.ndim == 2 and loss.width(t.shape[1]) != width:
            raise ShapeError(f"y: {t.shape[1]} per row ask for a raw output of {loss.width(t.shape[1])}, got {width}")
    elif t.ndim == 1 and t.dtype.kind in "iu" and len(t) and not 0 <= t.min() <= t.max() < width:
        raise ValueError(f"y: codes of {width} classes are 0 to {width - 1}, got {t.min()} to {t.max()}")
    weight = None if sample_weight is None else np.asarray(sample_weight, float)
    for name, array in (("y", t), ("sample_weight", weight)):
        if array is not None and array.shape[:1] != x.shape[:1]:
            raise ShapeError(f"{name}: should have {len(x)} rows, as X has, got shape {array.shape}")
    loss.check_truth(t)
    return Data(x, t, weight)


def _numbers(X: Any) -> Array:
    """Return rows as a dense array of float64."""
    return np.array(X.toarray() if sparse.issparse(X) else X, float)
