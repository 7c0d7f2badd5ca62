"""Pin every requirement with its hashes; no index line and no address: nothing of where it was made."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
OPTIONS = [
    "--quiet",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
    "--no-emit-options",
]
OPTIONS += ["--allow-unsafe", "--strip-extras", "--no-annotate", "--no-header"]


def main() -> int:
    """Write ``base.in`` from ``pyproject.toml``, then ``*.txt`` from ``*.in``."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = ["# Written from pyproject.toml by `make requirements`.", *project["dependencies"]]
    lines += ["# building Penstock itself", "setuptools>=77", "wheel", ""]
    (HERE / "base.in").write_text("\n".join(lines), encoding="utf-8")
    for name in sys.argv[1:] or ["base", "dev", "parity"]:
        subprocess.run(
            [sys.executable, "-m", "piptools", "compile", *OPTIONS, "--output-file", f"{name}.txt", f"{name}.in"],
            cwd=HERE,
            check=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
