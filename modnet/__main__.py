"""``python -m modnet`` is ``modnet``."""

import sys

from modnet.cli import main

if __name__ == "__main__":
    sys.exit(main())
