"""What is known of a video frame by frame: ``series.jsonl`` of a bundle. The file may be edited: it is checked."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.families.family import View
from penstock.foundation.errors import UsageError, one_line
from penstock.foundation.files import inside, open_regular, read_regular

TRANSCRIPTS = "transcripts.jsonl"
OLD_FILE = "frames.json"
"""In bundles of older versions: one file a case, beside its output."""
MAX_BYTES = 8 << 20
MAX_POINTS = 40_000
MAX_WORDS = 2_000
LONGEST_WORD = 60
LATEST_S = 36_000.0
LARGEST = 1e9

Series = dict[str, Any]
"""``fps``; ``lanes``, numbers (or ``null``) of each lane of the family's view by its name; ``sound``, peaks from 0 to
1, and ``sound_fps``, how many there are a second; ``words`` of the case's text with their times, those that were
``heard``, and ``closures``, the sounds for which lips must meet, with whether they do; ``box``, what the closeup is of,
in shares of the frame. What is absent in the file is empty here."""


def read_series(bundle: Bundle, cases: Collection[str], view: View) -> dict[str, Series]:
    """The series of these cases' videos, rounded for drawing; those that cannot be read are left out.

    The file is read line by line: what it holds of other cases takes no memory.
    """
    found = _read(bundle, cases, view)
    for case, words in _heard(bundle, cases).items():
        if case in found:
            found[case]["heard"] = words
    return found


def _heard(bundle: Bundle, cases: Collection[str]) -> dict[str, list[list[Any]]]:
    """The words that a transcriber heard (``transcripts.jsonl``)."""
    found: dict[str, list[list[Any]]] = {}
    for line in _lines(bundle.path / TRANSCRIPTS):
        value = _parsed(line)
        if isinstance(value, dict) and isinstance(case := value.get("case"), str) and case in cases:
            found[case] = _words(value.get("words"))
    return found


def _read(bundle: Bundle, cases: Collection[str], view: View) -> dict[str, Series]:
    if not bundle.series_file.exists():
        return {case: old for case in cases if (old := _beside_the_output(bundle, case, view)) is not None}
    wanted = set(cases)
    found: dict[str, Series] = {}
    for line in _lines(bundle.series_file):
        value = _parsed(line)
        case = value.get("case") if isinstance(value, dict) else None
        if isinstance(value, dict) and isinstance(case, str) and case in wanted:
            found[case] = _drawn(value, view)
    return found


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of the file, but those that are longer than any that is written."""
    try:
        with open_regular(path, where=str(path)) as file:
            whole = True
            while line := file.readline(MAX_BYTES):
                ends = line.endswith(b"\n")
                if whole and ends:
                    yield line
                whole = ends
    except (UsageError, OSError):
        return


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _beside_the_output(bundle: Bundle, case: str, view: View) -> Series | None:
    if not _is_name(case):
        return None
    try:
        path = inside(bundle.outputs, f"{case}/{OLD_FILE}", where=OLD_FILE)
        value = _parsed(read_regular(path, max_bytes=MAX_BYTES, where=str(path)))
    except UsageError:
        return None
    return _drawn(value, view) if isinstance(value, dict) else None


def _drawn(value: dict[str, Any], view: View) -> Series:
    sound = value.get("sound")
    sound = sound if isinstance(sound, dict) else {}
    speech = value.get("speech")
    speech = speech if isinstance(speech, dict) else {}
    return {
        "fps": _rate(value.get("fps"), 25.0),
        "lanes": {lane.name: _numbers(value.get(lane.series)) for lane in view.lanes},
        "sound": [min(1.0, abs(peak or 0.0)) for peak in _numbers(sound.get("peaks"))],
        "words": _words(speech.get("words")),
        "heard": [],
        "closures": _closures(speech.get("closures")),
        "sound_fps": _rate(sound.get("per_second"), 50.0),
        "box": _box(value.get(view.closeup.series)) if view.closeup is not None else None,
    }


def _is_name(case: str) -> bool:
    return Path(case).name == case and case not in ("", ".", "..") and "\x00" not in case


def _rate(value: object, otherwise: float) -> float:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0.1 <= value <= 1000
    return float(value) if fits and isinstance(value, int | float) else otherwise


def _numbers(value: object) -> list[float | None]:
    """Numbers with four decimals, ``None`` for anything else; NaN is not smaller than anything."""
    if not isinstance(value, list):
        return []
    return [round(v, 4) if type(v) in (float, int) and -LARGEST < v < LARGEST else None for v in value[:MAX_POINTS]]


def _words(value: object) -> list[list[Any]]:
    """``text, start, end`` in seconds of each word; what is no word is left out."""
    entries = [each for each in _entries(value) if len(each) == 3 and isinstance(each[0], str) and _span(each[1:3])]
    return [[one_line(text)[:LONGEST_WORD], *_span(times)] for text, *times in entries]


def _closures(value: object) -> list[list[Any]]:
    """``p, start, end, closed`` of each sound for which lips must meet."""
    entries = [each for each in _entries(value) if len(each) >= 4 and each[0] in ("p", "b", "m") and _span(each[1:3])]
    return [[symbol, *_span([start, end]), closed is True] for symbol, start, end, closed, *_ in entries]


def _entries(value: object) -> list[list[Any]]:
    return [each for each in value[:MAX_WORDS] if isinstance(each, list)] if isinstance(value, list) else []


def _span(values: list[object]) -> list[float]:
    """Beginning and end in seconds; empty where these are none."""
    found = [value for value in _numbers(values) if value is not None and 0 <= value <= LATEST_S]
    return found if len(found) == 2 and found[0] <= found[1] else []


def _box(value: object) -> list[float] | None:
    """``x, y, width, height`` as shares of the frame."""
    numbers = _numbers(value)
    box = [number for number in numbers if number is not None and 0 <= number <= 1]
    return box if len(numbers) == len(box) == 4 and box[2] * box[3] > 0 else None
