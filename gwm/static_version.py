"""One version for all static files, as a part of their address.

Whatever changes in `static/` or in a theme, every address changes, so browsers may keep files for good and never ask
again. Files keep their names, so that modules and style sheets find each other by relative addresses, without a build.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def version_of(*directories: Path, made: str = "") -> str:
    """Return a short digest of all names and contents below directories, and of what is made and lies in none."""
    digest = hashlib.sha256()
    for directory in directories:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(directory)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    digest.update(made.encode())
    return digest.hexdigest()[:8]


def is_immutable(path: str, url: str) -> bool:
    """Tell WhiteNoise that a file under its versioned address never changes."""
    return True
