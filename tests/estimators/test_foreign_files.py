"""Model files that are none, not whole, or mean harm: each ends in an error, and nothing in it is executed."""

import pickle
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.distributions import Site
from support.model_files import forge

from modnet.errors import InvalidSpecError
from modnet.estimators.persistence import ModelFileError, load

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "model.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"layers: 3\n", pickle.dumps({"a": 1}), b"\x93NUMPY\x01\x00"])
def test_a_foreign_file_is_no_model_file(file: Path, content: bytes):
    file.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.npz: no model file, or not the whole of one"):
        load(file)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.99])
def test_a_truncated_file_is_not_the_whole_of_one(saved: Path, share: float):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelFileError, match="not the whole of one"):
        load(saved)


def test_no_damaged_byte_goes_further_than_an_error(saved: Path):
    content, expected = saved.read_bytes(), load(saved).theta_
    for position in np.linspace(0, len(content) - 1, 150).astype(int):
        saved.write_bytes(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        with suppress(ModelFileError):
            np.testing.assert_array_equal(load(saved).theta_, expected)


def test_an_archive_of_something_else_has_no_header(file: Path):
    np.savez(file, a=np.zeros(3))
    with pytest.raises(ModelFileError, match=r"an \.npz archive, but no model file"):
        load(file)


def test_a_later_format_asks_for_an_upgrade(saved: Path):
    with pytest.raises(ModelFileError, match=r"reads format 1, got 2: upgrade the distribution modnet-layers"):
        load(forge(saved, lambda header: {**header, "format": 2}))


def test_a_file_of_a_later_version_says_which_one_reads_it(saved: Path):
    later = {"format": 2, "requires": {"modnet-layers": "9.1"}}
    with pytest.raises(InvalidSpecError, match=r"version 9\.1 was used, .* is installed: upgrade it .*layers>=9\.1"):
        load(forge(saved, lambda header: {**header, **later}))


def test_a_missing_distribution_is_named(saved: Path):
    forge(saved, lambda header: header["requires"].update({"acme-layers": "1.0"}))
    with pytest.raises(InvalidSpecError, match=r"requires\.acme-layers: version 1\.0 was used, none is installed"):
        load(saved)


def test_weights_that_do_not_fit_the_spec_are_refused(saved: Path):
    with pytest.raises(ModelFileError, match=r"theta_ should be 51 floats for this spec, got float64 \(3,\)"):
        load(forge(saved, theta_=np.zeros(3)))
    with pytest.raises(ModelFileError, match="theta_ should be floats of the type of theta_, got int64"):
        load(forge(saved, theta_=np.zeros(51, int)))


# Files that mean harm


def boom() -> None:
    """What no file may reach."""
    raise SystemExit("executed")


class Bomb:
    """An object whose unpickling would be noticed."""

    def __reduce__(self):
        return boom, ()


def test_objects_are_never_unpickled(saved: Path):
    with np.load(saved, allow_pickle=False) as archive:
        members = {name: archive[name] for name in archive}
    for name in ("header", "theta_", "classes_"):
        np.savez(saved, **{**members, name: np.array([Bomb()], object)})
        with pytest.raises(ModelFileError, match="Object arrays cannot be loaded"):
            load(saved)


@pytest.mark.parametrize("name", ["os:system", "modnet_x.y:Z", "builtins:eval", "modnet_standard.layers.dense:Dense"])
@pytest.mark.parametrize("place", ["spec", "params"])
def test_a_path_in_place_of_a_name_is_imported_by_nobody(saved: Path, site: Site, name: str, place: str):
    site.install("modnet-x", modules={"modnet_x": "raise SystemExit('imported')"})

    def change(header: Any) -> None:
        if place == "spec":
            header["spec"]["layers"] = [{"type": name}]
        else:
            header["params"]["layers"] = {"tuple": [name]}

    with pytest.raises(InvalidSpecError, match="unknown layer"):
        load(forge(saved, change))


@pytest.mark.parametrize("name", ["os.system", "sklearn.svm.SVC", "BaseModNet", "OwnClassifier", None, ["x"]])
def test_the_estimator_is_one_of_a_short_list(saved: Path, name: Any):
    with pytest.raises(ModelFileError):
        load(forge(saved, lambda header: {**header, "estimator": name}))


PLUGIN = {"component": ["activation", {"mapping": [{"tuple": ["type", "wobble"]}]}]}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("layers", {"tuple": [4, "wobble"]}),
        ("layers", {"tuple": [4, PLUGIN]}),
        ("activation", "wobble"),
        ("activation", {"mapping": [{"tuple": ["type", "wobble"]}]}),
    ],
)
def test_the_allow_list_holds_for_parameters_too(saved: Path, site: Site, place: str, value: Any):
    site.wobble("acme-layers", "acme_layers")
    forge(saved, lambda header: header["params"].update({place: value}))
    for allow in ([], ["other-layers"]):
        with pytest.raises(InvalidSpecError, match=r"acme-layers.* is not allowed here"):
            load(saved, allow=allow)
    assert load(saved, allow=["acme-layers"]).get_params()[place]


def test_the_allow_list_holds_for_an_accelerator(saved: Path, site: Site):
    points = {"modnet.accelerators": {"boom": "boom:Boom"}}
    site.install("boom", modules={"boom": "raise SystemExit('imported')"}, entry_points=points)
    forge(saved, lambda header: header["params"].update({"accelerator": "boom"}))
    with pytest.raises(InvalidSpecError, match="not allowed here"):
        load(saved, allow=[])


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["learnt"].update({"predict": "gone"}),
        lambda header: header["learnt"].update({"__class__": "int"}),
        lambda header: header["learnt"].update({"__dict__": {"mapping": []}}),
        lambda header: header["learnt"].update({"layers": 1}),
        lambda header: header["learnt"].update({"fit": 1}),
        lambda header: header["params"].update({"no_such_parameter": 1}),
        lambda header: header["params"].update({"layers": {"eval": ["1 + 1"]}}),
        lambda header: header["params"].update({"layers": {"component": ["os", "system"]}}),
        lambda header: header["params"].update({"layers": {"tuple": [], "list": []}}),
        lambda header: header["learnt"].update({"again": {"array": ["theta_"]}}),
        lambda header: header["learnt"].update({"other": {"array": ["no_such_array"]}}),
        lambda header: header["learnt"].pop("theta_"),
        lambda header: header["learnt"].pop("n_features_in_"),
        lambda header: header.pop("params"),
        lambda header: header.pop("requires"),
        lambda header: header.pop("parameters"),
        lambda header: header.update({"spec": []}),
        lambda header: header["learnt"].update({"_streams": {"generator": [{"mapping": []}]}}),
        lambda header: [header],
    ],
)
def test_a_header_that_makes_no_sense_ends_in_an_error_of_ours(saved: Path, change: Any):
    def changed(header: Any) -> Any:
        found = change(header)
        return found if isinstance(found, list) else header

    with pytest.raises((ModelFileError, InvalidSpecError)):
        load(forge(saved, changed))


def test_a_header_as_deep_as_it_likes_ends_in_an_error_of_ours(saved: Path):
    deep = np.frombuffer(b"[" * 200_000, np.uint8)
    with pytest.raises(ModelFileError):
        load(forge(saved, header=deep))


def test_an_archive_that_unfolds_to_more_than_it_is_is_refused(saved: Path):
    with np.load(saved, allow_pickle=False) as archive:
        np.savez_compressed(saved, **{name: archive[name] for name in archive})
    with pytest.raises(ModelFileError, match="compressed"):
        load(saved)


def test_an_array_that_announces_more_than_is_there_is_refused(saved: Path):
    with zipfile.ZipFile(saved) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members["theta_.npy"] = members["theta_.npy"].replace(b"(51,), }            ", b"(51000000000000,), }")
    assert b"51000000000000" in members["theta_.npy"]
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ModelFileError):
        load(saved)
