"""What is known of a video frame by frame: ``series.jsonl`` of a bundle. The file may be edited: it is checked."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.families.family import View
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, open_regular, read_regular

OLD_FILE = "frames.json"
"""In bundles of older versions: one file a case, beside its output."""
MAX_BYTES = 8 << 20
MAX_POINTS = 40_000
LARGEST = 1e9

Series = dict[str, Any]
"""``fps``; ``lanes``, numbers (or ``null``) of each lane of the family's view by its name; ``sound``, peaks from 0 to
1, and ``sound_fps``, how many there are a second; ``box``, what the closeup is of, as shares of the frame. What is
absent in the file is empty here."""


def read_series(bundle: Bundle, cases: Collection[str], view: View) -> dict[str, Series]:
    """The series of these cases' videos, rounded for drawing; those that cannot be read are left out.

    The file is read line by line: what it holds of other cases takes no memory.
    """
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
    return {
        "fps": _rate(value.get("fps"), 25.0),
        "lanes": {lane.name: _numbers(value.get(lane.series)) for lane in view.lanes},
        "sound": [min(1.0, abs(peak or 0.0)) for peak in _numbers(sound.get("peaks"))],
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


def _box(value: object) -> list[float] | None:
    """``x, y, width, height`` as shares of the frame."""
    numbers = _numbers(value)
    box = [number for number in numbers if number is not None and 0 <= number <= 1]
    return box if len(numbers) == len(box) == 4 and box[2] * box[3] > 0 else None
