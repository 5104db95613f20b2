"""Every script in examples/ runs by itself, without a display and without a warning, and does what it says."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from matplotlib.image import imread

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = (
    "backpropagation",
    "custom_layer",
    "deep_residual",
    "images",
    "imbalanced",
    "intervals",
    "migrate_mlp",
    "monte_carlo_dropout",
    "notebook",
    "parallel_grid",
    "predict_onnx",
    "quickstart",
    "robust_losses",
    "series",
    "serve_onnx",
    "tables",
    "tabular",
    "time_ordered_validation",
)
# One BLAS thread: several wait for each other in busy loops, which beside another busy process takes 7 times as long.
SETTINGS = {"PYTHONUTF8": "1", "COLUMNS": "80", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run(name: str, folder: Path, *arguments: Path) -> str:
    """Return what an example prints when it is run in a folder, every warning being an error."""
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / f"{name}.py", *arguments],
        cwd=folder,
        env={**environment, **SETTINGS},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def numbers(pattern: str, text: str) -> list[float]:
    """Return the number that each match of a pattern captures."""
    found = [float(number) for number in re.findall(pattern, text)]
    assert found, f"{pattern!r} is not in:\n{text}"
    return found


def assert_is_a_picture(path: Path) -> None:
    """A picture is large enough to read, and not one colour."""
    pixels = imread(path)
    height, width = pixels.shape[:2]
    assert height >= 400
    assert width >= 600
    assert pixels[..., :3].std() > 0.05


def assert_fits_a_page(text: str) -> None:
    """Output has no line of more than 80 characters, and none of a terminal's control characters."""
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "\r" not in text


def row(name: str, text: str) -> list[float]:
    """Return the numbers in the row of a table that begins with a name, as far as there are any."""
    cells = re.findall(rf"^│ {re.escape(name)} +│(.*)│$", text, re.MULTILINE)
    assert len(cells) == 1, f"{name!r} is not once in:\n{text}"
    return [float(cell) for cell in cells[0].split("│") if cell.strip()]


def test_all_examples_are_run_here():
    assert sorted({path.stem for path in EXAMPLES.glob("*.py")} - {"conf"}) == list(NAMES)  # which is Sphinx's


def test_examples_do_nothing_when_they_are_imported(tmp_path: Path):
    without = {"notebook"} if find_spec("onnxruntime") else {"notebook", "predict_onnx"}  # cells; what it begins with
    names = [name for name in NAMES if name not in without]
    code = "".join(f"import {name}; assert {name}.__doc__ and callable({name}.main)\n" for name in names)
    environment = {**os.environ, **SETTINGS, "PYTHONPATH": str(EXAMPLES)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_quickstart_finds_a_network_that_reads_digits(tmp_path: Path):
    text = run("quickstart", tmp_path)
    assert numbers(r"held-out accuracy of the winner: (\d\.\d+)", text)[0] > 0.95
    assert len(numbers(r"(0\.9\d\d) ± 0\.0", text)) == 8
    assert '{"type": "dense", "units": ' in text
    assert "the JSON gives back the same spec: True" in text
    assert_is_a_picture(tmp_path / "quickstart.png")


@pytest.mark.slow
def test_backpropagation_agrees_with_the_textbook_and_separates_the_spirals(tmp_path: Path):
    pictures = tmp_path / "all" / "pictures"
    text = run("backpropagation", tmp_path, pictures)
    rows = re.findall(r"│ (∂J/∂\S+) .* │\s+(-?0\.\d+) │\s+(-?0\.\d+) │\s+(-?0\.\d+) │", text)
    assert {row[0] for row in rows} == {f"∂J/∂{each}" for each in ("ŷ", "z²", "W²", "b²", "a¹", "z¹", "W¹", "b¹", "a⁰")}
    for _, *shown in rows:
        assert max(map(float, shown)) - min(map(float, shown)) < 1.5e-6  # they may differ in how they round
    assert numbers(r"largest deviation of modnet from the hand: (\S+)", text)[0] < 1e-14
    assert numbers(r"largest deviation of central differences: (\S+)", text)[0] < 1e-9
    assert min(numbers(r"accuracy on .*: (\d\.\d+)", text)) >= 0.98
    assert_is_a_picture(pictures / "backpropagation.png")
    assert [path.name for path in tmp_path.iterdir()] == ["all"]


@pytest.mark.slow
def test_custom_layer_is_checked_and_searched_and_saved(tmp_path: Path):
    text = run("custom_layer", tmp_path)
    assert numbers(r"largest deviation (\S+)", text)[0] < 1e-8
    by_units = dict(re.findall(r"│\s+(\d) │\s+1\.0 │\s+(\d\.\d+) ±", text))
    assert float(by_units["1"]) < 0.85 < 0.95 < float(by_units["8"])
    assert numbers(r"held-out accuracy (\d\.\d+)", text)[0] > 0.95
    assert "by name: (Product(units=2), Bent()), the same after JSON: True" in text
    assert_is_a_picture(tmp_path / "custom_layer.png")


@pytest.mark.slow
def test_imbalanced_finds_more_of_the_rare_class_with_balanced_weights(tmp_path: Path):
    text = run("imbalanced", tmp_path)
    assert_fits_a_page(text)
    assert len(re.findall(r"^ModNetClassifier - fit ━+ 100% \S+$", text, re.MULTILINE)) == 2
    for score in ("recall of the rare class", "balanced accuracy"):
        unweighted, balanced = row(score, text)
        assert balanced > unweighted + 0.1
    unweighted, balanced = row("average precision", text)
    assert abs(balanced - unweighted) < 0.1
    assert_is_a_picture(tmp_path / "imbalanced.png")


@pytest.mark.slow
def test_images_are_read_better_as_images(tmp_path: Path):
    text = run("images", tmp_path)
    dense, convolutional = numbers(r"accuracy (\d\.\d+)", text)
    assert convolutional >= max(dense, 0.985)
    assert_fits_a_page(text)
    assert_is_a_picture(tmp_path / "images.png")


@pytest.mark.slow
def test_series_whose_rhythm_changes_are_predicted_by_an_lstm(tmp_path: Path):
    text = run("series", tmp_path)
    ridge, dense, lstm = numbers(r"later hours (\d\.\d+)", text)
    assert lstm > max(ridge, dense) + 0.02
    assert_fits_a_page(text)
    assert_is_a_picture(tmp_path / "series.png")


@pytest.mark.slow
def test_time_ordered_validation_promises_what_comes_true(tmp_path: Path):
    text = run("time_ordered_validation", tmp_path)
    assert_fits_a_page(text)
    random_epoch, random_promise, random_test, epoch, promise, test = row("mean", text)
    assert random_test > 3 * random_promise
    assert test < 1.5 * promise
    assert test < random_test
    assert epoch < random_epoch
    assert_is_a_picture(tmp_path / "time_ordered_validation.png")


@pytest.mark.slow
def test_parallel_grid_goes_on_where_a_combination_fails(tmp_path: Path):
    text = run("parallel_grid", tmp_path)
    assert_fits_a_page(text)
    assert len(numbers(r"│ (0\.\d+) ± 0\.", text)) == 7
    assert len(re.findall(r"│ +nan │", text)) == 2
    assert "FitFailedWarning: 6 fits failed out of a total of 27." in text
    assert "ShapeError: layers[1] (Residual)" in text
    assert "NonFiniteError: the loss became " in text
    assert numbers(r"R² of the best on .*: (\d\.\d+)", text)[0] > 0.85
    assert_is_a_picture(tmp_path / "parallel_grid.png")


@pytest.mark.slow
def test_migrate_mlp_gets_the_same_model_and_then_a_better_one(tmp_path: Path):
    text = run("migrate_mlp", tmp_path)
    assert_fits_a_page(text)
    assert numbers(r"largest relative difference of the losses: (\S+)", text)[0] < 1e-9
    assert re.search(r"same predictions on \d+ test rows: True", text)
    assert numbers(r"median time to fit: .* ratio (\d+\.\d+)", text)[0] > 0
    assert "the JSON gives back the same spec: True" in text
    assert "unexpected keyword argument 'class_weight'" in text
    theirs, ours = (row(f"MLPClassifier, {name}.neural_network", text) for name in ("sklearn", "modnet"))
    assert theirs == ours
    assert row("… and dropout between the layers", text)[1] > ours[1] + 0.1
    assert_is_a_picture(tmp_path / "migrate_mlp.png")


@pytest.mark.slow
def test_robust_losses_find_the_curve_and_quantiles_hold_what_they_promise(tmp_path: Path):
    text = run("robust_losses", tmp_path)
    assert_fits_a_page(text)
    distance = {loss: row(loss, text)[0] for loss in ("squared_error", "absolute_error", "huber", "log_cosh")}
    assert max(distance["absolute_error"], distance["huber"], distance["log_cosh"]) < 0.5 * distance["squared_error"]
    assert 0.85 < numbers(r"5 % and the 95 % quantile: (\d+\.\d)%", text)[0] / 100 < 0.95
    assert "crossings: 0" in text
    assert_is_a_picture(tmp_path / "robust_losses.png")


@pytest.mark.slow
def test_tables_are_taken_as_they_are_and_as_well_as_by_others_who_need_more_code(tmp_path: Path):
    text = run("tables", tmp_path)
    assert_fits_a_page(text)
    ours, *others = (row(name, text) for name in ("ModNetClassifier", "MLPClassifier", "HistGradientBoosting"))
    loss, auc, _, lines = ours
    best_loss, best_auc = row("the chance itself", text)
    assert lines == 1 < min(other[3] for other in others)
    assert best_loss < loss < min(other[0] for other in others) + 0.01
    assert best_auc > auc > max(other[1] for other in others) - 0.01
    assert_is_a_picture(tmp_path / "tables.png")


@pytest.mark.slow
def test_tabular_is_as_good_as_its_peers_on_new_rows(tmp_path: Path):
    text = run("tabular", tmp_path)
    assert_fits_a_page(text)
    for name in ("breast cancer", "digits", "two moons", "friedman1"):
        (line,) = (each for each in text.splitlines() if each.startswith(f"{name} "))
        *peers, mine = [float(number) for number in re.findall(r"(0\.\d+) \(", line)]
        assert len(peers) == 3
        assert mine <= 1.1 * max(peers)
    assert numbers(r"held out: (\d+)%", text) > [40.0]
    assert_is_a_picture(tmp_path / "tabular.png")


@pytest.mark.slow
def test_intervals_hold_what_they_promise_in_the_units_of_prices(tmp_path: Path):
    text = run("intervals", tmp_path)
    assert_fits_a_page(text)
    assert 200_000 < float(re.findall(r"prices: mean (\S+), ", text)[0].replace(",", "")) < 250_000
    for level in (5, 10, 25, 50, 75, 90, 95):
        nominal, _, observed = row(f"below the {level}% quantile", text)
        assert abs(observed - nominal) < 0.04
    for level in (50, 80, 90):
        nominal, bare, cautious = row(f"in the {level}% interval", text)
        assert bare <= cautious
        assert abs(cautious - nominal) < 0.06
    assert_is_a_picture(tmp_path / "intervals.png")


@pytest.mark.slow
def test_passes_with_dropout_part_where_nothing_was_seen(tmp_path: Path):
    text = run("monte_carlo_dropout", tmp_path)
    assert_fits_a_page(text)
    outside = numbers(r"(\S+)   outside", text)
    inside = numbers(r"(\d\S+)\n", text)
    assert min(outside) > max(inside)
    assert_is_a_picture(tmp_path / "monte_carlo_dropout.png")


@pytest.mark.slow
def test_the_cells_of_the_notebook_run(tmp_path: Path):
    assert numbers(r"^R² (0\.\d+)$", run("notebook", tmp_path))[0] > 0.9


@pytest.mark.slow
def test_deep_residual_learns_where_a_plain_stack_does_not(tmp_path: Path):
    text = run("deep_residual", tmp_path)
    assert_fits_a_page(text)
    ratio, loss, accuracy = row("plain sigmoid", text)
    assert ratio < 1e-6
    assert loss > 2.2  # log 10 is guessing
    assert accuracy < 0.2
    assert "plain sigmoid: nothing was learnt: " in text
    for name in ("residual SELU", "residual BatchNorm"):
        ratio, loss, accuracy = row(name, text)
        assert ratio > 0.1
        assert loss < 0.3
        assert accuracy > 0.92
    assert_is_a_picture(tmp_path / "deep_residual.png")
