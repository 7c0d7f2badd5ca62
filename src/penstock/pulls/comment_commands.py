"""Commands in a comment: its first lines, as long as each begins with ``/penstock``."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Literal

from penstock.foundation.errors import one_line

MAX_COMMANDS = 5
MAX_LINE = 600
MAX_REASON = 300
MAX_WAIVED_DAYS = 92
Verb = Literal["verify", "retest", "cancel", "waive", "ok-to-test"]
USAGE: dict[Verb, str] = {
    "verify": "/penstock verify [full]",
    "retest": "/penstock retest",
    "cancel": "/penstock cancel",
    "waive": "/penstock waive METRIC[@SLICE] REASON until YYYY-MM-DD",
    "ok-to-test": "/penstock ok-to-test COMMIT",
}
_METRIC = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}(?:@[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")
_WAIVE = re.compile(r"(?P<metric>\S+)\s+(?P<reason>\S.*\S|\S)\s+until\s+(?P<day>\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class CommentWaiver:
    """A rule that may be broken until a day."""

    metric: str
    slice: str | None
    reason: str
    expires: datetime.date

    def as_json(self, by: str) -> dict[str, str]:
        """As the runs' parameter ``waive`` has it."""
        found = {"metric": self.metric, "reason": self.reason, "expires": self.expires.isoformat(), "by": by}
        return found if self.slice is None else {**found, "slice": self.slice}


@dataclass(frozen=True)
class PullCommand:
    """One command."""

    verb: Verb
    full: bool = False
    """Of ``verify``: the whole suite."""
    commit: str = ""
    """Of ``ok-to-test``: the commit that is meant, as it was written; none is meant by less than all of its digits."""
    waived: CommentWaiver | None = None


@dataclass(frozen=True)
class CommentCommands:
    """What a comment asks for."""

    commands: tuple[PullCommand, ...] = ()
    faults: tuple[str, ...] = ()
    """What is wrong with lines that are no commands, for who wrote them."""


def has_commands(text: str) -> bool:
    """Whether a comment begins with a command, cheaply."""
    return re.match(r"/penstock(?![^\s])", text[:10], re.IGNORECASE) is not None


def parse_commands(text: str, *, today: datetime.date) -> CommentCommands:
    """Read a comment.

    Args:
        text: of anybody, with whatever in it.
        today: in UTC; a waiver ends after it, within 92 days.
    """
    commands: list[PullCommand] = []
    faults: list[str] = []
    for line in re.split(r"\r\n|\n|\r", text)[: MAX_COMMANDS + 1]:
        if not has_commands(line):
            break
        if len(commands) + len(faults) == MAX_COMMANDS:
            faults.append(f"a comment has at most {MAX_COMMANDS} commands; the others were left out")
            break
        try:
            commands.append(_command(line.strip(), today))
        except _FaultError as fault:
            faults.append(str(fault))
    return CommentCommands(tuple(commands), tuple(faults))


class _FaultError(Exception):
    pass


def _command(line: str, today: datetime.date) -> PullCommand:
    if len(line) > MAX_LINE or not line.replace("\t", " ").isprintable():
        raise _FaultError(f"a command has at most {MAX_LINE} characters, all of them visible")
    _, verb, rest = (*line.split(None, 2), "", "")[:3]
    known: Verb | None = next((one for one in USAGE if one == verb.lower()), None)
    if known is None:
        raise _FaultError(f"there is no command '{one_line(verb)[:40]}'; there are: {', '.join(USAGE.values())}")
    words = rest.split()
    if known == "verify" and [word.lower() for word in words] in ([], ["full"]):
        return PullCommand(known, full=bool(words))
    if known == "ok-to-test" and (not words or re.fullmatch("[0-9a-f]{7,64}", rest.strip().lower())):
        return PullCommand(known, commit=rest.strip().lower())
    if known == "waive":
        return PullCommand(known, waived=_waived(rest, today))
    if known in ("retest", "cancel") and not words:
        return PullCommand(known)
    raise _FaultError(f"write: {USAGE[known]}")


def _waived(rest: str, today: datetime.date) -> CommentWaiver:
    found = _WAIVE.fullmatch(rest.strip())
    if found is None:
        raise _FaultError(f"write: {USAGE['waive']}")
    if _METRIC.fullmatch(found["metric"]) is None:
        raise _FaultError("the metric is not named as a rule names it, with @SLICE after it if it has one")
    reason = " ".join(found["reason"].split())
    if len(reason) > MAX_REASON or "$(" in reason:
        raise _FaultError(f"a reason has at most {MAX_REASON} characters, and no '$('")
    try:
        expires = datetime.date.fromisoformat(found["day"]) if len(found["day"]) == 10 else None
    except ValueError:
        expires = None
    if expires is None or not today <= expires <= today + datetime.timedelta(days=MAX_WAIVED_DAYS):
        last = (today + datetime.timedelta(days=MAX_WAIVED_DAYS)).isoformat()
        raise _FaultError(f"a waiver ends on a day from {today.isoformat()} to {last}, written so")
    metric, _, slice_ = found["metric"].partition("@")
    return CommentWaiver(metric, slice_ or None, reason, expires)
