"""Reading a file of Kubernetes manifests: several documents, hostile, with the types that ``kubectl`` gives them.

``kubectl`` reads YAML 1.1 its own way: ``yes``, ``on`` and ``y`` are booleans, ``010`` is 8, ``1e3`` is a number, dates
and ``1:30`` are text. A parameter's value depends on it, so this module does the same. Limits: 1 MiB, 32 levels,
200,000 values once aliases are expanded, 200 documents; a key that is there twice, a tag and a number that is not
finite are refused with their line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from penstock.foundation.errors import UsageError
from penstock.foundation.files import read_regular
from penstock.foundation.yaml_composer import MAX_VALUES, Composer
from penstock.foundation.yaml_text import MAX_BYTES, Document
from penstock.tekton.values import go_float

MAX_DOCUMENTS = 200
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")


def read_manifests(path: Path, *, name: str) -> list[Document]:
    """All documents of the file that are not empty.

    Args:
        path: the file.
        name: what messages call it.

    Raises:
        UsageError: there is no such regular file, it is not YAML, or a limit of this module is broken.
    """
    return parse_manifests(read_regular(path, max_bytes=MAX_BYTES, where=name), name=name)


def parse_manifests(content: bytes, *, name: str) -> list[Document]:
    """All documents in ``content`` (UTF-8) that are not empty; see :func:`read_manifests`."""
    if len(content) > MAX_BYTES:
        raise UsageError(f"the file is larger than {MAX_BYTES >> 20} MiB", where=name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError("the file is not UTF-8 text", where=f"{name}:{line}", todo="Save it as UTF-8.") from None
    try:
        return [Document(name, root) for root in _KubectlComposer(name, text).documents() if root.value is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise UsageError(f"not valid YAML: {problem}", where=f"{name}:{line}", todo="Check the indentation.") from None
    except RecursionError:
        raise UsageError("nested too deep", where=name) from None


class _KubectlComposer(Composer):
    """As ``kubectl`` reads manifests: many documents, its own words, and merge keys."""

    max_documents = MAX_DOCUMENTS
    max_aliases = MAX_VALUES  # what they expand to is counted
    merges = True

    def field_name(self, event: Any) -> str:
        value = self.scalar(event)
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        return go_float(value) if isinstance(value, float) else str(value)

    def plain(self, text: str) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        number = _number(text)
        return text if number is None else number


def _number(text: str) -> int | float | None:
    """What Go's ``strconv.ParseInt(text, 0, 64)``, then ``ParseFloat``, make of it."""
    plain = text.replace("_", "") if text[:1] in "+-.0123456789" else ""
    if not plain or len(plain) > 400:
        return None
    if _INTEGER.fullmatch(plain):
        digits = plain.lstrip("+-")
        base = {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2].lower())
        if base is None:
            base = 8 if digits.startswith("0") and len(digits) > 1 else 10
        number = int(digits[2:] if digits[:2].lower() in ("0x", "0b", "0o") else digits, base)
        number = -number if plain.startswith("-") else number
        if -(1 << 63) <= number < (1 << 64):
            return number
    return float(plain) if _FLOAT.fullmatch(plain) else None
