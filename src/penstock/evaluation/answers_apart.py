"""How far two answers to one case lie apart, and whether that is more than the limits allow."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penstock.bundle.export_record import share_of_limit
from penstock.contract.placeholders import Scalar
from penstock.foundation.errors import PenstockError
from penstock.foundation.references import Reference, load
from penstock.gating.decision import ROUNDING

log = logging.getLogger(__name__)

MAX_FAULT = 400


@dataclass(frozen=True)
class AnswersApart:
    """What came of a comparison."""

    values: dict[str, float] = field(default_factory=dict)
    """Name → how far they lie apart, as :class:`penstock.families.family.Agreement` has it; empty where they cannot be
    compared."""
    fault: str | None = None
    """Why they do not agree, in one line of at most 400 characters; ``None``: they do."""


def answers_apart(
    compare: Reference,
    limits: Mapping[str, float],
    one: Mapping[str, Path],
    other: Mapping[str, Path],
    given: Mapping[str, Scalar],
) -> AnswersApart:
    """Compare two answers to one case. They are hostile: what they do to a decoder is a fault.

    Args:
        compare: the family's comparison.
        limits: name of each value → the largest that is allowed, from 0.
        one: the answer that the other is held to, by the name of the call.
        other: the other one.
        given: the case's parameters.
    """
    try:
        found = load(compare)(one, other, given)
        values = {name: float(found[name]) for name in limits}
    except PenstockError as error:
        return AnswersApart(fault=one_cut_line(error.what))
    except Exception as error:
        reason = one_cut_line(f"the answers cannot be compared: {type(error).__name__}: {error}")
        log.warning("%s", reason, exc_info=error)
        return AnswersApart(fault=reason)
    if not all(math.isfinite(value) for value in values.values()):
        return AnswersApart(fault="the answers differ by no finite number")
    over = [over_limit(name, value, limits[name]) for name, value in values.items() if _is_over(value, limits[name])]
    return AnswersApart(values, "; ".join(over) or None)


def over_limit(name: str, value: float, limit: float) -> str:
    """That a value is over its limit, in words."""
    return f"{name} is {value:.4g}, over the limit of {limit:g}"


def one_cut_line(text: str) -> str:
    """In one line, since it quotes the model: a line of the model's own would pass for one of ours."""
    return " ".join(text.split())[:MAX_FAULT]


def _is_over(value: float, limit: float) -> bool:
    """Whether a value is over its limit by more than its own rounding: 51 of 255 levels are not over 0.2."""
    return share_of_limit(value, limit) > 1 + ROUNDING
