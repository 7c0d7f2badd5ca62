"""A report printed by a real Chromium."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from penstock.bundle.directory import Bundle

PRINT = """
import sys
from pathlib import Path
from penstock.report.printed_page import print_page
page, target, name, day = sys.argv[1:]
print_page(Path(page), Path(target), name, day)
"""


def test_it_has_pages_and_is_the_same_each_time(pair: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    page = pair[0].report / "index.html"
    for name in ("a.pdf", "b.pdf"):
        # a process of its own, as the command is: other tests here keep a browser open, and Playwright allows one
        printed = [str(page), str(tmp_path / name), "sonic-lite 1.1.0: <b>rejected</b>", "2026-05-04"]
        subprocess.run([sys.executable, "-c", PRINT, *printed], check=True)
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type ?/Page\b", content)) >= 2
    assert b"(D:20260504000000" in content
    assert content == (tmp_path / "b.pdf").read_bytes()
    assert b"/JavaScript" not in content
