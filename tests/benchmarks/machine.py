"""The machine and the libraries, as a process sees them."""

import importlib.metadata
import os
import platform
from typing import Any

from modnet.diagnosis.machine import better_kernel, cpu, libraries

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
    return {
        "cpu": cpu().name or platform.processor() or platform.machine(),
        "vectors": cpu().vectors,
        "cpus": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "kernels": {each.owner: f"{each.name} {each.version}, {each.kernel}" for each in libraries()},
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def right_kernel() -> str | None:
    """Return the kernel that suits the CPU better than the one that OpenBLAS chooses; None: it chooses well."""
    return next((better_kernel(each.kernel, cpu()) for each in libraries() if each.owner != "scipy"), None)


def versions() -> dict[str, str]:
    """Return the versions of the libraries that are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
