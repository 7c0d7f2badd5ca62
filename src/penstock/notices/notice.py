"""What a person is told: two lines, links, and as much more as the receiver takes.

The text of a :class:`Notice` is as it came from a repository, a model or a person: each form
(:mod:`penstock.notices.chat_forms`) writes it so that nothing in it is markup, a link or a name that is notified.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from penstock.foundation.errors import UsageError

Tone = Literal["info", "success", "warning", "failure"]
"""The colour or sign of a message, where the service has one."""

MAX_CHARACTERS = 1_000
"""Of one line."""
MAX_URL_CHARACTERS = 1_000
_LABEL = re.compile(r"[^\W_](?:[^\W_]|[ .-]){0,59}")
"""Letters of any script: people write their links in their own language."""
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][A-Za-z0-9._~:/?#@!$&'*+,;=%-]*)?")
"""No user name or password, no bracket, no space and no quote: it stands in Markdown, HTML and Slack's links."""


@dataclass(frozen=True)
class NoticeLink:
    """Something to follow. Both parts are ours or the operator's, never a repository's."""

    label: str
    url: str

    def __post_init__(self) -> None:
        """Check both.

        Raises:
            UsageError: the label has other characters than letters, digits, spaces, dots and dashes, or the address is
                not a web address without a password.
        """
        if not _LABEL.fullmatch(self.label):
            raise UsageError("a link's label has letters, digits, spaces, dots and dashes", where=ascii(self.label))
        if len(self.url) > MAX_URL_CHARACTERS or not _URL.fullmatch(self.url):
            raise UsageError(
                f"the link '{self.label}' does not lead to a web address",
                todo="Give https://HOST/PATH without a password; write other characters as %XX.",
            )


@dataclass(frozen=True)
class NoticePicture:
    """One picture beside the words; a receiver that cannot show it has the words alone."""

    path: Path
    """A PNG of at most :data:`penstock.report.picture_files.MAX_WORST_BYTES`."""
    alt: str
    """What it shows; text as it came, as that of a :class:`Notice`."""
    link: NoticeLink | None = None
    """Where the service and its users get it without logging in; ``None``: nowhere."""
    attached: bool = False
    """Whether the operator wants it itself sent to those who take files: mails, WeCom's robots."""


@dataclass(frozen=True)
class Notice:
    """One message, the same for all receivers."""

    what: str
    """What happened, with the model's name and version."""
    why: str
    """Why, and what to do."""
    links: tuple[NoticeLink, ...] = ()
    details: tuple[str, ...] = ()
    """Lines that follow, the most important first."""
    tone: Tone = "info"
    picture: NoticePicture | None = None


def fitted(notice: Notice, limit: int, cost: Callable[[str], int], link_cost: Callable[[NoticeLink], int]) -> Notice:
    """``notice``, cut to what a receiver takes: whole lines, whole links, and of a line whole characters.

    Args:
        notice: the whole of it.
        limit: what all lines and links together may cost.
        cost: of one line as it will be written, line end included, in the receiver's unit (bytes, characters).
        link_cost: the same of one link.

    Returns:
        The first line with at most a fifth of ``limit``, the second with at most two fifths; the links that fit; and as
        many of the further lines as fit, with a line that says how many are left out.
    """
    # No service takes an empty line for a text.
    what = clipped(notice.what, lambda text: cost(text) <= limit // 5) or "…"
    why = clipped(notice.why, lambda text: cost(text) <= 2 * limit // 5) or "…"
    left = limit - cost(what) - cost(why)
    links = []
    for link in notice.links:
        if link_cost(link) <= left:
            links.append(link)
            left -= link_cost(link)
    details, lines = [], [line for line in (clipped(line, lambda _: True) for line in notice.details) if line]
    room = cost(_left_out(len(lines)))
    for number, line in enumerate(lines):
        if cost(line) + (room if number + 1 < len(lines) else 0) > left:
            if room <= left:
                details.append(_left_out(len(lines) - number))
            break
        details.append(line)
        left -= cost(line)
    return replace(notice, what=what, why=why, links=tuple(links), details=tuple(details))


def clipped(text: str, fits: Callable[[str], bool]) -> str:
    """``text`` in one line of at most :data:`MAX_CHARACTERS`, or its longest beginning that fits, with an ellipsis.

    A letter stays with its accents; what is cut is the text itself, so no escape that it is written with is cut.
    """
    line = " ".join(text[: 4 * MAX_CHARACTERS].split())
    if len(line) <= MAX_CHARACTERS and fits(line):
        return line
    least, most = 0, min(len(line), MAX_CHARACTERS) - 1
    while least < most:
        middle = (least + most + 1) // 2
        if fits(_beginning(line, middle)):
            least = middle
        else:
            most = middle - 1
    return _beginning(line, least)


def _beginning(line: str, end: int) -> str:
    while 0 < end < len(line) and unicodedata.category(line[end]).startswith("M"):
        end -= 1
    return f"{line[:end].rstrip()}…"


def _left_out(number: int) -> str:
    return f"… and {number} more {'line' if number == 1 else 'lines'} in the report."
