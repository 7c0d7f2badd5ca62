"""How long the steps of a Rollout may take: a promotion must not end before its watch has to."""

from __future__ import annotations

import math
from collections.abc import Callable

from penstock.targets.go_duration import seconds_of
from penstock.targets.pod_template import Json


def steps_s(canary: Json, template_of: Callable[[str], Json]) -> float:
    """The seconds that the pauses and analyses of a canary's steps may take at the most.

    Pauses that wait for a person, templates of the whole cluster (which need another right), and figures that are
    filled in later count nothing.

    Args:
        canary: ``spec.strategy.canary``.
        template_of: reads an AnalysisTemplate by its name.
    """
    whole = 0.0
    for step in canary.get("steps") or []:
        if "pause" in step:
            whole += _known(seconds_of((step["pause"] or {}).get("duration") or 0))
        if "analysis" in step:
            named = [one for one in step["analysis"].get("templates") or [] if not one.get("clusterScope")]
            every = [analysis_s(template_of(str(one.get("templateName")))) for one in named]
            whole += max(every, default=0.0)
    return whole


def analysis_s(template: Json) -> float:
    """The seconds that an analysis may take by its template: its metrics go side by side."""
    longest = 0.0
    for metric in (template.get("spec") or {}).get("metrics") or []:
        count = str(metric.get("count") or 1)
        times = int(count) if count.isascii() and count.isdecimal() and len(count) < 10 else 0
        every, delay = seconds_of(metric.get("interval") or 0), seconds_of(metric.get("initialDelay") or 0)
        longest = max(longest, _known(delay) + _known(every) * times)
    return longest


def _known(seconds: float) -> float:
    return seconds if math.isfinite(seconds) else 0.0
