"""The registry against real distributions: what it finds, what it imports for that, and names given by hand."""

import importlib.metadata
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from support.distributions import WOBBLE, Site, run_python

from modnet import Activation, Component, ModelSpec, Module, register
from modnet.errors import AmbiguousComponentError, RegistryError, UnknownComponentError, WrongKindError
from modnet.layers import Dense
from modnet.registry import Registry, registry

# Looking up


def test_an_installed_plugin_is_found_by_its_name(site: Site):
    site.wobble("acme-layers", "acme")
    assert registry.get("activation", "wobble") is sys.modules["acme"].Wobble
    assert Dense(3, activation={"type": "wobble", "slope": 2}).activation.slope == 2.0


def test_a_plugin_that_appears_later_is_seen_after_refresh(site: Site):
    with pytest.raises(UnknownComponentError):
        registry.get("activation", "wobble")
    site.wobble("acme-layers", "acme")
    assert Dense(3, activation="wobble").activation == registry.get("activation", "wobble")()


def test_names_and_entries_import_nothing(site: Site):
    site.install(
        "acme-layers", modules={"acme": "raise SystemExit"}, entry_points={"modnet.activations": {"wobble": "acme:X"}}
    )
    assert "wobble" in registry.names("activation")
    (entry,) = (entry for entry in registry.entries("activation") if entry.name == "wobble")
    assert (entry.distribution, entry.version, entry.value) == ("acme-layers", "1.2", "acme:X")
    assert "acme" not in sys.modules


def test_looking_up_one_name_imports_exactly_one_plugin(site: Site):
    points = {"modnet.activations": {"first": "acme_first:Wobble", "second": "acme_second:Wobble"}}
    site.install("acme-layers", modules={"acme_first": WOBBLE, "acme_second": WOBBLE}, entry_points=points)
    site.wobble("other", "acme_other", name="third")
    registry.get("activation", "first")
    assert {name for name in sys.modules if name.startswith("acme")} == {"acme_first"}


def test_one_scan_serves_all_lookups_until_refresh(monkeypatch: pytest.MonkeyPatch):
    scans, scan = [], importlib.metadata.entry_points
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda *args, **kwargs: scans.append(1) or scan(*args, **kwargs)
    )
    for expected in (1, 2):
        registry.refresh()
        Dense(3, "relu")
        registry.names("loss"), registry.entries(), registry.name_of(Dense)
        with pytest.raises(UnknownComponentError):
            registry.get("activation", "rulu")
        assert len(scans) == expected


def test_names_are_sorted_and_unique():
    assert {"layer", "activation", "loss", "optimizer", "schedule", "initializer"} <= set(registry.kinds)
    for kind in registry.kinds:
        names = registry.names(kind)
        assert list(names) == sorted(set(names))


def test_of_several_kinds_the_first_that_has_the_name_is_taken(site: Site):
    assert registry.get(("layer", "activation"), "relu").kind == "activation"
    assert registry.get(("layer", "activation"), "dense") is Dense


def test_a_class_is_found_by_the_name_of_its_reexport(site: Site):
    points = {"modnet.activations": {"wobble": "acme:Wobble"}}
    modules = {"acme": "from acme_inside import Wobble", "acme_inside": WOBBLE}
    site.install("acme-layers", modules=modules, entry_points=points)
    assert registry.name_of(registry.get("activation", "wobble")) == "acme-layers:wobble"


def test_a_reexported_class_is_found_though_nobody_looked_it_up(site: Site):
    package = site.root / "acme_pack"
    package.mkdir()
    (package / "_wobble.py").write_text(WOBBLE)
    (package / "__init__.py").write_text("from acme_pack._wobble import Wobble")
    site.install("acme-pack", entry_points={"modnet.activations": {"wobble": "acme_pack:Wobble"}})
    from acme_pack import Wobble

    assert registry.name_of(Wobble) == "acme-pack:wobble"
    assert registry.entry_of(Wobble).distribution == "acme-pack"


def test_a_class_that_nobody_offers_has_no_name():
    class Nameless(Activation):
        f = df = lambda self, *args, **kwargs: None

    assert registry.name_of(Nameless) is None
    assert registry.name_of(int) is None


# Two distributions, one name


@pytest.fixture
def rivals(site: Site) -> Site:
    site.wobble("acme-layers", "acme")
    site.wobble("Zeta.Layers", "zeta", version="3.0")
    return site


def test_two_claims_to_a_name_are_an_error_only_when_it_is_used(rivals: Site):
    assert registry.get("activation", "relu").__name__ == "ReLU"
    assert "wobble" in registry.names("activation")
    with pytest.raises(AmbiguousComponentError) as error:
        registry.get("activation", "wobble")
    for part in ("acme-layers 1.2", "Zeta.Layers 3.0", "'acme-layers:wobble'", "'Zeta.Layers:wobble'"):
        assert part in str(error.value)
    assert not {"acme", "zeta"} & set(sys.modules)


@pytest.mark.parametrize(
    "spelling", ["Zeta.Layers:wobble", "zeta-layers:wobble", "zeta_layers:wobble", "ZETA--layers:wobble"]
)
def test_a_qualified_name_is_compared_as_pep_503_says(rivals: Site, spelling: str):
    assert registry.get("activation", spelling).__module__ == "zeta"
    assert registry.get("activation", "acme-layers:wobble").__module__ == "acme"


def test_a_class_whose_name_is_contested_is_written_with_its_distribution(rivals: Site):
    spec = ModelSpec(layers=["zeta-layers:wobble", "acme-layers:wobble"])
    assert [layer["type"] for layer in spec.to_dict()["layers"]] == ["Zeta.Layers:wobble", "acme-layers:wobble"]
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert spec.requires["Zeta.Layers"] == "3.0"


def test_the_same_class_offered_twice_is_no_conflict(site: Site):
    site.wobble("acme-layers", "acme")
    site.install("acme-meta", entry_points={"modnet.activations": {"wobble": "acme:Wobble"}})
    assert registry.name_of(registry.get("activation", "wobble")) == "acme-layers:wobble"


# Names given by hand


class Ramp(Activation):
    """Offered by no distribution."""

    def f(self, z, *, out=None):
        return z

    def df(self, z, a, da, *, out=None):
        return da


def test_register_is_a_decorator_that_returns_the_class(book: Registry):
    @register
    class HardRamp(Ramp):
        pass

    assert registry.get("activation", "hard_ramp") is HardRamp
    assert registry.name_of(HardRamp) == "hard_ramp"
    assert "hard_ramp" in registry.names("activation")
    assert ModelSpec(layers=[HardRamp()]).requires.keys() == {"modnet-layers"}


def test_register_takes_a_name(book: Registry):
    assert register(Ramp, "my_ramp") is Ramp
    assert Dense(2, activation="my_ramp").activation == Ramp()
    assert "ramp" not in registry.names("activation")


def test_a_name_given_by_hand_changes_its_class_only_on_request(book: Registry):
    class Other(Ramp):
        pass

    register(Ramp)
    register(Ramp)  # running a notebook's cell again
    with pytest.raises(RegistryError, match=r"'ramp' is taken.*override=True"):
        register(Other, "ramp")
    register(Other, "ramp", override=True)
    assert registry.get("activation", "ramp") is Other
    assert registry.name_of(Ramp) is None


def test_the_name_of_an_installed_plugin_cannot_be_taken(book: Registry):
    for override in (False, True):
        with pytest.raises(RegistryError, match=r"'relu' is taken: .*modnet-layers.*choose another name"):
            register(Ramp, "relu", override=override)


def test_names_survive_a_refresh(book: Registry):
    register(Ramp)
    registry.refresh()
    assert registry.get("activation", "ramp") is Ramp


def test_every_way_out_that_an_ambiguity_offers_works(book: Registry, site: Site):
    register(type("Wobble", (Ramp,), {"__module__": __name__}))
    site.wobble("acme-layers", "acme")
    with pytest.raises(AmbiguousComponentError) as error:
        registry.get("activation", "wobble")
    choices = str(error.value).rpartition("Write ")[2].rstrip(".").split(" or ")
    found = {registry.get("activation", choice.strip("'")).__module__ for choice in choices}
    assert found == {"acme", __name__}


@pytest.mark.parametrize("name", ["Ramp", "my-ramp", "2ramp", "", "a:b", "ramp "])
def test_a_name_is_snake_case(book: Registry, name: str):
    with pytest.raises(RegistryError, match="snake_case"):
        register(Ramp, name)


def test_an_abstract_class_cannot_be_registered(book: Registry):
    class Half(Activation):
        def f(self, z, *, out=None):
            return z

    with pytest.raises(WrongKindError, match="abstract: it still has to define df"):
        register(Half)


@pytest.mark.parametrize("thing", [int, Component, "relu", Ramp(), len])
def test_only_component_classes_can_be_registered(book: Registry, thing):
    with pytest.raises(WrongKindError, match="subclass of Module, Activation, Loss"):
        register(thing)


@pytest.mark.parametrize("base", [Module, Activation])
def test_the_bases_themselves_cannot_be_registered(book: Registry, base):
    with pytest.raises(WrongKindError, match="abstract"):
        register(base)


# Threads and processes


def test_eight_threads_get_the_same_class_from_one_import(site: Site):
    slow = f"import time\ntime.sleep(0.05)\nimport acme_log; acme_log.runs.append(1)\n{WOBBLE}"
    points = {"modnet.activations": {"wobble": "acme:Wobble"}}
    site.install("acme-layers", modules={"acme": slow, "acme_log": "runs = []"}, entry_points=points)
    barrier = Barrier(8)

    def look_up(_):
        barrier.wait()
        return registry.get("activation", "wobble")

    with ThreadPoolExecutor(8) as pool:
        classes = set(pool.map(look_up, range(8)))
    assert len(classes) == 1
    assert sys.modules["acme_log"].runs == [1]


def test_lookups_and_refreshes_in_threads_do_not_disturb_each_other(monkeypatch: pytest.MonkeyPatch):
    found = importlib.metadata.entry_points()
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda: found)  # a scan would leave few chances to collide
    interval, until = sys.getswitchinterval(), time.monotonic() + 0.5
    sys.setswitchinterval(1e-6)

    def work(index: int):
        while time.monotonic() < until:
            if index == 0:
                registry.refresh()
            assert registry.get("activation", "relu").__name__ == "ReLU"

    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
    finally:
        sys.setswitchinterval(interval)


def test_eight_threads_may_register_what_they_like(book: Registry):
    def work(index: int):
        for round_ in range(20):
            cls = register(type(f"R{round_}", (Ramp,), {}), f"thread_{index}", override=True)
            assert registry.get("activation", f"thread_{index}") is cls
            assert registry.name_of(cls) == f"thread_{index}"

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert {f"thread_{index}" for index in range(8)} <= set(registry.names("activation"))


def test_importing_modnet_scans_nothing_and_imports_no_plugin():
    code = """
import importlib.metadata, sys
import pydantic
pydantic.TypeAdapter(int)  # Pydantic scans for plugins of its own, once
def scan(*args, **kwargs): raise AssertionError("scanned")
importlib.metadata.entry_points = importlib.metadata.distributions = scan
import modnet
print(*{name.partition(".")[0] for name in sys.modules} & {"modnet_standard", "sklearn", "scipy", "pandas"})
"""
    assert run_python(code) == ""
