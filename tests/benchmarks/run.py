"""The command: ``python tests/benchmarks/run.py --help``."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # A script's own folder comes first on the path, and a file in it would stand before a module of the same name.
    sys.path[0] = str(Path(__file__).parents[1])
    from benchmarks.command import main

    sys.exit(main())
