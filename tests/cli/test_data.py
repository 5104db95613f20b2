"""Data files: with every library that reads them, and with none."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.distributions import run_python

from modnet.cli.data import features, kind, read
from modnet.cli.shared import CommandError
from modnet.cli.target import target_column

CSV = "size,town,garden,price\n1,Ulm,true,2.5\n2,Bonn,false,3\n,Ulm,true,1\n"
BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
from pathlib import Path
from modnet.cli.data import read
from modnet.cli.shared import CommandError
try:
    file = read(Path({path!r}))
    frame = file.frame(file.columns)
    print(frame.implementation, frame.columns, [str(dtype) for dtype in frame.schema.dtypes()])
except CommandError as error:
    print(error)
"""

READS_PARQUET = any(map(importlib.util.find_spec, ("polars", "pyarrow")))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "houses.csv"
    path.write_text(CSV)
    return path


def read_without(path: Path, *blocked: str) -> str:
    return run_python(BLOCKED.format(blocked=set(blocked) or "()", path=str(path)))


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_any_library_will_do(file: Path, library: str):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    others = {"pandas", "polars", "pyarrow"} - {library}
    found = read_without(file, *others)
    assert library in found.lower()
    assert "['size', 'town', 'garden', 'price']" in found
    assert "'String', 'Boolean', 'Float64'" in found


def test_without_any_library_it_says_what_to_install(file: Path):
    found = read_without(file, "pandas", "polars", "pyarrow")
    assert "houses.csv: nothing that is installed reads it; install one of pandas, polars, pyarrow" in found
    assert "No module named 'polars'" in found


def test_parquet_says_the_same_in_types(file: Path, tmp_path: Path):
    polars = pytest.importorskip("polars")
    polars.read_csv(file).write_parquet(tmp_path / "houses.parquet")
    file = read(tmp_path / "houses.parquet")
    frame = file.frame(file.columns)
    assert frame.columns == ["size", "town", "garden", "price"]
    assert [kind(dtype) for dtype in frame.schema.dtypes()] == ["number", "text", "number", "number"]


def test_tabs_and_compressed_files_are_read(file: Path, tmp_path: Path):
    (tmp_path / "houses.tsv").write_text(CSV.replace(",", "\t"))
    pd.read_csv(file).to_csv(tmp_path / "houses.csv.gz", index=False)
    for name in ("houses.tsv", "houses.csv.gz", "houses.csv"):
        assert list(read(tmp_path / name).columns) == ["size", "town", "garden", "price"]


def test_a_column_is_what_its_last_row_makes_it(tmp_path: Path):
    path = tmp_path / "long.csv"
    path.write_text("x\n" + "1\n" * 200_000 + "2.5\n")
    assert str(read(path).frame(["x"]).schema["x"]) == "Float64"


def test_with_polars_a_column_is_what_its_last_row_makes_it(tmp_path: Path):
    pytest.importorskip("polars")
    path = tmp_path / "long.csv"
    path.write_text("x\n" + "1\n" * 200_000 + "2.5\n")
    assert "['x'] ['Float64']" in read_without(path, "pandas", "pyarrow")


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("data.xlsx", b"", "the name of a data file ends in .csv"),
        ("data.csv", b"", "cannot read it"),
        ("data.csv", b"a,b\n", "there are no rows in it"),
        ("data.csv", b"a,b\n1,2\n1,2,3,4\n", "cannot read it"),
        ("data.parquet", b"a,b\n1,2\n", "cannot read it" if READS_PARQUET else "nothing that is installed reads it"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, found: str):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=found):
        read(tmp_path / name)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "data.parquet")


def test_the_target_is_split_off(file: Path):
    X, y = features(read(file), "price", ["garden"]), target_column(read(file), "price").numbers
    assert list(X.columns) == ["size", "town"]
    np.testing.assert_array_equal(y, [2.5, 3, 1])


def test_a_column_that_is_not_there_brings_up_the_one_that_may_be_meant(file: Path):
    found = read(file)
    with pytest.raises(CommandError, match=r"houses.csv: no column 'pric'; did you mean 'price'\? there are 'size', "):
        target_column(found, "pric")
    with pytest.raises(CommandError, match="no columns 'x', 'y'; there are 'size'"):
        found.check_columns(["x", "size", "y"])


def test_a_target_with_gaps_is_refused(file: Path):
    with pytest.raises(CommandError, match="column 'size' has no value in 1 of 3 rows"):
        target_column(read(file), "size")


def test_something_has_to_be_left_to_learn_from(file: Path):
    with pytest.raises(CommandError, match="no column but 'price'"):
        features(read(file), "price", ["size", "town", "garden"])


def test_a_wide_file_does_not_fill_the_screen_with_names(tmp_path: Path):
    path = tmp_path / "wide.csv"
    pd.DataFrame(np.zeros((2, 100)), columns=[f"x{i}" for i in range(100)]).to_csv(path, index=False)
    with pytest.raises(CommandError, match=r"'x19' and 80 more$"):
        read(path).check_columns(["target"])


def test_reading_imports_no_library_that_it_does_not_need(file: Path):
    code = f"""
import sys
from pathlib import Path
from modnet.cli.data import read
read(Path({str(file)!r}))
print("polars" in sys.modules, "sklearn" in sys.modules)
"""
    assert run_python(code) == "False False"
