"""Model files name their parameters: another order is put right, what does not match is refused by name."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.distributions import Site
from support.model_files import NAMES, X, classifier, forge, header_of

from modnet.errors import InvalidSpecError, ModelFileError
from modnet.estimators.persistence import load, save
from modnet.testing import registered_examples
from modnet.testing.components import uses

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MIXED = '''
import numpy as np
from modnet import Module, Parameter
from modnet.initializers import GlorotUniform, Zeros

ORDER = "VW"
SHAPES = {}

class Mixed(Module):
    """Two matrices of one shape, and a mean of what came: y = x V + tanh(x) W."""

    def output_shape(self, input_shape):
        return input_shape

    def parameters(self, input_shape):
        n = input_shape[-1]
        state = {name: Parameter((1, n), Zeros(), trainable=False) for name in ORDER.lower()}
        return {name: Parameter(SHAPES.get(name, (n, n)), GlorotUniform()) for name in ORDER} | state

    def forward(self, ctx, x):
        if ctx.training:
            ctx.s.v[...] = x.mean(axis=0)
            ctx.s.w[...] = -1
        return x @ ctx.p.V + np.tanh(x) @ ctx.p.W + ctx.s.v

    def grad_params(self, ctx, dy):
        ctx.g.V[...], ctx.g.W[...] = ctx.x.T @ dy, np.tanh(ctx.x).T @ dy

    def grad_input(self, ctx, dy):
        return dy @ ctx.p.V.T + (dy @ ctx.p.W.T) * (1 - np.tanh(ctx.x) ** 2)
'''
LAYERS = (5, "mixed")


@pytest.fixture
def acme(site: Site) -> Any:
    """The module of an installed plugin, whose layer has the order and the shapes that it says."""
    site.install("acme-layers", modules={"acme": MIXED}, entry_points={"modnet.layers": {"mixed": "acme:Mixed"}})
    return importlib.import_module("acme")


def test_a_layer_that_names_its_parameters_in_another_order_predicts_and_goes_on_the_same(acme: Any, file: Path):
    model = classifier(layers=LAYERS, optimizer={"type": "adam", "ema": 0.9}).fit(X, NAMES)
    save(model, file)
    acme.ORDER = "WV"
    again = load(file)
    places = [each.network_.layout.places["layers[1].V"].start for each in (model, again)]
    assert places[0] != places[1]
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    acme.ORDER = "VW"
    model.partial_fit(X, NAMES)
    acme.ORDER = "WV"
    again.partial_fit(X, NAMES)
    for name, value in model.network_.parameters(model.theta_).items():
        np.testing.assert_allclose(again.network_.parameters(again.theta_)[name], value, rtol=1e-12)


def test_first_fits_are_equal_whatever_the_order_of_parameters(acme: Any):
    found = []
    for acme.ORDER in ("VW", "WV"):
        found.append(classifier(layers=LAYERS).fit(X, NAMES).predict_proba(X))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


def test_parameters_that_are_missing_or_misshapen_are_named(acme: Any, file: Path):
    save(classifier(layers=LAYERS).fit(X, NAMES), file)
    acme.ORDER = "VWU"
    with pytest.raises(ModelFileError, match=r"layers\[1\]\.U: none in the file, shape \(5, 5\) in the network"):
        load(file)
    acme.ORDER = "V"
    with pytest.raises(ModelFileError, match=r"layers\[1\]\.W: shape \(5, 5\) in the file, none in the network"):
        load(file)
    acme.ORDER, acme.SHAPES = "VW", {"W": (1, 25)}
    with pytest.raises(ModelFileError, match=r"layers\[1\]\.W: shape \(5, 5\) in the file, shape \(1, 25\) in the"):
        load(file)


@pytest.mark.parametrize("where", ["parameters", "state"])
@pytest.mark.parametrize(
    "change",
    [
        lambda written: written.append(["layers[7].W", [2]]),
        lambda written: written.pop(),
        lambda written: written.append(written[0]),
        lambda written: written[0].append(1),
        lambda written: written[0][1].append(1),
        lambda written: written[0].__setitem__(1, [10**30]),
        lambda written: written[0].__setitem__(1, [-length for length in written[0][1]]),
        lambda written: written[0].__setitem__(1, [str(length) for length in written[0][1]]),
        lambda written: written[0].__setitem__(1, [float(length) for length in written[0][1]]),
        lambda written: written[0].__setitem__(0, None),
        lambda written: written[0].__setitem__(0, ["W"]),
    ],
)
def test_names_and_shapes_that_are_none_are_refused(file: Path, where: str, change: Any):
    save(classifier(layers=(5, "batch_norm")).fit(X, NAMES), file)
    with pytest.raises(ModelFileError):
        load(forge(file, lambda header: change(header[where])))


def test_the_version_that_wrote_a_file_is_the_oldest_that_reads_it(site: Site, file: Path):
    site.wobble("acme-layers", "acme")
    save(classifier(layers=(4, "wobble")).fit(X, NAMES), file)
    load(forge(file, lambda header: header["requires"].update({"acme-layers": "0.9"})))
    forge(file, lambda header: header["requires"].update({"acme-layers": "2.0"}))
    with pytest.raises(InvalidSpecError, match=r"acme-layers: version 2\.0 was used, 1\.2 is installed: upgrade it"):
        load(file)


def test_a_file_says_what_is_in_its_vectors(saved: Path):
    header = header_of(saved)
    assert header["parameters"] == [
        ["layers[0].W", [4, 6]],
        ["output.W", [6, 3]],
        ["layers[0].b", [1, 6]],
        ["output.b", [1, 3]],
    ]
    assert header["state"] == []


COMPONENTS = {f"{each.kind}-{each!r}": each for each in registered_examples("modnet-layers")}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_predicts_what_it_did_to_the_last_bit(name: str, file: Path):
    for estimator, _, rows, y in uses(COMPONENTS[name]):
        model = estimator.fit(rows, y)
        save(model, file)
        again = load(file)
        np.testing.assert_array_equal(again.predict(rows), model.predict(rows))
        assert again.spec_ == model.spec_
