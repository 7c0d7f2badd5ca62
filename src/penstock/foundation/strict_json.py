"""Reading JSON that a stranger wrote: limits first, then values with one meaning only.

Refused: more than :data:`MAX_BYTES`, more than :data:`MAX_VALUES` values, nesting over :data:`MAX_DEPTH` levels, text
that is not UTF-8 or that could not be written in it (an escape for half of a surrogate pair), ``NaN`` and ``Infinity``
(also a number too large to be finite), and a name that is twice in one object. Only the standard library is used: the
driver in a model's image reads answers with it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

MAX_BYTES = 64 << 20
MAX_DEPTH = 64
MAX_VALUES = 1_000_000
MAX_SHOWN = 200
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_DIGITS = bytes.maketrans(b"123456789E", b"000000000e")


class JsonError(ValueError):
    """This is not JSON as Penstock reads it; the message says why, in a few words."""


def read_json(content: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        JsonError: see the module's text.
    """
    if len(content) > MAX_BYTES:
        raise JsonError(f"it is larger than {MAX_BYTES >> 20} MiB")
    _check_size(content)
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_finite if _may_be_infinite(content) else None,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise JsonError(f"it is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise JsonError(f"{error.msg} (line {error.lineno}, column {error.colno})") from error
    if _SURROGATE.search(content) is not None and not _is_unicode(value):
        raise JsonError("it holds a text that is no Unicode (a lone surrogate)")
    return value


def show_json(value: Any) -> str:
    """A JSON value as text for a message: on one line, long texts and the whole cut short."""
    text = json.dumps(_shortened(value), ensure_ascii=True)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _check_size(content: bytes) -> None:
    """Count levels and values before any is built: a small text can stand for many objects."""
    begun = content.count(b"[") + content.count(b"{")
    if begun <= MAX_DEPTH and begun + content.count(b",") < MAX_VALUES:
        return  # there cannot be more of them than of these signs
    depth, values = 0, 1
    for match in _TOKEN.finditer(content):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
            values += 1
            if depth > MAX_DEPTH:
                raise JsonError(f"it is nested over {MAX_DEPTH} levels")
        elif token in (b"]", b"}"):
            depth -= 1
        elif token == b",":
            values += 1
        if values > MAX_VALUES:
            raise JsonError(f"it has more than {MAX_VALUES:,} values")


def _may_be_infinite(content: bytes) -> bool:
    """Whether a number may be too large: most answers hold thousands of small ones, and to look at each takes long."""
    plain = content.translate(_DIGITS, b"+")
    return b"e000" in plain or b"0" * 200 in plain


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name, count in times.items() if count > 1)
        raise JsonError(f"the name {show_json(twice)} is twice in one object")
    return found


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _constant(text: str) -> float:
    raise JsonError(f"{text} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JsonError(f"the number {text[:20]} is not finite")
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_SHOWN:
        raise JsonError(f"a number has {len(text)} digits")
    return int(text)


def _shortened(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return value if len(value) <= 60 else f"{value[:57]}..."
    if isinstance(value, list):
        return "[...]" if depth > 3 else [_shortened(item, depth + 1) for item in value[:8]]
    if isinstance(value, dict):
        if depth > 3:
            return "{...}"
        return {name[:60]: _shortened(item, depth + 1) for name, item in list(value.items())[:16]}
    return value
