"""Words that read as translated, and the plain ones that stand in their place (CONTRIBUTING.md)."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUFFIXES = (".py", ".yaml", ".js", ".j2", ".md")
PLACES = ("src", "tasks", "tekton", "docs")
PLAIN = {
    r"\b[Pp]rove(s|n|d)? that\b|\bis proven\b|, proven to\b": "check, validate, verify",
    r"\b[Hh]eld against\b|\b[Hh]olds? [^.\n]{0,50}\bagainst\b": "compare with, judge by",
    r"\bspeaks? (about|of)\b": "measure, be about, cover",
    r"\brelease of today\b|\breleased today\b": "current release",
    r"\btorn apart\b": "incomplete",
    r"\b[Ww]hoever\b": "anybody who, the process that",
    r"'\} is no [a-z]+\"": "is not a",
}
"""Pattern → what to write in its place."""


@functools.cache
def texts() -> dict[Path, str]:
    """What is looked through."""
    paths = [path for place in PLACES for path in sorted((ROOT / place).rglob("*"))]
    looked = [path for path in paths if path.suffix in SUFFIXES and path.name != "BENCHMARKS.md"]
    return {path: path.read_text(encoding="utf-8") for path in looked}


@pytest.mark.parametrize("pattern", PLAIN)
def test_plain_words(pattern: str) -> None:
    found = []
    for path, text in texts().items():
        for match in re.finditer(pattern, text):
            number = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{number}: {text.splitlines()[number - 1].strip()[:100]}")
    assert not found, f"write instead: {PLAIN[pattern]}"
