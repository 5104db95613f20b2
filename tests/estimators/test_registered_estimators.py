"""Estimators that a plugin brings: files, the command and doctor know them by the door that modnet's own come in by."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.distributions import Site, run_python
from support.model_files import NAMES, SETTINGS, X, forge, header_of

from modnet import ModelSpec, ModNetClassifier, ModNetRegressor, ModNetTransformer, register
from modnet.diagnosis.plugins import estimator_section, plugins
from modnet.errors import InvalidSpecError, ModelFileError, RegistryError, UnknownComponentError
from modnet.estimators.persistence import load, save
from modnet.neural_network import MLPClassifier, MLPRegressor
from modnet.registry import estimators, registry
from modnet.testing import registered_examples

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WIDE = '''
from dataclasses import dataclass
from typing import Any
from modnet import ModNetClassifier

@dataclass(eq=False, repr=False, kw_only=True)
class Wide(ModNetClassifier):
    """A classifier that knows the majority of what it has seen."""

    layers: Any = (9,)
    share: float = 0.5

    fitted_attributes = {**ModNetClassifier.fitted_attributes, "majority_": str}

    def fit(self, X, y, sample_weight=None, **validation):
        super().fit(X, y, sample_weight, **validation)
        labels = sorted(set(y))
        self.majority_ = str(labels[int(self.share * len(labels))])
        return self
'''
ENTRY = {"modnet.estimators": {"wide": "acme_wide:Wide"}}


@pytest.fixture
def acme(site: Site) -> Any:
    """The class that an installed plugin offers as the estimator "wide"."""
    site.install("acme-wide", modules={"acme_wide": WIDE}, entry_points=ENTRY)
    return estimators.get("estimator", "wide")


@pytest.fixture
def saved_wide(acme: Any, file: Path) -> Path:
    save(acme(share=0.9, **{**SETTINGS, "layers": (9, "relu")}).fit(X, NAMES), file)
    return file


# The registry


def test_ours_come_in_by_the_same_door():
    ours = ModNetClassifier, MLPClassifier, MLPRegressor, ModNetRegressor, ModNetTransformer
    mine = [entry for entry in estimators.entries() if entry.distribution == "modnet-layers"]
    assert list(map(estimators.name_of, ours)) == [entry.name for entry in mine]


def test_estimators_are_no_components(acme: Any):
    assert "estimator" not in registry.kinds
    assert not any(name.startswith("estimator") for name in ModelSpec.json_schema()["$defs"])
    with pytest.raises(UnknownComponentError):
        registered_examples("acme-wide")


def test_their_names_are_known_without_scikit_learn():
    code = """
import sys
from modnet.registry import estimators
print(estimators.names("estimator")[0], "sklearn" in sys.modules)
"""
    assert run_python(code) == "classifier False"


def test_what_is_none_is_refused(site: Site):
    points = {"modnet.estimators": {"dull": "acme_none:Dull"}}
    site.install("acme-none", modules={"acme_none": "class Dull: pass"}, entry_points=points)
    with pytest.raises(RegistryError, match=r"Dull, which does not derive from modnet\.NestedParameters"):
        estimators.get("estimator", "dull")


# Files


def test_what_is_loaded_is_what_was_saved(acme: Any, saved_wide: Path):
    model, again = acme(share=0.9, **{**SETTINGS, "layers": (9, "relu")}).fit(X, NAMES), load(saved_wide)
    assert type(again) is acme
    assert again.share == 0.9
    assert again.majority_ == model.majority_
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_a_file_names_the_estimator_and_its_distribution(saved_wide: Path):
    header = header_of(saved_wide)
    assert (header["estimator"], header["requires"]["acme-wide"]) == ("acme-wide:wide", "1.2")


def test_modnets_own_go_by_their_bare_names(saved: Path):
    assert header_of(saved)["estimator"] == "classifier"


def test_what_the_class_has_more_is_asked_for(saved_wide: Path):
    with pytest.raises(ModelFileError, match="a fitted Wide has majority_, of type <class 'str'>, and here is none"):
        load(forge(saved_wide, lambda header: header["learnt"].pop("majority_") and None))


def test_the_allow_list_holds_and_nothing_is_imported(saved_wide: Path, site: Site):
    site.install(
        "boom", modules={"boom": "raise SystemExit('imported')"}, entry_points={"modnet.estimators": {"b": "boom:B"}}
    )
    forge(saved_wide, lambda header: header.update({"estimator": "boom:b"}))
    for allow in ([], ["acme-wide"]):
        with pytest.raises(RegistryError, match=r"boom.* is not allowed here"):
            load(saved_wide, allow=allow)
    forge(saved_wide, lambda header: header.update({"estimator": "acme-wide:wide"}))
    with pytest.raises(RegistryError, match=r"acme-wide.* is not allowed here"):
        load(saved_wide, allow=["boom"])
    assert load(saved_wide, allow=["acme-wide"]).share == 0.9


def test_a_plugin_that_is_not_installed_is_named(saved_wide: Path):
    forge(saved_wide, lambda header: header["requires"].update({"acme-nobody-has": "1.0"}))
    with pytest.raises(InvalidSpecError, match=r"acme-nobody-has: version 1\.0 was used, none is installed"):
        load(saved_wide)


def test_a_class_that_this_process_registers_can_be_saved(file: Path):
    class Tame(ModNetRegressor):
        """A regressor of one's own."""

    model = Tame(**SETTINGS).fit(X, X[:, 0])
    with pytest.raises(ModelFileError, match=r"call modnet\.register\(Tame\), or give the class an entry point"):
        save(model, file)
    register(Tame)
    try:
        save(model, file)
        assert header_of(file)["estimator"] == "tame"
        np.testing.assert_array_equal(load(file).predict(X), model.predict(X))
    finally:
        estimators.unregister(Tame)
    with pytest.raises(ModelFileError, match="unknown estimator 'tame'"):
        load(file)


# Doctor


def test_doctor_lists_them(acme: Any):
    section = estimator_section()
    assert ("wide", "acme-wide 1.2") in section.facts
    assert {"name": "wide", "source": "acme-wide 1.2"} in section.data
    assert section.findings == plugins().findings == ()


def test_doctor_finds_what_cannot_be_imported(site: Site):
    site.install("boom", modules={"boom": "import nowhere"}, entry_points={"modnet.estimators": {"b": "boom:B"}})
    (finding,) = estimator_section().findings
    assert (finding.check, finding.subject) == ("broken-plugin", "estimator 'b', boom 1.2")


def test_doctor_knows_the_group(site: Site):
    site.install("acme-wide", entry_points={"modnet.estimator": {"wide": "acme_wide:Wide"}})
    (finding,) = plugins().findings
    assert finding.remedy.startswith("write 'modnet.estimators'")
