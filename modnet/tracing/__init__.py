"""Backpropagation made visible: `trace` returns every quantity of one pass through a network, forward and backward."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _check_sample_weight

from modnet.base import Loss
from modnet.base.loss import Task
from modnet.diagnosis.model import network_of
from modnet.errors import ShapeError
from modnet.estimators.parameters import loss_of
from modnet.estimators.preparation import prepared, scaled, with_first_weights
from modnet.network import Network
from modnet.network.trial import adapt
from modnet.slot import Slot, parse
from modnet.strict import checked, truth, whole
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
        As for `fit`; for a `Network` numbers, of classes their codes 0, 1, … None: X, for an autoencoder.
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
        Of a `Network`: θ, or some parameters by full name, or what a link notes of the data, such as its running mean;
        what is not given is drawn, or noted of X.

    Returns
    -------
    Trace
        In float64, whatever the model's dtype. J is the loss alone; the penalties `alpha` and `l1_ratio` are not in it.
        y and ŷ are numbers as the loss sees them: in their own scale (`scale_target`), not in the user's units.

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
    seed, training = checked(whole, "seed", seed), checked(truth, "training", training)
    if isinstance(model, Network):
        loss = parse(Slot("loss"), "squared_error" if loss is None else loss, subject="trace", path="loss")
        loss, data = _rows(model, loss, X, y, sample_weight)
        own, state = model.initialize(np.random.default_rng(seed))
        adapt(model, own, state, data.x, data.weight)
        if theta is not None:
            model.assign(own, state, theta)
        return Trace(model, loss, own, state, data, training=training, seed=seed)
    if not (loss is theta is None):
        raise TypeError(f"loss and theta belong to a Network; {type(model).__name__} has its own")
    net, X, target = network_of(model, X, y)
    if y is None and target is not X:
        raise ValueError(f"y: {type(net).__name__} is measured against a truth, and none was given")
    if hasattr(net, "theta_"):
        data = scaled(net, prepared(net, X, target, sample_weight)).data
    else:
        net, sample = with_first_weights(net, X, target, sample_weight)
        data = sample.data
    return Trace(net.network_, loss_of(net), net.theta_, net.state_, data, training=training, seed=seed)


def _rows(network: Network, loss: Loss, X: Any, y: Any, sample_weight: Any) -> tuple[Loss, Data]:
    """Return a loss set up for the rows of a network that is no estimator's, and the rows."""
    x, width = np.asarray(X.toarray() if sparse.issparse(X) else X, float), network.output_shape[-1]
    if x.shape[1:] != network.input_shape or not len(x):
        raise ShapeError(f"X: should have shape {('n', *network.input_shape)} with n ≥ 1, got {x.shape}")
    t = x if y is None else np.asarray(y)
    if t.dtype.kind not in "biuf":
        raise ValueError(f"y: a Network has no labels: give its loss numbers, such as codes 0, 1, …; got {t.dtype}")
    check_consistent_length(x, t)
    task: Task = "multiclass" if t.ndim == 1 < width else "binary" if width == 1 else "multilabel"
    ready = loss.for_task("regression")
    if ready is None and (ready := loss.for_task(task)) is None:
        raise ValueError(f"loss={loss!r} serves neither regression nor {task}, which y and {width} columns ask for")
    if ready.for_task("regression") is None and task == "multiclass":
        if not 0 <= t.min() <= t.max() < width:
            raise ValueError(f"y: codes of {width} classes are 0 to {width - 1}, got {t.min()} to {t.max()}")
    else:
        t = t.astype(float).reshape(*t.shape[:1], *(t.shape[1:] or (1,)))
        if (asked := ready.width(t.shape[-1])) != width:
            raise ShapeError(f"y: {t.shape[-1]} per row ask for a raw output of {asked}, got {width}")
    ready.check_truth(t)
    if sample_weight is None:
        return ready, Data(x, t)
    weight = _check_sample_weight(sample_weight, x, dtype=float, ensure_non_negative=True)
    return ready, Data(x, t, weight).take(np.flatnonzero(weight))
