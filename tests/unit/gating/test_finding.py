"""One sentence against a rule decides it."""

from __future__ import annotations

from penstock.gating.finding import Finding
from penstock.gating.wording import Sentence


def test_what_decides_is_told() -> None:
    found = Finding([], [], [Sentence("is 1", "LSE-D")])
    assert (found.verdict, str(found.reason)) == ("pass", "LSE-D is 1")
    found.undecided.append(Sentence("14 of 40 ratings"))
    assert (found.verdict, str(found.reason)) == ("inconclusive", "14 of 40 ratings")
    found.against.append(Sentence("is 2, above the maximum of 1", "LSE-D"))
    assert found.verdict == "fail"
    assert str(found.reason) == "LSE-D is 2, above the maximum of 1; 14 of 40 ratings"
    assert str(Finding([], [], []).reason) == ""
