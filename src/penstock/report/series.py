"""What is known of a video frame by frame: ``outputs/CASE/frames.json``. The file may be edited: it is checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.families.family import View
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, read_regular

FRAMES_FILE = "frames.json"
MAX_BYTES = 8 << 20
MAX_POINTS = 40_000
LARGEST = 1e9


def frames_of(bundle: Bundle, case: str, view: View) -> dict[str, Any] | None:
    """The series of a case's video, rounded for drawing; ``None`` if there are none that can be read.

    ``fps``; ``lanes``, the numbers (or ``null``) of each lane of the family's view by its name; ``sound``, peaks from
    0 to 1, and ``sound_fps``, how many there are a second; ``box``, what the closeup is of, as shares of the frame.
    What is absent in the file is empty here.
    """
    if not _is_name(case):
        return None
    try:
        path = inside(bundle.outputs, f"{case}/{FRAMES_FILE}", where=FRAMES_FILE)
        value = json.loads(read_regular(path, max_bytes=MAX_BYTES, where=str(path)))
    except (UsageError, ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
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
