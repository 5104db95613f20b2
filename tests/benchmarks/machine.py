"""The machine and the libraries, as a process sees them."""

import importlib.metadata
import os
import platform
import re
from importlib import import_module
from pathlib import Path
from typing import Any

CPUINFO = Path("/proc/cpuinfo")

AVX512 = frozenset({"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"})

NARROW = frozenset({"Haswell", "Zen", "Sandybridge", "Nehalem", "Barcelona", "Core2", "Penryn", "Prescott", "Generic"})
"""Kernels of OpenBLAS whose vectors have 256 bits or fewer."""

LIBRARIES = (
    "modnet-layers",
    "modnet-numba",
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "torch",
    "jax",
    "skorch",
    "keras",
    "threadpoolctl",
)


def seen() -> dict[str, Any]:
    """Return the CPU, the kernels of BLAS, and how busy the machine is with other things."""
    flags = cpu_says("flags").split()
    vectors = {"AVX2": {"avx2", "fma"}, "AVX-512": AVX512, "bfloat16": {"avx512_bf16"}, "AMX": {"amx_tile"}}
    known = ", ".join(name for name, needed in vectors.items() if needed <= {*flags})
    return {
        "cpu": cpu_says("model name") or platform.processor() or platform.machine(),
        "vectors": known or ("no AVX2" if flags else "what it has is not known on this system"),
        "cpus": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "kernels": {
            owner: f"{each['internal_api']} {each['version']}, {each.get('architecture')}"
            for owner, each in libraries().items()
        },
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def cpu_says(field: str) -> str:
    """Return what Linux says of the CPU; nothing where it is not known."""
    text = CPUINFO.read_text(encoding="utf-8", errors="replace") if CPUINFO.exists() else ""
    found = re.search(rf"^{field}\s*: (.*)$", text, re.MULTILINE)
    return found.group(1) if found else ""


def libraries() -> dict[str, dict[str, Any]]:
    """Return what threadpoolctl says of the BLAS libraries, by who brought them."""
    import_module("scipy.linalg")  # loads its library
    found = [each for each in import_module("threadpoolctl").threadpool_info() if each["user_api"] == "blas"]
    return {owner(each["filepath"]): each for each in sorted(found, key=lambda each: owner(each["filepath"]))}


def owner(file: str) -> str:
    """Return who brought a library: NumPy, SciPy, or its own name where they share one.

    Examples
    --------
    >>> owner("/lib/scipy.libs/libscipy_openblas.so"), owner("/usr/lib/libblas.so.3")
    ('scipy', 'libblas.so.3')
    """
    found = re.search(r"[/\\](numpy|scipy)(?:\.libs|[/\\]\.(?:libs|dylibs))[/\\]", file)
    return found.group(1) if found else Path(file).name


def right_kernel() -> str | None:
    """Return the kernel that suits the CPU better than the one that OpenBLAS chooses; None: it chooses well."""
    kernels = [each.get("architecture") for name, each in libraries().items() if name != "scipy"]
    wide = {*cpu_says("flags").split()} >= AVX512
    return "SkylakeX" if wide and any(kernel in NARROW for kernel in kernels) else None


def versions() -> dict[str, str]:
    """Return the versions of the libraries that are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
