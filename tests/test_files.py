"""Writing files: as a whole or not at all, through links, with the mode that was there, and never a device away."""

import os
import stat
import threading
from pathlib import Path

import pytest

from modnet.files import write_whole

TEXT = b"new"


def write(path: Path) -> None:
    write_whole(path, lambda file: file.write(TEXT))


def test_what_was_there_stays_if_writing_fails(tmp_path: Path):
    path = tmp_path / "model.npz"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_and_its_target_is_written(tmp_path: Path):
    (tmp_path / "store").mkdir()
    target, link = tmp_path / "store" / "v1.npz", tmp_path / "latest.npz"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write(link)
    assert link.is_symlink()
    assert target.read_bytes() == TEXT
    (tmp_path / "new.npz").symlink_to(tmp_path / "store" / "v2.npz")  # to a file that is not there yet
    write(tmp_path / "new.npz")
    assert (tmp_path / "store" / "v2.npz").read_bytes() == TEXT


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_the_mode_of_a_file_is_kept(tmp_path: Path, mode: int):
    path = tmp_path / "model.npz"
    path.write_bytes(b"old")
    path.chmod(mode)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_device_and_a_pipe_stay_what_they_are(tmp_path: Path):
    write(Path(os.devnull))
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write(pipe)
    reader.join(timeout=10)
    assert read == [TEXT]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_folder_is_refused(tmp_path: Path):
    with pytest.raises(IsADirectoryError):
        write(tmp_path)


def test_a_name_may_be_as_long_as_the_file_system_takes(tmp_path: Path):
    path = tmp_path / ("m" * 251 + ".npz")
    write(path)
    assert path.read_bytes() == TEXT


def test_drafts_of_killed_processes_go_and_those_of_others_stay(tmp_path: Path):
    old, fresh = tmp_path / ".modnet-draft-old", tmp_path / ".modnet-draft-fresh"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    write(tmp_path / "model.npz")
    assert not old.exists()
    assert fresh.exists()
