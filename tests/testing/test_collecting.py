"""Collecting: what is registered is covered without a line, and what gives no examples is said."""

import pytest
from support.distributions import Site, run_python

from modnet import Module, Schedule, testing
from modnet.activations import ReLU, Tanh
from modnet.errors import UnknownComponentError
from modnet.initializers import Constant
from modnet.registry import registry
from modnet.schedules import Constant as ConstantSchedule
from modnet.testing import CheckFailed, check_component, checks_of, parametrize_with_checks, registered_examples
from modnet.testing.collecting import RULES

NEEDY = '''
from modnet import Schedule

class Needy(Schedule):
    """A schedule with a field that is required."""

    factor: float

    def rate(self, learning_rate, progress):
        return learning_rate
'''


def test_every_registered_class_of_modnet_is_there():
    mine = {registry.get(entry.kind, f"modnet-layers:{entry.name}") for entry in registry.entries()
            if entry.distribution == "modnet-layers"}  # fmt: skip
    assert {type(example) for example in registered_examples("modnet-layers")} == mine


def test_every_kind_has_a_contract_of_its_own():
    assert set(RULES) == set(registry.kinds)
    assert all(rule.contract.endswith(".") and rule.cause for rules in RULES.values() for rule in rules)


def test_names_of_checks_are_unique_and_read_as_claims():
    for rules in RULES.values():
        names = [rule.name for rule in rules]
        assert len(set(names)) == len(names)
        assert all("_" in name for name in names)


def test_kinds_can_be_chosen():
    kinds = {example.kind for example in registered_examples("modnet-layers", kinds=["schedule", "solver"])}
    assert kinds == {"schedule", "solver"}


def test_the_name_of_a_distribution_is_compared_as_installers_do():
    assert registered_examples("Modnet_Layers") == registered_examples("modnet-layers")


def test_a_distribution_without_components_is_no_empty_success():
    with pytest.raises(
        UnknownComponentError, match=r"no distribution 'modnet-layer' offers components; .*modnet-layers"
    ):
        registered_examples("modnet-layer")


def test_a_plugin_is_covered_by_its_registration(site: Site):
    site.wobble("acme-layers", "acme_layers")
    (example,) = registered_examples("acme-layers")
    assert repr(example) == "Wobble()"
    check = dict(checks_of(example))
    check["gradients_agree_with_central_differences"]()
    check["json_brings_it_back"]()


def test_a_class_without_examples_is_told_what_to_define(site: Site):
    points = {"modnet.schedules": {"needy": "acme_needy:Needy"}}
    site.install("acme-needy", modules={"acme_needy": NEEDY}, entry_points=points)
    (instead,) = registered_examples("acme-needy")
    ((name, check),) = checks_of(instead)
    assert name == "examples_can_be_built"
    with pytest.raises(CheckFailed) as caught:
        check()
    text = str(caught.value)
    assert "Needy(…) fails examples_can_be_built" in text
    assert "factor: is required" in text
    assert "define the classmethod `examples`" in text
    assert "from acme-needy 1.2" in text.replace("\n           ", " ")


def test_a_plugin_that_cannot_be_imported_fails_by_itself(site: Site):
    points = {"modnet.schedules": {"broken": "acme_broken:Broken"}}
    site.install("acme-broken", modules={"acme_broken": "1 / 0"}, entry_points=points)
    (instead,) = registered_examples("acme-broken")
    with pytest.raises(CheckFailed, match="ZeroDivisionError"):
        check_component(instead)
    assert len(registered_examples()) > len(registered_examples("modnet-layers"))


def test_tests_are_named_after_component_and_check():
    mark = parametrize_with_checks([ReLU(), Tanh()]).mark
    ids = [case.id for case in mark.args[1]]
    assert mark.args[0] == "check"
    assert "ReLU()-out_is_written_and_returned" in ids
    assert len(set(ids)) == len(ids)
    assert ids[0].startswith("ReLU()-")
    assert ids[-1].startswith("Tanh()-")


def test_components_of_one_name_are_told_apart_by_their_kind():
    mark = parametrize_with_checks([Constant(), ConstantSchedule()]).mark
    ids = {case.id for case in mark.args[1]}
    assert {"initializer-Constant()-the_seed_decides", "schedule-Constant()-fields_are_frozen"} <= ids


def test_a_component_without_a_name_is_checked_all_the_same():
    class Nameless(Schedule):
        """The same rate always."""

        def rate(self, learning_rate, progress):
            return learning_rate

    dict(checks_of(Nameless()))["json_brings_it_back"]()


def test_a_module_that_fails_when_it_is_looked_at_can_be_collected_all_the_same():
    class NoRows(Module):
        """Has no example rows."""

        def example_rows(self, rng, n):
            raise RuntimeError("no rows")

        def output_shape(self, input_shape):
            return input_shape

        def forward(self, ctx, x):
            return x

        def grad_input(self, ctx, dy):
            return dy

    with pytest.raises(CheckFailed, match="RuntimeError: no rows"):
        dict(checks_of(NoRows()))["it_works_in_an_estimator"]()


def test_pytest_is_not_needed_to_check():
    code = """
import sys
sys.modules["pytest"] = None
from modnet.testing import check_schedule
from modnet.schedules import Cosine
check_schedule(Cosine())
"""
    run_python(code)


def test_every_public_name_has_a_docstring():
    assert all(getattr(testing, name).__doc__ for name in testing.__all__)


@parametrize_with_checks([Constant(0.5)])
def test_the_decorator_makes_tests(check):
    check()
