"""A job: one section of the benchmark under one setting, measured in a process of its own.

Threads, the kernel of BLAS and the precision of JAX are read when a library is loaded, so they are set before.
"""

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.contenders import named
from benchmarks.problem import Case

Record = dict[str, Any]
"""One measurement, with the setting it was made under: JSON."""

_TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Options:
    """What is to be measured.

    Attributes
    ----------
    cases : tuple of Case
    dtypes : tuple of str
    threads : tuple of int
    kernels : tuple of (str or None)
        Of OpenBLAS; None: the one that it chooses.
    contenders : tuple of str
    rounds : int
    quick : bool
        Whether less will do.
    """

    cases: tuple[Case, ...]
    dtypes: tuple[str, ...]
    threads: tuple[int, ...]
    kernels: tuple[str | None, ...]
    contenders: tuple[str, ...]
    rounds: int
    quick: bool = False


@dataclass(frozen=True)
class Job:
    """One section, under one setting."""

    section: str
    cases: tuple[Case, ...]
    contenders: tuple[str, ...]
    dtype: str
    threads: int
    kernel: str | None
    rounds: int
    quick: bool

    @classmethod
    def of(cls, section: str, options: Options, **changes: Any) -> Self:
        """Return the job of a section in float32 on one thread, with the kernel that OpenBLAS chooses."""
        setting: dict[str, Any] = {
            "cases": options.cases,
            "contenders": tuple(each.name for each in named(options.contenders) if each.takes_part(section)),
            "dtype": "float32" if "float32" in options.dtypes else options.dtypes[0],
            "threads": min(options.threads),
            "kernel": options.kernels[0],
            "rounds": options.rounds,
            "quick": options.quick,
        }
        return cls(section, **{**setting, **changes})

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the job that `write` made a text of."""
        fields = json.loads(text)
        cases = tuple(Case(**{**case, "sizes": tuple(case["sizes"])}) for case in fields.pop("cases"))
        return cls(cases=cases, **{**fields, "contenders": tuple(fields["contenders"])})

    def write(self) -> str:
        """Return the job as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @property
    def setting(self) -> Record:
        """What its records say of how they were measured."""
        return {"dtype": self.dtype, "threads": self.threads, "kernel": self.kernel}

    @property
    def title(self) -> str:
        """Section and setting, in a line."""
        parts = [self.dtype, counted(self.threads), *([f"kernel {self.kernel}"] if self.kernel else [])]
        who = f" of {self.contenders[0]}" if len(self.contenders) == 1 else ""
        return f"{self.section}{who}, {', '.join(parts)}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its process."""
        limits = dict.fromkeys(
            ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), str(self.threads)
        )
        return {
            **os.environ,
            **limits,
            **({"OPENBLAS_CORETYPE": self.kernel} if self.kernel else {}),
            **backends(),
            "JAX_ENABLE_X64": "1" if self.dtype == "float64" else "0",
            "PYTHONPATH": os.pathsep.join([str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }


@dataclass
class Result:
    """What a job found.

    Attributes
    ----------
    records : list of Record
    failures : list of str
        What went wrong.
    machine : dict
        What the process knows of the machine; see `benchmarks.machine`.
    """

    records: list[Record] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    machine: Record = field(default_factory=dict)


def run(job: Job) -> Result:
    """Measure a job in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "result.json")
        done = subprocess.run(
            [sys.executable, "-P", "-m", "benchmarks.worker", job.write(), str(answer)],
            env=job.environment,
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode != 0:
            return Result(failures=[f"{job.title}: the process ended with status {done.returncode}"])
        return Result(**json.loads(answer.read_text(encoding="utf-8")))


def backends() -> dict[str, str]:
    """Return the environment in which peers run on the CPU, and Keras on the fastest backend that is installed."""
    keras = "jax" if importlib.util.find_spec("jax") else "torch"
    return {"KERAS_BACKEND": keras, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}


def counted(threads: int) -> str:
    """Return "1 thread", or "2 threads"."""
    return f"{threads} thread{'s' * (threads != 1)}"
