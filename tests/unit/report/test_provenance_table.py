"""Where a run came from, and the command that reproduces it."""

from __future__ import annotations

from penstock.bundle.directory import Bundle
from penstock.report.provenance_table import reproduce


def test_the_command_reproduces_the_run(pair: tuple[Bundle, Bundle]) -> None:
    assert (
        reproduce(pair[0].run())
        == f"penstock run release --repo 'https://git.example.org/a b.git' --revision {'c' * 40}"
    )
