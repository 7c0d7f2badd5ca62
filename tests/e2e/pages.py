"""Fenced blocks of the documentation: what they hold, and what is to be done with them.

The words after the language say how a block is tried (the page's reader does not see them):

- ``yaml``: a manifest that the API server must accept; ``yaml kueue``: so, with Kueue's definitions;
- ``yaml kustomization``: an overlay; ``yaml patches``: a list of patches for one;
- ``yaml run``: what stands under ``spec`` of a manifest like ``tekton/runs/release.yaml``;
- ``yaml pod-template``: a file for ``tkn … --pod-template``;
- ``json lifecycle``: a bucket's life cycle;
- ``sh checked``: commands that are run; ``sh dry-run``: kubectl commands that are run with ``--dry-run=server``;
- ``sh`` alone: for reading, because it needs what no test has, or never ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.repositories import ROOT

PAGES = [
    ROOT / "docs" / name
    for name in ("install.md", "operations.md", "troubleshooting.md", "triggers.md", "kind.md", "pulls.md")
]
KNOWN = {
    "yaml",
    "yaml kueue",
    "yaml kustomization",
    "yaml patches",
    "yaml pod-template",
    "yaml run",
    "json lifecycle",
    "sh checked",
    "sh dry-run",
    "sh",
    "",
}
_FENCE = re.compile(r"^```(?P<label>[a-z][a-z -]*)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    label: str
    text: str

    @property
    def place(self) -> str:
        """``install.md:12``."""
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = _FENCE.finditer(text)
    return [
        Block(page.name, text.count("\n", 0, match.start()) + 1, (match["label"] or "").strip(), match["text"])
        for match in found
    ]


def labelled(*labels: str) -> list[Block]:
    """The blocks of all pages that carry one of these labels."""
    return [block for page in PAGES for block in blocks(page) if block.label in labels]


def commands(block: Block) -> list[str]:
    """The commands of a block, continued lines joined."""
    return [line for line in block.text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
