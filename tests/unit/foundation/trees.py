"""Trees as hostile programs leave them."""

from __future__ import annotations

import os
from pathlib import Path


def deep(path: Path, levels: int) -> None:
    """Nest folders deeper than any path reaches; in the innermost lies a file."""
    current = os.open(path, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("nested", dir_fd=current)
        inner = os.open("nested", os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = inner
    os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=current))
    os.close(current)
