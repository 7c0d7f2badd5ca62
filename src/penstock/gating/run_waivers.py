"""Waivers that a run was given, beside those of its policy: people wrote them below a pull request.

They count for that run alone: a policy is changed by a commit, which others see and approve.
"""

from __future__ import annotations

import datetime
import json
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from penstock.bundle.directory import explain
from penstock.contract.policy import MetricName, Strict, Waiver
from penstock.foundation.errors import UsageError

MAX_CHARACTERS = 20_000
MAX_WAIVERS = 50


class RunWaiver(Strict):
    """One entry of the parameter ``waive``."""

    metric: MetricName
    slice: Annotated[str | None, Field(max_length=200)] = None
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    expires: datetime.date
    """The last day on which it holds, in UTC."""
    by: Annotated[str, Field(min_length=1, max_length=200)]
    """Who gave it: the name of the account on the forge."""


_WAIVERS = TypeAdapter(Annotated[list[RunWaiver], Field(max_length=MAX_WAIVERS)])


def run_waivers(text: str) -> list[Waiver]:
    """The waivers in a JSON list of ``{metric, slice, reason, expires, by}``; none in an empty text.

    Raises:
        UsageError: it is something else.
    """
    if not text.strip():
        return []
    todo = 'Write [{"metric": "lse_d", "reason": "…", "expires": "2026-12-31", "by": "ada"}].'
    if len(text) > MAX_CHARACTERS:
        raise UsageError(f"longer than {MAX_CHARACTERS} characters", where="waive", todo=todo)
    try:
        found = _WAIVERS.validate_python(json.loads(text))
    except ValidationError as error:
        raise UsageError(f"not a list of waivers: {explain(error)}", where="waive", todo=todo) from None
    except (ValueError, RecursionError):
        raise UsageError("not JSON", where="waive", todo=todo) from None
    return [
        Waiver(metric=one.metric, slice=one.slice, reason=one.reason, author=one.by, expires=one.expires)
        for one in found
    ]
