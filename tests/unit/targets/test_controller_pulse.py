"""A controller that writes nothing for too long is gone."""

from __future__ import annotations

import pytest

from penstock.targets.controller_pulse import SILENT_S, ControllerPulse, ControllerSilentError, measured


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_it_is_gone_once_it_should_have_written() -> None:
    clock = Clock()
    pulse = ControllerPulse(where="target 'studio'", now=clock)
    pulse.look(1, 5.0, "measured anything")
    clock.at = 5.0 + SILENT_S
    pulse.look(1, 5.0, "measured anything")
    pulse.look(2, 5.0, "measured anything")
    clock.at += 5.0 + SILENT_S
    pulse.look(2, 5.0, "measured anything")
    clock.at += 1
    with pytest.raises(ControllerSilentError, match=r"has not measured anything for 66 s: it does not run, or hangs"):
        pulse.look(2, 5.0, "measured anything")


def test_what_it_need_not_do_takes_as_long_as_it_likes() -> None:
    clock = Clock()
    pulse = ControllerPulse(where="", now=clock)
    for clock.at in (0.0, 1e6):
        pulse.look(1, None, "done anything")
    for clock.at in (1e6, 2e6):
        pulse.look(1, float("inf"), "measured anything")
    pulse.look(1, 0.0, "seen the change")  # another thing to wait for begins anew


def test_what_an_analysis_has_measured() -> None:
    results = [{"name": "watch", "count": 3, "phase": "Running", "measurements": []}]
    metric = {"name": "watch", "interval": "30s", "provider": {"web": {"timeoutSeconds": 65}}}
    counts, within_s = measured({"spec": {"metrics": [metric]}, "status": {"metricResults": results}})
    assert (counts, within_s) == ([["watch", 3, None, "Running"]], 95.0)
    assert measured({}) == ([], 0.0)
    assert measured({"spec": {"metrics": [{"interval": "{{args.x}}"}]}})[1] == float("inf")
    assert measured({"spec": {"metrics": [{"provider": {"job": {"spec": {}}}}, metric]}})[1] == float("inf")
