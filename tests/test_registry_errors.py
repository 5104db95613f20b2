"""What the registry says when a name leads nowhere or to something that is no component; nothing else breaks."""

import importlib.metadata
import re
import shutil
import sys
import warnings
from pathlib import Path

import pytest
from support.distributions import WOBBLE, Site

from modnet.acceleration import installed_accelerator
from modnet.entries import group_of
from modnet.errors import BrokenPluginError, InvalidSpecError, UnknownComponentError, WrongKindError
from modnet.layers import BatchNorm, Dense, Dropout, Embedding
from modnet.losses import CrossEntropy, Quantile
from modnet.optimizers import LBFGS, SGD, Adam, RMSprop
from modnet.registry import registry
from modnet.slot import Slot, parse
from modnet.spec import ModelSpec
from modnet.training import TrainingSettings

# Unknown


@pytest.mark.parametrize(
    ("kind", "brought", "ours"),
    [
        ("activation", "swish", "silu"),
        ("activation", "linear", "identity"),
        (("activation", "layer"), "linear", "identity"),
        ("activation", "hardtanh", "hard_tanh"),
        ("activation", "relu_6", "relu6"),
        ("activation", "SiLU", "silu"),
        ("layer", "BatchNorm1d", "batch_norm"),
        ("layer", "LayerNormalization", "layer_norm"),
        ("layer", "Linear", "dense"),
        ("layer", "GLU", "gated_linear"),
        (("layer", "activation"), "linear", "dense"),
        ("activation", "logistic", "sigmoid"),
        ("activation", "ReLU", "relu"),
        ("activation", "LeakyReLU", "leaky_relu"),
        ("loss", "log_loss", "cross_entropy"),
        ("loss", "bce", "cross_entropy"),
        ("loss", "mse", "squared_error"),
        ("loss", "mae", "absolute_error"),
        ("loss", "pinball", "quantile"),
        ("loss", "MSELoss", "squared_error"),
        ("loss", "mean_squared_error", "squared_error"),
        ("loss", "L1Loss", "absolute_error"),
        ("loss", "SmoothL1Loss", "huber"),
        ("loss", "BCEWithLogitsLoss", "cross_entropy"),
        ("loss", "sparse_categorical_crossentropy", "cross_entropy"),
        ("loss", "GaussianNLLLoss", "gaussian_nll"),
        ("schedule", "CosineAnnealingLR", "cosine"),
        ("schedule", "ReduceLROnPlateau", "plateau"),
        (("optimizer", "solver"), "L-BFGS-B", "lbfgs"),
        ("optimizer", "nesterov", "sgd"),
        ("initializer", "RandomNormal", "normal"),
        ("initializer", "kaiming_normal", "he_normal"),
        ("constraint", "MaxNorm", "max_norm"),
        ("optimizer", "ADAM", "adam"),
        ("optimizer", "adma", "adam"),
        ("initializer", "glorot", "glorot_uniform"),
        ("layer", "LazyLinear", "dense"),
        ("optimizer", "SparseAdam", "adam"),
    ],
)
def test_the_names_that_people_bring_lead_home(kind: str, brought: str, ours: str):
    with pytest.raises(UnknownComponentError, match=f"'{brought}'; did you mean '{ours}'"):
        registry.get(kind, brought)


@pytest.mark.parametrize(
    ("make", "ours"),
    [
        (lambda: Adam(lr=0.1), "learning_rate"),
        (lambda: Adam(eps=0.1), "epsilon"),
        (lambda: Dropout(p=0.1), "rate"),
        (lambda: Dense(out_features=3), "units"),
        (lambda: Dense(3, bias=False), "use_bias"),
        (lambda: TrainingSettings(epochs=3), "max_iter"),
        (lambda: Adam(momentum=0.9), "beta_1"),
        (lambda: SGD(decay=0.1), "schedule"),
        (lambda: RMSprop(alpha=0.9), "rho"),
        (lambda: Quantile(alpha=0.9), "quantiles"),
        (lambda: Embedding(embedding_dim=3), "units"),
        (lambda: Embedding(num_embeddings=3), "categories"),
        (lambda: BatchNorm(center=False), "use_bias"),
        (lambda: ModelSpec(hidden_layer_sizes=(3,)), "layers"),
    ],
)
def test_the_fields_that_people_bring_lead_home(make, ours: str):
    with pytest.raises(InvalidSpecError, match=f"did you mean '{ours}'"):
        make()


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (
            lambda: Dense(3, kernel_regularizer="l2"),
            "alpha= and l1_ratio= of an estimator penalize weights, and weight_",
        ),
        (lambda: Dense(3, bias_regularizer="l2"), "alpha= and l1_ratio="),
        (lambda: Dense(3, weight_decay=0.1), "weight_decay= of an optimizer"),
        (lambda: Dense(3, bias_constraint="max_norm"), "constraints are of weights"),
        (lambda: Dense(3, input_dim=2), "X and y say"),
        (lambda: Dense(3, dropout=0.1), "a layer of its own"),
        (lambda: Dense(3, trainable=False), "groups= of an optimizer"),
        (lambda: Dropout(0.1, seed=3), "random_state= of an estimator"),
        (lambda: CrossEntropy(from_logits=True), "losses take the raw output"),
        (lambda: CrossEntropy(class_weight={}), "class_weight= of a classifier"),
        (lambda: LBFGS(max_iter=3), "max_iter= and tol= are an estimator's"),
        (lambda: ModelSpec(max_iter=3), "in the training= of a spec"),
        (lambda: parse(Slot("layer"), {"type": "dropout", "seed": 3}, subject="x"), "random_state= of an estimator"),
    ],
)
def test_what_is_no_field_of_a_component_is_told_who_takes_it(make, where: str):
    with pytest.raises(InvalidSpecError) as error:
        make()
    assert where in str(error.value)
    assert "did you mean" not in str(error.value)


def test_an_unknown_name_is_answered_with_the_nearest_and_what_lists_all():
    with pytest.raises(UnknownComponentError) as error:
        registry.get("activation", "rulu")
    text = str(error.value)
    assert text.startswith("unknown activation 'rulu'; did you mean 'relu'?")
    assert f"`modnet components activation` lists all {len(registry.names('activation'))}" in text
    assert sum(name in text for name in registry.names("activation")) <= 11
    assert "from entry points in modnet.activations" in text


def test_where_nothing_is_near_the_ways_to_a_name_are_told():
    with pytest.raises(UnknownComponentError) as error:
        registry.get("loss", "qqqqqq")
    text = str(error.value)
    assert "did you mean" not in text
    assert '[project.entry-points."modnet.losses"]' in text
    assert "install the plugin" in text
    assert "pass instances to joblib's workers" in text


@pytest.mark.parametrize(
    ("kind", "name", "hint"),
    [
        ("activation", "adam", "there is an optimizer of that name"),
        ("layer", "squared_error", "there is a loss of that name"),
        ("loss", "tanh", "there is an activation of that name"),
    ],
)
def test_a_name_of_another_kind_is_pointed_out(kind: str, name: str, hint: str):
    with pytest.raises(UnknownComponentError, match=hint):
        registry.get(kind, name)


def test_an_unknown_distribution_is_answered_with_qualified_names(site: Site):
    site.wobble("acme-layers", "acme")
    with pytest.raises(UnknownComponentError, match="did you mean 'acme-layers:wobble'"):
        registry.get("activation", "acme-layer:wobble")


@pytest.mark.parametrize("name", ["", ":", "relu:", ":relu:", "ReLU", "relu ", "os:system", "modnet-layers:relu:x"])
def test_what_looks_like_a_path_or_has_other_case_is_just_unknown(name: str):
    with pytest.raises(UnknownComponentError):
        registry.get("activation", name)


def test_a_name_in_a_component_is_answered_with_its_place_and_the_same_words():
    said = r"Dense: activation: unknown activation or layer 'rulu'; did you mean"
    with pytest.raises(InvalidSpecError, match=said) as error:
        Dense(3, activation="rulu")
    assert isinstance(error.value.__cause__, UnknownComponentError)


def test_a_name_whose_entry_point_line_is_deleted_is_unknown(site: Site):
    installed = importlib.metadata.distribution("modnet-layers")
    info = site.root / "modnet_layers-0.1.0.dist-info"
    shutil.copytree(Path(str(installed._path)), info)
    lines = (info / "entry_points.txt").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("relu ")]
    assert len(kept) == len(lines) - 1
    (info / "entry_points.txt").write_text("".join(kept))

    printed = site.python("""
from modnet.layers import Dense
from modnet.registry import registry
print(registry.get("activation", "tanh").__name__)
print(*registry.names("activation"))
try:
    Dense(3, activation="relu")
except ValueError as error:
    print(type(error.__cause__).__name__, error)
""")
    tanh, known, error = printed.splitlines()
    assert tanh == "Tanh"
    assert error.startswith("UnknownComponentError Dense: activation: unknown activation or layer 'relu'")
    assert set(known.split()) == set(registry.names("activation")) - {"relu"}


# Broken

BROKEN = "import acme_count\nacme_count.runs.append(1)\nimport a_library_that_is_not_there\n"


@pytest.fixture
def broken(site: Site) -> Site:
    points = {"modnet.activations": {"wobble": "acme:Wobble", "good": "acme_good:Wobble"}}
    modules = {"acme": BROKEN, "acme_good": WOBBLE, "acme_count": "runs = []"}
    site.install("acme-layers", modules=modules, entry_points=points, version="0.3")
    return site


def test_a_plugin_that_fails_to_import_is_named_with_its_cause(broken: Site):
    with pytest.raises(BrokenPluginError) as error:
        registry.get("activation", "wobble")
    for part in ("'wobble'", "acme-layers 0.3", "acme:Wobble", "ModuleNotFoundError", "a_library_that_is_not_there"):
        assert part in str(error.value)
    assert isinstance(error.value.__cause__, ModuleNotFoundError)


@pytest.mark.parametrize(
    "source", ["raise SystemExit(3)", "raise KeyboardInterrupt", "raise GeneratorExit", "raise BaseException('no')"]
)
def test_a_plugin_takes_nobody_along_whatever_it_raises(site: Site, source: str):
    points = {"modnet.activations": {"leaving": "leaving:Leaving"}, "modnet.accelerators": {"a": "leaving:A"}}
    site.install("leaving", modules={"leaving": source}, entry_points=points)
    with pytest.raises(BrokenPluginError, match=f"failed to import: {re.split('[ (]', source)[1]}"):
        registry.get("activation", "leaving")
    with pytest.warns(RuntimeWarning, match="goes on without it: accelerator 'a' from leaving 1.2"):
        installed_accelerator()
    with warnings.catch_warnings(action="error"):
        installed_accelerator()


def test_a_ctrl_c_while_a_plugin_is_imported_goes_on(site: Site):
    source = f"import signal\nsignal.raise_signal(signal.SIGINT)\n{WOBBLE}"
    points = {"modnet.activations": {"slow": "slow:Wobble"}}
    site.install("slow", modules={"slow": source}, entry_points=points)
    with pytest.raises(KeyboardInterrupt):
        registry.get("activation", "slow")
    (site.root / "slow.py").write_text(WOBBLE)
    importlib.invalidate_caches()
    assert registry.get("activation", "slow").__name__ == "Wobble"


def test_other_names_keep_working_beside_a_broken_plugin(broken: Site):
    with pytest.raises(BrokenPluginError):
        registry.get("activation", "wobble")
    assert registry.get("activation", "relu").__name__ == "ReLU"
    assert registry.get("activation", "good").__module__ == "acme_good"
    assert "wobble" in registry.names("activation")
    assert registry.name_of(registry.get("activation", "good")) == "acme-layers:good"
    with pytest.raises(UnknownComponentError):
        registry.get("activation", "wabble")


def test_a_failure_is_remembered_until_refresh(broken: Site):
    for _ in range(3):
        with pytest.raises(BrokenPluginError):
            registry.get("activation", "wobble")
    assert sys.modules["acme_count"].runs == [1]
    (broken.root / "acme.py").write_text(WOBBLE)
    broken.refresh()
    assert registry.get("activation", "wobble").__module__ == "acme"


def test_a_broken_plugin_in_a_spec_is_reported_with_its_place(broken: Site):
    with pytest.raises(
        InvalidSpecError, match=r"activation: activation 'wobble' from acme-layers 0.3 .* failed"
    ) as error:
        Dense(3, activation="wobble")
    assert isinstance(error.value.__cause__, BrokenPluginError)


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("acme_good:Wabble", AttributeError),
        ("acme_nowhere:Wobble", ModuleNotFoundError),
        ("acme_syntax:X", SyntaxError),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_a_broken_plugin(site: Site, value: str, cause: type):
    modules = {"acme_good": WOBBLE, "acme_syntax": "class :"}
    site.install("acme-layers", modules=modules, entry_points={"modnet.activations": {"wobble": value}})
    with pytest.raises(BrokenPluginError, match=r"acme-layers 1\.2") as error:
        registry.get("activation", "wobble")
    assert isinstance(error.value.__cause__, cause)


# Of the wrong kind

ODD = (
    WOBBLE
    + """
from modnet import Loss, Module

class Half(Loss):
    def value(self, t, raw, *, weight=None):
        return 0.0

def function(z):
    return z

thing = 3
"""
)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (
            "layer",
            "acme:function",
            r"acme-layers 1.2 \(acme:function\) is <function function.*not derive from modnet.Module",
        ),
        ("layer", "acme:thing", "is 3, which does not derive from modnet.Module"),
        ("layer", "acme:Half", "is Half, which does not derive from modnet.Module"),
        ("layer", "acme:np.ndarray", "is ndarray, which does not derive from modnet.Module"),
        ("loss", "acme:Wobble", "is Wobble, which does not derive from modnet.Loss"),
        ("loss", "acme:Half", "is abstract: it still has to define for_task, predict, value_and_gradient"),
        ("loss", "acme:Loss", "is abstract: it still has to define for_task, predict, value_and_gradient"),
        ("layer", "acme:Wobble", "is of kind 'activation': register it under modnet.activations"),
    ],
)
def test_what_is_no_concrete_class_of_the_kind_is_refused(site: Site, kind: str, value: str, words: str):
    site.install("acme-layers", modules={"acme": ODD}, entry_points={group_of(kind): {"odd": value}})
    for _ in range(2):
        with pytest.raises(WrongKindError, match=words):
            registry.get(kind, "odd")
    assert registry.get("activation", "relu").__name__ == "ReLU"
