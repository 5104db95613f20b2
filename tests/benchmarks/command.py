"""The command: options, the sections one after the other, and what is written."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import job, machine
from benchmarks.contenders import CONTENDERS, named
from benchmarks.job import Options
from benchmarks.problem import CASES, Case
from benchmarks.report import Report
from benchmarks.sections import SECTIONS, section

_QUICK_CASES = CASES[:4]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the options ask for; return 1 if contenders failed or did not do the same work."""
    asked = parser().parse_args(arguments)
    report = Report(
        ["tests/benchmarks/run.py", *(sys.argv[1:] if arguments is None else arguments)],
        named(asked.contenders),
        machine.seen(),
        machine.right_kernel(),
    )
    options = chosen(asked, report)
    folder: Path = asked.out
    folder.mkdir(parents=True, exist_ok=True)
    print(report.head(), flush=True)
    for name in asked.only:
        report.records[name] = []
        for each in section(name).jobs(options):
            print("… " + ", ".join([each.title, *(net.name for net in each.cases)]), file=sys.stderr, flush=True)
            report.add(name, each, job.run(each))
        print(f"\n{report.part(name)}", flush=True)
        (folder / "benchmark.md").write_text(report.document(), encoding="utf-8")
    print(f"\n{report.targets()}\n\n{report.trouble()}".rstrip())
    print(f"\nwritten: {folder / 'benchmark.md'}")
    if report.records.get("training"):
        draw(report, folder / "benchmark.png")
    return 1 if report.failures else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    made = argparse.ArgumentParser(
        prog="run.py",
        description="Measure modnet against its peers, as far as they are installed, and write a table and a picture. "
        "All of it takes about two hours, --quick six minutes.",
    )
    names = tuple(each.name for each in CONTENDERS)
    made.add_argument("--quick", action="store_true", help="small nets, float32, one thread, three rounds, fewer rows")
    made.add_argument(
        "--cases",
        nargs="+",
        type=case,
        metavar="NET",
        help=f"nets, as in 64-32-10/32 or 64-64-10-sigmoid/32 (known: {', '.join(each.name for each in CASES)})",
    )
    made.add_argument("--dtypes", nargs="+", choices=["float32", "float64"])
    made.add_argument("--threads", nargs="+", type=positive, metavar="N")
    made.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS), help="sections")
    made.add_argument("--rounds", type=positive, metavar="N", help="how often everything is timed (7; 3 with --quick)")
    made.add_argument("--contenders", nargs="+", choices=names, default=names)
    made.add_argument(
        "--kernels",
        nargs="+",
        metavar="NAME",
        help='kernels of OpenBLAS: "default" for its own choice, "right" for the one that suits the CPU, or a name, as '
        "Haswell; those behind the first are measured in float32 on one thread (default right)",
    )
    made.add_argument("--out", type=Path, default=Path("build/benchmark"), metavar="DIR", help="where to write")
    return made


def chosen(asked: argparse.Namespace, report: Report) -> Options:
    """Return what is to be measured; what the machine cannot do is noted in the report."""
    threads = tuple(asked.threads or ((1,) if asked.quick else (1, 2)))
    cpus = os.cpu_count() or 1
    able = tuple(each for each in threads if each <= cpus) or (1,)
    report.notes += [f"{job.counted(each)} left out: there are {cpus} CPUs" for each in threads if each not in able]
    words = asked.kernels or (["default"] if asked.quick else ["default", "right"])
    kernels = [{"default": None, "right": report.right}.get(word, word) for word in words]
    return Options(
        cases=tuple(asked.cases or (_QUICK_CASES if asked.quick else CASES)),
        dtypes=tuple(asked.dtypes or (("float32",) if asked.quick else ("float32", "float64"))),
        threads=able,
        kernels=tuple(dict.fromkeys(kernels)),
        contenders=tuple(each.name for each in report.contenders if each.missing is None),
        rounds=asked.rounds or (3 if asked.quick else 7),
        quick=asked.quick,
    )


def draw(report: Report, path: Path) -> None:
    """Draw the picture, if there is something to draw it with."""
    try:
        from benchmarks import picture
    except ModuleNotFoundError as error:
        print(f"no picture: {error.name} is not installed")
        return
    picture.draw(report.records["training"], " · ".join(report.where()), path)
    print(f"written: {path}")


def case(text: str) -> Case:
    """Return the case of a name."""
    try:
        return Case.of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive(text: str) -> int:
    """Return a number ≥ 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"should be a whole number from 1 on, got {text!r}")
    return number
