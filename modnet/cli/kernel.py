"""The BLAS kernel of a command that runs long: OpenBLAS's own choice, or a better one if a trial proves it.

OpenBLAS reads `OPENBLAS_CORETYPE` once, when it is loaded, and ``import modnet`` has loaded it with NumPy. So the
command starts itself anew with the variable set. A program may do that for itself; a library may not, and
`modnet.cli.main`, which anybody's program may call, does not.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from modnet.cli.output import complain
from modnet.diagnosis.blas import CORETYPE, Cpu, Library, better_kernel, cpu, loaded, of_numpy
from modnet.diagnosis.kernel_trial import proves

COMMANDS = ("train",)
"""What runs long. `predict` seldom does: 20,000 rows of 256 columns through 1024-1024 units gained 0.45 s, about what
the trial and the new start took."""

REPLACED = "MODNET_REPLACED_KERNEL"
"""The environment variable that tells the new process which kernel OpenBLAS had chosen."""


@dataclass(frozen=True)
class Choice:
    """Which kernel NumPy uses, and who chose it.

    Attributes
    ----------
    kernel : str
    chosen_by : {"OpenBLAS", "OPENBLAS_CORETYPE", "modnet train"}
        The environment variable, if somebody other than modnet has set it.
    in_place_of : str or None
        OpenBLAS's own choice, if modnet has made another.
    """

    kernel: str
    chosen_by: str
    in_place_of: str | None = None

    def __str__(self) -> str:
        """Return it in words."""
        if self.in_place_of is not None:
            return f"kernel {self.kernel}, faster here than OpenBLAS's choice {self.in_place_of} ({CORETYPE} overrides)"
        by = f", as {CORETYPE} asks" if self.chosen_by == CORETYPE else ""
        return f"kernel {self.kernel}{by}"


def choice(found: Sequence[Library], environment: Mapping[str, str] = os.environ) -> Choice | None:
    """Return which kernel is in use and why; None where NumPy has no OpenBLAS that would say so.

    Examples
    --------
    >>> library = Library("numpy", "openblas", "0.3.31", "Haswell", 2)
    >>> print(choice([library], {"OPENBLAS_CORETYPE": "Haswell"}))
    kernel Haswell, as OPENBLAS_CORETYPE asks
    """
    library = of_numpy(found)
    if library is None or library.name != "openblas" or library.kernel is None:
        return None
    own = environment.get(REPLACED, library.kernel)
    if own != library.kernel:
        return Choice(library.kernel, "modnet train", own)
    return Choice(library.kernel, CORETYPE if environment.get(CORETYPE) else "OpenBLAS")


def improvement(
    found: Sequence[Library], processor: Cpu, environment: Mapping[str, str] = os.environ
) -> dict[str, str] | None:
    """Return the variables that choose a kernel with wider vectors than OpenBLAS's choice; None if there is none.

    There is none where somebody has set `OPENBLAS_CORETYPE`, be it to nothing, or modnet has chosen already.

    Examples
    --------
    >>> wide = Cpu("wide", frozenset("avx2 fma avx512f avx512dq avx512bw avx512vl avx512cd".split()))
    >>> library = Library("numpy", "openblas", "0.3.31", "Haswell", 2)
    >>> improvement([library], wide, {})
    {'OPENBLAS_CORETYPE': 'SkylakeX', 'MODNET_REPLACED_KERNEL': 'Haswell'}
    """
    if CORETYPE in environment or REPLACED in environment:
        return None
    library = of_numpy(found)
    if library is None or library.name != "openblas" or library.kernel is None:
        return None
    better = better_kernel(library.kernel, processor)
    return None if better is None else {CORETYPE: better, REPLACED: library.kernel}


def improve(argv: Sequence[str]) -> None:
    """Start this process anew under a better kernel, if the command runs long and there is one; otherwise return.

    Parameters
    ----------
    argv : sequence of str
        The arguments of the command.
    """
    command = next((arg for arg in argv if not arg.startswith("-")), None)
    if command not in COMMANDS or sys.platform != "linux" or not is_own_process(argv):
        return
    variables = improvement(loaded(), cpu())
    if variables is not None and proves(variables[CORETYPE]):
        try:
            start_anew(variables)
        except OSError as error:
            complain("warning", f"{CORETYPE}={variables[CORETYPE]} is faster here, but starting anew fails: {error}")


def is_own_process(argv: Sequence[str]) -> bool:
    """Return whether this process was started for a command with these arguments.

    In a notebook's ``%run -m modnet train …``, say, it was not: starting anew would end the notebook's process.
    """
    return bool(sys.executable and argv) and sys.orig_argv[-len(argv) :] == list(argv)


def start_anew(variables: Mapping[str, str]) -> NoReturn:
    """Replace this process by one with the same arguments and these environment variables."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **variables})
