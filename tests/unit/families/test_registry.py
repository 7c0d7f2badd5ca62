"""What the registry says of metrics and of the networks that come along."""

from __future__ import annotations

import re
from pathlib import Path

from penstock.families.registry import STAND_IN, is_stand_in, known_metrics

STAND = "syncnet-compact@sha256:" + "d4" * 32
PUBLISHED = "syncnet-v2@sha256:" + "e5" * 32


def test_only_the_extractors_that_come_with_penstock_are_stand_ins() -> None:
    assert is_stand_in(STAND)
    assert not is_stand_in(PUBLISHED)
    assert not is_stand_in(None)


def test_the_glossary_has_each_metric_in_one_sentence() -> None:
    text = (Path(__file__).parents[3] / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if "`" in line]
    told = {row[1].strip("`"): (row[0].replace("\\|", "|"), row[4]) for row in rows if len(row) == 5}
    assert told == {metric.name: (metric.title, metric.meaning) for metric in known_metrics().values()}
    assert STAND_IN[1:] in text
    assert all(metric.meaning.endswith(".") and ". " not in metric.meaning for metric in known_metrics().values())
