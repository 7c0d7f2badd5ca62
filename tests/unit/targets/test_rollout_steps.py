"""How long the steps of a Rollout may take."""

from __future__ import annotations

import pytest

from penstock.targets.pod_template import Json
from penstock.targets.rollout_steps import analysis_s, steps_s

WATCH = {"spec": {"metrics": [{"interval": "60s", "count": 122}, {"interval": "5m", "count": 3, "initialDelay": "1m"}]}}


def test_pauses_and_analyses_one_after_the_other() -> None:
    asked: list[str] = []

    def read(name: str) -> Json:
        asked.append(name)
        return WATCH

    analysis = {"templates": [{"templateName": "watch"}, {"templateName": "of-all", "clusterScope": True}]}
    steps = [{"setWeight": 5}, {"pause": {"duration": "10m"}}, {"pause": {}}, {"analysis": analysis}, {"pause": None}]
    assert steps_s({"steps": steps}, read) == 600 + 122 * 60
    assert asked == ["watch"], "what is of the whole cluster needs another right"


@pytest.mark.parametrize(
    ("metric", "seconds"),
    [({}, 0), ({"interval": "{{args.every}}", "count": 5}, 0), ({"interval": "9s", "count": "{{args.n}}"}, 0)],
)
def test_what_is_not_known_counts_nothing(metric: Json, seconds: float) -> None:
    assert analysis_s({"spec": {"metrics": [metric]}}) == seconds
