"""``python -m modnet`` is ``modnet``."""

import sys

from modnet.cli import main


def program() -> int:
    """Run the command in the process that was started for it; return the exit status.

    Beyond `modnet.cli.main` it may choose a BLAS kernel for this process.
    """
    from modnet.cli.kernel import improve  # looks at the machine, which `modnet.cli` by itself does not

    improve(sys.argv[1:])
    return main()


if __name__ == "__main__":
    sys.exit(program())
