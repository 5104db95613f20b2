"""The BLAS libraries that NumPy and SciPy have loaded, the kernels they use, and what the CPU could do.

OpenBLAS chooses a kernel by the model of the CPU, and may take an old one for a model that it does not know.
`OPENBLAS_CORETYPE` in the environment makes the choice instead; it is read when the library is loaded, so it has to be
there before Python starts.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from modnet.diagnosis.finding import Finding, listed

CORETYPE = "OPENBLAS_CORETYPE"
"""The environment variable that chooses a kernel."""

_CPUINFO = Path("/proc/cpuinfo")

_AVX512 = frozenset({"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"})
_NEEDS = {
    "SapphireRapids": _AVX512 | {"avx512_bf16", "amx_tile", "amx_bf16"},
    "Cooperlake": _AVX512 | {"avx512_bf16"},
    "SkylakeX": _AVX512,
    "Haswell": frozenset({"avx2", "fma"}),
}
"""Kernels of OpenBLAS by the names that `OPENBLAS_CORETYPE` takes, best first, and the CPU flags that each needs.

The first two differ from SkylakeX in what they do with bfloat16, and a build need not have them: in the wheels of NumPy
2.4 (OpenBLAS 0.3.31) Cooperlake stands for SkylakeX and SapphireRapids is not found."""

_WIDTHS = {
    **dict.fromkeys(("SapphireRapids", "Cooperlake", "SkylakeX"), 512),
    **dict.fromkeys(("Haswell", "Zen", "Excavator", "Steamroller", "Piledriver", "Bulldozer", "Sandybridge"), 256),
    **dict.fromkeys(("Nehalem", "Barcelona", "Core2", "Penryn", "Dunnington", "Prescott", "Atom", "Generic"), 128),
}
"""Bits per vector of a kernel, as far as they matter here."""


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
            return "what it has is not known on this system"
        known = {"AVX2": _NEEDS["Haswell"], "AVX-512": _AVX512, "bfloat16": {"avx512_bf16"}, "AMX": {"amx_tile"}}
        return ", ".join(name for name, needed in known.items() if needed <= self.flags) or "no AVX2"

    @property
    def kernels(self) -> tuple[str, ...]:
        """The kernels that it can run, best first; empty where its flags are not known."""
        flags = self.flags or frozenset()
        return tuple(name for name, needed in _NEEDS.items() if needed <= flags)


def libraries() -> tuple[Library, ...]:
    """Return the BLAS libraries that NumPy and SciPy use; those that threadpoolctl does not know are left out."""
    import_module("scipy.linalg")  # loads its library
    return loaded()


def loaded() -> tuple[Library, ...]:
    """Return those that this process has loaded so far: NumPy's at least."""
    threadpool_info = import_module("threadpoolctl").threadpool_info
    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    return tuple(
        sorted(
            (
                Library(
                    _owner(each["filepath"]),
                    each["internal_api"],
                    each["version"],
                    each.get("architecture"),
                    each["num_threads"],
                )
                for each in found
            ),
            key=lambda library: library.owner,
        )
    )


def of_numpy(found: Sequence[Library]) -> Library | None:
    """Return the library that NumPy multiplies matrices with; None: it is not among them.

    Examples
    --------
    >>> of_numpy([Library("libopenblas.so.0", "openblas", "0.3.29", "Zen", 8)]).kernel
    'Zen'
    """
    others = (library for library in found if library.owner != "scipy")
    return next((library for library in found if library.owner == "numpy"), next(others, None))


def built_with() -> str:
    """Return the BLAS that NumPy was built with, for where no library is found: Accelerate is part of macOS."""
    config = np.show_config(mode="dicts")
    return str(config.get("Build Dependencies", {}).get("blas", {}).get("name", "not known"))


def cpu(cpuinfo: Path = _CPUINFO) -> Cpu:
    """Return what Linux says of the CPU; elsewhere nothing is known of it.

    Examples
    --------
    >>> cpu(Path("no such file")).vectors
    'what it has is not known on this system'
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
    suited = [name for name in ("SkylakeX", "Haswell") if name in cpu.kernels]
    if not suited or kernel not in _WIDTHS or _WIDTHS[suited[0]] <= _WIDTHS[kernel]:
        return None
    return suited[0]


def kernel_findings(
    found: Sequence[Library], cpu: Cpu, environment: Mapping[str, str] = os.environ
) -> Iterator[Finding]:
    """Yield what is to be said of the kernels before anything is measured."""
    by_choice: dict[tuple[str, str], list[str]] = {}
    for library in found:
        kernel = library.kernel
        better = better_kernel(kernel, cpu) if library.name == "openblas" else None
        if kernel is not None and better is not None:
            by_choice.setdefault((kernel, better), []).append(library.owner)
    for (kernel, better), owners in by_choice.items():
        asked = f", as {CORETYPE}={environment[CORETYPE]} asks" if CORETYPE in environment else ""
        gain = "modnet doctor --measure shows whether it gains, and is right"
        remedy = f"unset {CORETYPE}, or {setting(better)}; {gain}"
        if not asked:
            remedy = f"{setting(better)}; {gain}: modnet train takes it by itself then"
        yield Finding(
            "blas-kernel",
            "note",
            listed(owners),
            f"kernel {kernel} ({_WIDTHS[kernel]}-bit vectors){asked}, and the CPU has {_WIDTHS[better]}-bit vectors",
            remedy,
        )


def setting(kernel: str) -> str:
    """Return how to choose a kernel, in one line."""
    return f"set {CORETYPE}={kernel} in the environment before Python starts"


def _owner(path: str) -> str:
    """Return who brought a library: wheels keep theirs in ``numpy.libs``, or ``numpy/.dylibs`` on macOS."""
    match = re.search(r"[/\\](numpy|scipy)(?:\.libs|[/\\]\.(?:libs|dylibs))[/\\]", path)
    return match[1] if match else Path(path).name
