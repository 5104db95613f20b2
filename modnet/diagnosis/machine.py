"""The machine: versions of libraries, the kernel with which BLAS multiplies matrices, cores and threads.

OpenBLAS chooses a kernel by the model of the CPU, and may take an old one for a model that it does not know.
`OPENBLAS_CORETYPE` in the environment chooses instead; it is read when NumPy is loaded, so it has to be there before.
"""

import dataclasses
import importlib.metadata
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from modnet.diagnosis import Finding, Section
from modnet.entries import OWN, normalized
from modnet.text import counted, listed

NEEDED = (OWN, "numpy", "scipy", "scikit-learn", "pydantic")
"""What modnet cannot do without."""

OPTIONAL = ("pandas", "polars", "pyarrow", "matplotlib", "rich")
"""What modnet makes use of where it is installed."""

CORETYPE = "OPENBLAS_CORETYPE"
"""The environment variable that chooses a kernel of OpenBLAS."""

_BLAS = {
    "openblas": ("OpenBLAS", "OPENBLAS_NUM_THREADS"),
    "mkl": ("MKL", "MKL_NUM_THREADS"),
    "blis": ("BLIS", "BLIS_NUM_THREADS"),
    "flexiblas": ("FlexiBLAS", "OMP_NUM_THREADS"),
}
"""The name of each library in words, and what limits its threads."""

_KERNELS = {
    "AVX-512": ("SkylakeX", "Cooperlake", "SapphireRapids"),
    "AVX2": ("Haswell", "Zen", "Excavator", "Steamroller", "Piledriver", "Bulldozer", "Sandybridge"),
    "neither": ("Nehalem", "Barcelona", "Core2", "Penryn", "Dunnington", "Prescott", "Atom", "Generic"),
}
"""Kernels of OpenBLAS for x86 by the vectors that they use, the widest first. Every build has the first of each."""

_VECTORS = {
    "AVX2": {"avx2", "fma"},
    "AVX-512": {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"},
    "bfloat16": {"avx512_bf16"},
    "AMX": {"amx_tile"},
}
"""Vector instructions, and the CPU flags that tell of them, in the words of Linux."""

_OTHER_LIMITS = ("GOTO_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


def versions() -> Section:
    """Return the versions of Python and of the libraries; imports none of them.

    Examples
    --------
    >>> list(versions().data)[:3], versions().data["numpy"] is None
    (['Python', 'modnet-layers', 'numpy'], False)
    """
    found = {"Python": platform.python_version(), **{name: _version(name) for name in (*NEEDED, *OPTIONAL)}}
    absent = [name for name in OPTIONAL if found[name] is None]
    facts = [(name, version or "not installed") for name, version in found.items() if name not in absent]
    if absent:
        facts.append(("not installed", f"{', '.join(absent)} (optional)"))
    owners = {normalized(name) for name in importlib.metadata.packages_distributions().get("modnet", ())}
    findings = [
        Finding(
            "namesake",
            "problem",
            f"{name} {_version(name)}",
            "installs a package called modnet, too: what is imported is one of the two, or a mixture",
            f"uninstall both, and install {OWN} anew; who needs {name} needs another environment for it",
        )
        for name in sorted(owners - {OWN})
    ]
    return Section("versions", "Versions", found, facts, findings)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


# BLAS


@dataclass(frozen=True)
class Library:
    """A BLAS library in this process.

    Attributes
    ----------
    owner : str
        Who brought it: "numpy", "scipy", or the name of its file where they share one.
    name : str
        "openblas", "mkl", …
    version, kernel : str or None
    threads : int
    """

    owner: str
    name: str
    version: str | None
    kernel: str | None
    threads: int

    def __str__(self) -> str:
        """Return the library and its kernel in words."""
        name, _ = _BLAS.get(self.name, (self.name, None))
        return f"{name}{f' {self.version}' if self.version else ''}, kernel {self.kernel or 'not known'}"


@dataclass(frozen=True)
class Cpu:
    """The CPU.

    Attributes
    ----------
    name : str or None
    flags : frozenset of str or None
        What it can do, in the words of Linux; None: not known.
    """

    name: str | None = None
    flags: frozenset[str] | None = None

    @property
    def vectors(self) -> str:
        """Which vector instructions it has, in words."""
        if self.flags is None:
            return "its vector instructions are not known on this system"
        return ", ".join(name for name, needed in _VECTORS.items() if needed <= self.flags) or "no AVX2"


def libraries() -> tuple[Library, ...]:
    """Return the BLAS libraries that NumPy and SciPy use; those that threadpoolctl does not know are left out."""
    import_module("scipy.linalg")  # loads its library
    parts = []
    for each in import_module("threadpoolctl").threadpool_info():
        if each["user_api"] == "blas":
            # Wheels keep theirs in ``numpy.libs``, or ``numpy/.dylibs`` on macOS.
            match = re.search(r"[/\\](numpy|scipy)(?:\.libs|[/\\]\.(?:libs|dylibs))[/\\]", each["filepath"])
            owner, kernel = match[1] if match else Path(each["filepath"]).name, each.get("architecture")
            parts.append(Library(owner, each["internal_api"], each["version"], kernel, each["num_threads"]))
    return tuple(sorted(parts, key=lambda library: library.owner))


def cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> Cpu:
    """Return what Linux says of the CPU; elsewhere nothing is known of it.

    Examples
    --------
    >>> cpu(Path("no such file")).vectors
    'its vector instructions are not known on this system'
    """
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Cpu()
    fields = dict(re.findall(r"^(model name|flags)\s*:\s*(.*)$", text, re.MULTILINE))
    return Cpu(fields.get("model name"), frozenset(fields["flags"].split()) if "flags" in fields else None)


def better_kernel(kernel: str | None, cpu: Cpu) -> str | None:
    """Return a kernel with wider vectors than the one in use, if the CPU has them and every build of OpenBLAS does.

    Examples
    --------
    >>> wide = Cpu("wide", frozenset("avx2 fma avx512f avx512dq avx512bw avx512vl avx512cd avx512_bf16".split()))
    >>> better_kernel("Haswell", wide), better_kernel("SkylakeX", wide), better_kernel("NEOVERSEN1", wide)
    ('SkylakeX', None, None)
    """
    own = next((index for index, kernels in enumerate(_KERNELS.values()) if kernel in kernels), 0)
    wider = (vectors for vectors in list(_KERNELS)[:own] if _VECTORS[vectors] <= (cpu.flags or frozenset()))
    return next((_KERNELS[vectors][0] for vectors in wider), None)


def blas(found: Sequence[Library], processor: Cpu, environment: Mapping[str, str] = os.environ) -> Section:
    """Return which kernel multiplies NumPy's matrices, a wider one if the CPU has one, and how to choose it.

    Examples
    --------
    >>> wide = Cpu("wide", frozenset("avx2 fma avx512f avx512dq avx512bw avx512vl avx512cd".split()))
    >>> section = blas([Library("numpy", "openblas", "0.3.31", "Haswell", 2)], wide, {})
    >>> section.data["kernel"], section.data["wider_kernel"]
    ('Haswell', 'SkylakeX')
    """
    library = next((each for each in found if each.owner != "scipy"), None)
    if library is None:  # Accelerate, on macOS, is a part of the system that threadpoolctl does not know
        built_with = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {}).get("name", "not known")
        return Section("blas", "BLAS", {"kernel": None, "wider_kernel": None}, [("NumPy", f"built with {built_with}")])
    text = str(library)
    wider = better_kernel(library.kernel, processor) if library.name == "openblas" else None
    if wider:
        unset = f"unset {CORETYPE} (now {environment[CORETYPE]!r}), or " if CORETYPE in environment else ""
        text += f"; this CPU can run {wider}, with wider vectors: {unset}set {CORETYPE}={wider} before Python starts"
    data = {
        "cpu": {"name": processor.name, "vectors": processor.vectors},
        "libraries": [dataclasses.asdict(each) for each in found],
        "kernel": library.kernel,
        "wider_kernel": wider,
    }
    return Section("blas", "BLAS", data, [("NumPy", text)])


# Threads


@dataclass(frozen=True)
class Cores:
    """The cores.

    Attributes
    ----------
    machine : int
        Of the machine.
    available : int
        For this process: what its affinity and the CPU quota of its container leave.
    """

    machine: int
    available: int


def cores() -> Cores:
    """Return how many cores there are."""
    machine = os.cpu_count() or 1
    return Cores(machine, min(machine, import_module("joblib").cpu_count()))


def threads(found: Sequence[Library], cores: Cores, environment: Mapping[str, str] = os.environ) -> Section:
    """Return how many threads BLAS takes, for how many cores, and which environment variables limit them.

    Examples
    --------
    >>> print(threads([Library("numpy", "mkl", None, None, 8)], Cores(8, 4), {"OMP_NUM_THREADS": "8"}))
    Threads
      cores            4 of 8
      numpy            8 threads
      OMP_NUM_THREADS  8
      note     numpy: 8 threads on 4 cores: they wait for each other
               → set MKL_NUM_THREADS=4 in the environment before Python starts
    """
    names = [*(limit for _, limit in _BLAS.values()), *_OTHER_LIMITS]
    limits = {name: environment[name] for name in names if name in environment}
    of = f" of {cores.machine}" if cores.machine != cores.available else ""
    facts = [("cores", f"{cores.available}{of}")]
    facts += [(library.owner, counted(library.threads, "thread")) for library in found]
    data = {
        "cores": dataclasses.asdict(cores),
        "blas": {library.owner: library.threads for library in found},
        "environment": limits,
    }
    together: dict[tuple[str, int], list[str]] = {}
    for library in found:
        if library.threads > cores.available:
            together.setdefault((library.name, library.threads), []).append(library.owner)
    findings = []
    for (name, number), owners in together.items():
        told = f"{counted(number, 'thread')} on {counted(cores.available, 'core')}: they wait for each other"
        _, limit = _BLAS.get(name, (name, "OMP_NUM_THREADS"))
        remedy = f"set {limit}={cores.available} in the environment before Python starts"
        findings.append(Finding("blas-threads", "note", listed(owners), told, remedy))
    fine = "BLAS takes no more threads than there are cores" if found else ""
    return Section("threads", "Threads", data, [*facts, *limits.items()], tuple(findings), fine)
