"""``python tests/bench``: see README.md beside this file."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # A folder that is run stands on the path itself; its modules are a package's all the same.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from bench.command import main

    sys.exit(main())
