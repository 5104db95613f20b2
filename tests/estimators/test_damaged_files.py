"""Model files that were edited or damaged are refused before an estimator is made of them."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.model_files import NAMES, X, classifier, forge

from modnet import ModNetRegressor, ModNetTransformer
from modnet.errors import ModelFileError
from modnet.estimators.persistence import load, save
from modnet.layers import Columns, OneHot, Parallel, Sequential
from modnet.neural_network import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def members_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive}


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["theta_", "state_"])
def test_weights_are_finite_in_files_and_before_they_are_written(file: Path, name: str, number: float):
    model = classifier(layers=(5, "batch_norm")).fit(X, NAMES)
    save(model, file)
    vector = members_of(file)[name].copy()
    vector[2] = number
    with pytest.raises(ModelFileError, match=rf"{name} should be finite, but there is inf or NaN in it"):
        load(forge(file, **{name: vector}))
    setattr(model, name, vector)
    before = file.read_bytes()
    with pytest.raises(ModelFileError, match="should be finite"):
        save(model, file)
    assert file.read_bytes() == before


@pytest.mark.parametrize("number", [0, -3, 1.0, True, "1", None])
def test_a_format_that_never_was_is_refused(saved: Path, number: Any):
    with pytest.raises(ModelFileError, match="this modnet reads format 1, got"):
        load(forge(saved, lambda header: {**header, "format": number}))


@pytest.mark.parametrize(
    "name",
    ["theta_", "state_", "loss_curve_", "learning_rate_curve_", "n_iter_", "n_features_in_", "table_", "_target"],
)
def test_an_attribute_that_fitting_leaves_is_asked_for(saved: Path, name: str):
    with pytest.raises(ModelFileError, match=f"a fitted ModNetClassifier has {name}, of type .*, and here is none"):
        load(forge(saved, lambda header: header["learnt"].pop(name) and None))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theta_", None),
        ("loss_curve_", 3),
        ("loss_curve_", {"list": [0.5, {"list": []}]}),
        ("feature_names_in_", {"list": ["a", "b", "c"]}),
        ("n_iter_", "3"),
        ("n_iter_", -1),
        ("n_features_in_", True),
        ("n_features_in_", 4.0),
        ("n_features_in_", 5),
        ("_rows_seen", None),
        ("_target", {"numbers": [{"mapping": [{"tuple": ["width", 3]}, {"tuple": ["single", True]}]}]}),
        ("_streams", 3),
        ("optimizer_state_", {"mapping": []}),
        ("table_", "none"),
    ],
)
def test_an_attribute_of_another_type_or_size_is_refused(saved: Path, name: str, value: Any):
    with pytest.raises(ModelFileError):
        load(forge(saved, lambda header: header["learnt"].update({name: value})))


def test_each_estimator_asks_for_its_own(file: Path):
    save(MLPClassifier((5,), max_iter=3).fit(X, NAMES), file)
    with pytest.raises(ModelFileError, match="a fitted MLPClassifier has classes_"):
        load(forge(file, lambda header: header["learnt"].pop("classes_") and None))
    save(ModNetTransformer((3, 2, 3), max_iter=3).fit(X), file)
    with pytest.raises(ModelFileError, match="a fitted ModNetTransformer has layer_"):
        load(forge(file, lambda header: header["learnt"].pop("layer_") and None))


@pytest.mark.parametrize("classes", [[], ["ant"], ["ant", "bee"], ["ant", "bee", "cat", "dog"], ["bee", "ant", "cat"]])
def test_other_classes_than_the_network_tells_apart_are_refused(saved: Path, classes: list[str]):
    written = np.array(classes, "<U3")
    with pytest.raises(ModelFileError):
        load(forge(saved, classes_=written, _target=written))
    with pytest.raises(ModelFileError, match="classes_ should be those of the target"):
        load(forge(saved, classes_=written, _target=np.array(["ant", "bee", "cat"])))


@pytest.fixture
def saved_numbers(file: Path) -> Path:
    """The file of a regressor of two targets."""
    save(ModNetRegressor((3,), max_iter=3, random_state=0).fit(X, X[:, :2]), file)
    return file


SHIFT, FACTOR = "_target", "_target.1"


@pytest.mark.parametrize(
    "arrays",
    [
        {SHIFT: np.array([[0.0, np.inf]])},
        {SHIFT: np.array([[0.0, 1.0, 2.0]])},
        {SHIFT: np.array([0.0, 1.0])},
        {SHIFT: np.array([["0", "1"]])},
        {FACTOR: np.array([[np.nan, 1.0]])},
        {FACTOR: np.array([[0.0, 1.0]])},
        {FACTOR: np.array([[-2.0, 1.0]])},
        {FACTOR: np.array([[1, 1]])},
    ],
    ids=str,
)
def test_a_target_has_a_scale_that_predictions_can_be_changed_back_by(saved_numbers: Path, arrays: Any):
    assert arrays.keys() <= members_of(saved_numbers).keys()
    with pytest.raises(ModelFileError, match="target's scale should be of kind 'affine', with a finite shift and a"):
        load(forge(saved_numbers, **arrays))


@pytest.mark.parametrize("change", ["missing", "scale", "none", "stretch"])
def test_a_target_has_the_scale_that_the_spec_asks_for(saved_numbers: Path, change: str):
    def without(header: Any) -> None:
        (fields,) = header["learnt"]["_target"]["numbers"]
        scale = next(each["tuple"] for each in fields["mapping"] if each["tuple"][0] == "scale")
        if change == "missing":
            fields["mapping"] = [each for each in fields["mapping"] if each["tuple"] is not scale]
        else:
            (parts,) = scale[1]["scaling"]
            next(each["tuple"] for each in parts["mapping"] if each["tuple"][0] == "kind")[1] = change

    with pytest.raises(ModelFileError, match=r"scale should be of kind 'affine'|Scaling.kind should be of type"):
        load(forge(saved_numbers, without))


@pytest.mark.parametrize("position", [-1, 625, 10**6, 2**40, 1.0, None])
def test_a_random_state_that_points_outside_of_its_numbers_is_refused(file: Path, position: Any):
    save(classifier(random_state=np.random.RandomState(3)).fit(X, NAMES), file)

    def change(header: Any) -> None:
        (state,) = header["params"]["random_state"]["random state"]
        (bits,) = (each["tuple"][1] for each in state["mapping"] if each["tuple"][0] == "state")
        (pair,) = (each["tuple"] for each in bits["mapping"] if each["tuple"][0] == "pos")
        pair[1] = position

    with pytest.raises(ModelFileError, match="no state of a RandomState: pos is"):
        load(forge(file, change))


def test_members_that_overlap_are_refused(saved: Path, file: Path):
    """The directory of the archive says many times that there is the same large member: 40 times what the file has."""
    members = members_of(saved)
    np.savez(saved, **members, large=np.zeros(10_000))
    with zipfile.ZipFile(saved, "a") as archive:
        (large,) = (info for info in archive.infolist() if info.filename == "large.npy")
        archive.infolist().extend([large] * 40)
        archive.filelist = [*archive.filelist, *([large] * 40)]
        archive._didModify = True
    with pytest.raises(ModelFileError, match="they overlap, or are damaged"):
        load(saved)


def test_no_flipped_byte_at_the_end_goes_further_than_an_error(saved: Path):
    content, expected = saved.read_bytes(), load(saved).theta_
    for position in range(len(content) - 22, len(content)):
        for flip in (0x01, 0x80, 0xFF):
            saved.write_bytes(content[:position] + bytes([content[position] ^ flip]) + content[position + 1 :])
            try:
                again = load(saved)
            except ModelFileError:
                continue
            np.testing.assert_array_equal(again.theta_, expected)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ((1, "mapping", 0, "tuple", 1), "ant", r"column 'kind' should have 3 categories and a type, got 'ant'"),
        ((2, "mapping", 0, "tuple", 1), 3, r"columns of a table should have names of their own, and types"),
        (
            (0, "tuple", 0, "column", 0, "mapping", 0, "tuple", 1),
            "length",
            r"feature_names_in_ should be those of the 2",
        ),
    ],
)
def test_a_table_that_does_not_fit_itself_is_refused(file: Path, place: Any, value: Any, message: str):
    frame = pd.DataFrame({"size": X[:, 0], "kind": NAMES})
    parts = [Columns(["size"]), Sequential([Columns(["kind"]), OneHot()])]
    save(classifier(layers=[Parallel(parts)]).fit(frame, NAMES), file)

    def change(header: Any) -> None:
        where = header["learnt"]["table_"]["table"]
        for key in place[:-1]:
            where = where[key]
        where[place[-1]] = value

    with pytest.raises(ModelFileError, match=message):
        load(forge(file, change))
