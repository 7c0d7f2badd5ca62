"""Pairs of probes that are made up."""

from __future__ import annotations

import numpy as np

from penstock.watch.probe_pairs import ProbeAnswer, ProbePair

T0 = 1_764_200_000.0


def pair(
    time: float,
    *,
    canary_fails: bool = False,
    stable_fails: bool = False,
    slower: float = 1.0,
    differs: str | None = None,
    compared: bool = True,
) -> ProbePair:
    """One; the stable side takes 100 ms."""
    return ProbePair(
        time,
        "anna",
        "canary",
        ProbeAnswer(None, "the model answered 500") if canary_fails else ProbeAnswer(100.0 * slower),
        ProbeAnswer(None, "the model answered 503") if stable_fails else ProbeAnswer(100.0),
        compared and not canary_fails,
        differs,
    )


def made_pairs(
    count: int,
    *,
    fails: float = 0.0,
    stable_fails: float = 0.0,
    slower: float = 1.0,
    wrong: float = 0.0,
    every_s: float = 10.0,
    start: float = T0,
) -> list[ProbePair]:
    """So many, one each ten seconds; times vary by 5 %."""
    rng = np.random.default_rng(56)
    return [
        pair(
            start + every_s * number,
            canary_fails=bool(rng.random() < fails),
            stable_fails=bool(rng.random() < stable_fails),
            slower=slower * float(np.exp(0.05 * rng.normal())),
            differs="text is 0.5, over the limit of 0" if rng.random() < wrong else None,
        )
        for number in range(count)
    ]
