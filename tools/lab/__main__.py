"""Entry point of ``python3 tools/lab`` and ``python3 -m tools.lab``."""

import sys
from pathlib import Path

# Started as a folder, Python puts tools/lab itself on the path; the package is found from the project's root.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.lab.cli import main

if __name__ == "__main__":
    sys.exit(main())
