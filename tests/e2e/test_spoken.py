"""What is said in the videos of a talking head: heard by the transcriber of *measure*, and seen on the lips.

The run is the worse release, which others look at too: 24 short videos are heard in some 15 s of one core.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.e2e.run import Run
from tests.e2e.session import HEARD_BY

from penstock.bundle.directory import Bundle
from penstock.evaluation.transcripts import FILE

SAID = 13
"""Cases of sonic-lite's suite whose text is known."""
HEARD = re.compile(r'"heard":\s*\[\s*\[')
"""In the page: the words of a video."""


@pytest.fixture(scope="module")
def spoken(worse: Run, bundles: Path) -> Bundle:
    return worse.must_be_red().bundle(bundles / "spoken")


def test_the_words_of_each_video_stand_in_the_evidence(spoken: Bundle) -> None:
    lines = [json.loads(line) for line in (spoken.path / FILE).read_text(encoding="utf-8").splitlines()]
    assert sorted(line["case"] for line in lines) == sorted(call.case for call in spoken.invocations())
    assert {line["by"] for line in lines} == {HEARD_BY}
    assert [line["error"] for line in lines if "error" in line] == []
    assert sum(bool(line["words"]) for line in lines) > len(lines) / 2


def test_the_report_has_words_beside_its_videos(spoken: Bundle) -> None:
    assert HEARD.search((spoken.report / "index.html").read_text(encoding="utf-8"))


def test_lips_are_judged_where_the_text_is_known(spoken: Bundle) -> None:
    (rule,) = (rule for rule in spoken.verdict().rules if rule.metric == "lip_closure")
    assert (rule.n, rule.candidate is not None) == (SAID, True)
    measured = [item for item in spoken.measurements() if item.metric == "lip_closure" and item.value is not None]
    assert len(measured) == SAID
    assert all(0 <= (item.value or 0) <= 1 for item in measured)
