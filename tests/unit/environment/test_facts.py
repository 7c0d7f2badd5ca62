"""Facts before they are judged."""

from __future__ import annotations

from penstock.environment.facts import FoundVersion


def test_a_version_and_where_it_was_found() -> None:
    found = FoundVersion("11.8.0", "libcudart.so.11.0")
    assert (found.major, str(found)) == (11, "11.8.0 (libcudart.so.11.0)")
    assert FoundVersion("9", "x").major == 9
