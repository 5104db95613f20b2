"""Throw-away distributions: a module and its ``.dist-info``, written where `importlib.metadata` finds them.

They are what an installer leaves behind, so the registry is tested through the door that real plugins come in by.
"""

import base64
import hashlib
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from modnet.registry import estimators, registry

WOBBLE = '''
import numpy as np
from modnet import Activation

class Wobble(Activation):
    """a = z σ(z)."""

    slope: float = 1.0

    def f(self, z, *, out=None):
        return np.multiply(z, 1 / (1 + np.exp(-self.slope * z)), out=out)

    def df(self, z, a, da, *, out=None):
        s = 1 / (1 + np.exp(-self.slope * z))
        return np.multiply(da, s + self.slope * z * s * (1 - s), out=out)
'''
"""Source of a module with one valid activation, ``Wobble``: a name that no real plugin is likely to have."""


class Site:
    """A directory on ``sys.path`` to install distributions into.

    Parameters
    ----------
    root : Path
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def install(
        self,
        name: str,
        *,
        modules: Mapping[str, str] | None = None,
        entry_points: Mapping[str, Mapping[str, str]] | None = None,
        version: str = "1.2",
    ) -> Path:
        """Write a distribution and let the registry see it.

        Parameters
        ----------
        name : str
            Of the distribution, as its metadata spells it.
        modules : mapping of str to str
            Name of a top-level module to its source.
        entry_points : mapping of str to mapping
            Group (``"modnet.activations"``) to names and their values (``"module:Class"``).
        version : str

        Returns
        -------
        Path
            The ``.dist-info`` directory.
        """
        written = {f"{module}.py": source for module, source in (modules or {}).items()}
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        written[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        written[f"{info}/entry_points.txt"] = "\n".join(
            "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in points.items())])
            for group, points in (entry_points or {}).items()
        )
        lines = []
        for path, text in written.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            lines.append(f"{path},sha256={digest},{len(text.encode())}")
        (self.root / info / "RECORD").write_text("\n".join([*lines, f"{info}/RECORD,,"]) + "\n", encoding="utf-8")
        self.refresh()
        return self.root / info

    def wobble(self, distribution: str, module: str, *, name: str = "wobble", version: str = "1.2") -> Path:
        """Install a distribution whose one module offers `Wobble` as the activation `name`."""
        points = {"modnet.activations": {name: f"{module}:Wobble"}}
        return self.install(distribution, modules={module: WOBBLE}, entry_points=points, version=version)

    def refresh(self) -> None:
        """Forget what Python and the registries remember of the files."""
        importlib.invalidate_caches()
        registry.refresh()
        estimators.refresh()

    def python(self, code: str) -> str:
        """Run code in a new interpreter that has this site first on its path; return what it prints."""
        path = os.pathsep.join([str(self.root), *filter(None, [os.environ.get("PYTHONPATH")])])
        return run_python(code, PYTHONPATH=path)


def run_python(code: str, cwd: Path | None = None, python: str = sys.executable, **environment: str) -> str:
    """Run code in a new interpreter, warnings being errors; return what it prints.

    Raises
    ------
    AssertionError
        If it fails; shows its stderr.
    """
    done = subprocess.run(
        [python, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def throw_away_site(root: Path) -> Iterator[Site]:
    """Put a directory first on ``sys.path``; afterwards nothing of it is left in this process."""
    modules = set(sys.modules)
    sys.path.insert(0, str(root))
    site = Site(root)
    site.refresh()
    try:
        yield site
    finally:
        sys.path.remove(str(root))
        for name in set(sys.modules) - modules:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and Path(origin).is_relative_to(root):
                del sys.modules[name]
        site.refresh()
