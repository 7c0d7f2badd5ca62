"""Commands of no one family are found as the families' own are."""

from __future__ import annotations

import pytest

from penstock.families.registry import find_score_command, score_commands
from penstock.families.shared_scores import SHARED_SCORES
from penstock.foundation.references import load


@pytest.mark.parametrize("name", SHARED_SCORES)
def test_each_leads_somewhere_and_is_found(name: str) -> None:
    assert callable(load(SHARED_SCORES[name]))
    assert find_score_command(name) == score_commands()[name] == SHARED_SCORES[name]


def test_the_families_commands_are_found_as_before() -> None:
    assert find_score_command("matte") == score_commands()["matte"]
    assert find_score_command("no-such-command") is None
