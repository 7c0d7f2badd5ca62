"""Parameter and result values: text, a list or a mapping of texts, read and written as Tekton's Go code does."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Literal

ValueType = Literal["string", "array", "object"]
Value = str | list[str] | dict[str, str]
"""A Tekton value; its type is ``string``, ``array`` or ``object``."""


def type_name(value: Value) -> ValueType:
    """Tekton's name for the type of ``value``."""
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "string"


def from_yaml(raw: Any) -> Value:
    """The value that Tekton makes of a YAML value.

    A list or mapping that holds anything but text becomes its JSON text, numbers and booleans become their JSON text:
    ``1`` is ``"1"``, ``[1, 2]`` is ``"[1,2]"``, ``null`` is ``""``.
    """
    if raw is None:
        return ""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, list) and all(item is None or isinstance(item, str) for item in raw):
        return [item or "" for item in raw]
    if isinstance(raw, dict) and all(item is None or isinstance(item, str) for item in raw.values()):
        return {key: item or "" for key, item in raw.items()}
    return go_json(raw)


def from_json_text(text: str) -> Value:
    """The value that Tekton reads from the file of a result that is not declared as a string."""
    if not text:
        return ""
    kind = {"[": list, "{": dict}.get(text[0])
    try:
        parsed = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text
    if kind is not None:
        value = from_yaml(parsed)
        return value if isinstance(value, kind) else text
    if parsed is None:
        return ""
    return parsed if isinstance(parsed, str) else text


def go_json(value: Any) -> str:
    """``value`` as Go's ``json.Marshal`` writes it: sorted keys, no spaces, ``<``, ``>`` and ``&`` escaped."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{go_json(key)}:{go_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(go_json(item) for item in value) + "]"
    if isinstance(value, float):
        return go_float(value)
    text = json.dumps(value, ensure_ascii=False)
    for character, escaped in _ESCAPES.items():
        text = text.replace(character, escaped)
    return text


_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029", "\x7f": "\x7f"}


def go_float(number: float) -> str:
    """A float as Go's ``json.Marshal`` writes it: ``1.0`` is ``1``, ``1e21`` is ``1e+21``."""
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    if number == 0:
        return "-0" if math.copysign(1, number) < 0 else "0"
    digits, _, exponent = f"{number:.17e}".partition("e")
    mantissa, _, power = repr(number).partition("e")
    if 1e-6 <= abs(number) < 1e21:
        if not power:
            return mantissa.removesuffix(".0")
        return _plain(mantissa, int(power))
    if not power:
        # repr() writes 1e-5 and below with an exponent, so only the large range can be here
        power = exponent
        mantissa = repr(float(digits))
    sign = "-" if int(power) < 0 else "+"
    return f"{mantissa.removesuffix('.0')}e{sign}{abs(int(power))}"


def _plain(mantissa: str, power: int) -> str:
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = whole + fraction
    point = len(whole) + power
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return sign + digits + "0" * (point - len(digits))
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
