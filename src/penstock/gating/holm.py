"""Holm's correction: several claims about slices of one metric hold together at the level."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.bundle.verdict_record import Outcome


def holm(p_values: Sequence[float], level: float) -> list[tuple[bool, float]]:
    """Which claims hold, so that with probability 1 - ``level`` all that hold are true.

    S. Holm, A simple sequentially rejective multiple test procedure, 1979.

    Returns:
        For each p-value whether its claim holds, and the level that it was compared with.
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    answers = [(False, level)] * len(p_values)
    holding = True
    for rank, index in enumerate(order):
        own = level / (len(p_values) - rank)
        holding = holding and p_values[index] <= own
        answers[index] = (holding, own)
    return answers


def outcomes(not_worse: Sequence[float], worse: Sequence[float], level: float) -> list[tuple[Outcome, float]]:
    """The outcome of each slice, and the level of the claim that it rests on.

    Args:
        not_worse: p-values of "the slice is not worse than its margin allows".
        worse: p-values of "it is".
        level: the policy's; both families of claims hold at it.
    """
    passing, failing = holm(not_worse, level), holm(worse, level)
    answers: list[tuple[Outcome, float]] = []
    for (passes, pass_level), (fails, fail_level) in zip(passing, failing, strict=True):
        if passes:
            answers.append(("pass", pass_level))
        elif fails:
            answers.append(("fail", fail_level))
        else:
            answers.append(("inconclusive", pass_level))
    return answers
