"""Files of a run as the book hands them out: which type they get, which bytes, and why none of them runs in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from penstock.ratings.records import RATINGS_FILE
from penstock.report.media import TYPES

REPORT = "report/index.html"
"""The one page of a bundle that is shown as a page."""
READERS_ONLY = frozenset((RATINGS_FILE,))
"""What a link to a run does not open: it names the people who rated."""
SOUNDS = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".m4a": "audio/mp4"}
TEXTS = frozenset((".txt", ".md", ".log", ".json", ".jsonl", ".yaml", ".yml", ".xml", ".csv", ".svg", ".html", ".htm"))
"""Shown as what they say, letter by letter."""
DEFAULT = "application/octet-stream"

NOTHING_RUNS = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'"
"""For what is not our page: were it shown as a document, it is in an origin of its own, where nothing runs or loads."""
REPORT_RUNS = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; base-uri 'none'; form-action 'none'"
)
"""A report has a script of ours. It runs in an origin of its own, too: it reads nothing of the book, and fetches
nothing from elsewhere. It can go to another address, and so tell its own.
"""
_RANGE = re.compile(r"^bytes=([0-9]{0,18})-([0-9]{0,18})$")


class UnfitRangeError(Exception):
    """A range of which the file has nothing: 416."""


@dataclass(frozen=True)
class Part:
    """Which bytes are sent."""

    start: int
    length: int
    whole: bool
    """Nobody asked for a part: 200, not 206."""


def part_of(size: int, asked: str) -> Part:
    """The bytes that ``Range`` asks for; all of them where it asks for nothing, or in a way that may be ignored.

    Several ranges at once may be ignored (RFC 9110, 14.2), and are: made small and many they cost far more to send than
    to ask for.

    Args:
        size: bytes of the file, at least 0.
        asked: the header's value, empty if there is none.

    Raises:
        UnfitRangeError: the file has no byte of it.
    """
    match = _RANGE.match(asked.strip())
    if match is None or not (match[1] or match[2]):
        return Part(0, size, whole=True)
    if match[1]:
        start = int(match[1])
        end = min(int(match[2]), size - 1) if match[2] else size - 1
        if match[2] and int(match[2]) < start:
            return Part(0, size, whole=True)  # not a range at all
    else:
        start, end = max(0, size - int(match[2])), size - 1
    if start >= size or (not match[1] and int(match[2]) == 0):
        raise UnfitRangeError
    return Part(start, end - start + 1, whole=False)


def type_of(name: str) -> str:
    """The type that a file is sent as: by its ending alone, never by its content, and never one that a browser runs."""
    if name == REPORT:
        return "text/html; charset=utf-8"
    ending = PurePosixPath(name).suffix.lower()
    if ending in TEXTS:
        return "text/plain; charset=utf-8"
    return TYPES.get(ending) or SOUNDS.get(ending) or DEFAULT


def kind_of(name: str) -> str:
    """How the book shows a file: ``video``, ``image``, ``audio``, or ``file``: by its name alone."""
    family = type_of(name).partition("/")[0]
    return family if family in ("video", "image", "audio") else "file"


def policy_of(name: str) -> str:
    """The ``Content-Security-Policy`` that goes with a file."""
    return REPORT_RUNS if name == REPORT else NOTHING_RUNS
