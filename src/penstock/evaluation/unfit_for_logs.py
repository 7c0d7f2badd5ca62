"""What has no place in a log: secrets, pictures, vectors. What is found is named by its kind, never repeated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

VECTOR = 32
"""So many numbers in a row are data of somebody: an embedding of a face can be turned back into one."""
PICTURE = 200
"""So many characters of base64 that begin like a picture."""
MAX_DEPTH = 20

SECRETS: Mapping[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50})"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20}"),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10}"),
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30}"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{5,4000}\.[A-Za-z0-9_-]{5}"),
    "an address with a password": re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"']{1,100}:[^\s/@\"']{1,100}@"),
    "an authorization": re.compile(r"(?i)\b(?:bearer|basic) [A-Za-z0-9+/=_.~-]{12}"),
}
"""Kind of secret → how it looks. Not every secret looks like one: those that stand beside their name are
:data:`NAMED`."""
CALLED = r"(?:password|passwd|pwd|secret|(?:api|access|secret|private)[_-]?key|token)"
NAMED = re.compile(rf"(?i)(?:^|[^a-z])({CALLED})[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?([^\s\"',;&}}\]]{{6,200}})")
NAME = re.compile(rf"(?i)(?:^|.*[^a-z]){CALLED}")
HARMLESS = re.compile(r"(?i)[<\[({$]|[*x•.-]{3}|redacted|hidden|masked|none|null|true|false|\d+(\.\d+)?$")
"""What stands in the place of a secret that was left out, or is none."""
PICTURES: Mapping[str, re.Pattern[str]] = {
    "a picture": re.compile(
        rf"data:image/[a-z.+-]{{2,20}};base64,|(?:iVBORw0KGgo|/9j/|R0lGOD|UklGR)[A-Za-z0-9+/]{{{PICTURE}}}"
    ),
    "raw data in base64": re.compile(r"[A-Za-z0-9+/]{2000}"),
}
_NUMBER = r"-?\d{1,20}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?"
NUMBERS = re.compile(rf"{_NUMBER}(?:[,\s]{{1,3}}{_NUMBER}){{{VECTOR - 1}}}")


def secret_in(text: str) -> str | None:
    """Which kind of secret a line holds, if it holds any."""
    for kind, pattern in SECRETS.items():
        if pattern.search(text):
            return kind
    for found in NAMED.finditer(text):
        if not HARMLESS.match(found[2]):
            return f"a value of '{found[1].lower()}'"
    return None


def secret_field(line: Mapping[str, Any]) -> str | None:
    """The field of a JSON line, or of an object in it, that is called like a secret and has a text of some length."""
    for name, value in line.items():
        if isinstance(value, str) and len(value) >= 6 and NAME.fullmatch(name) and not HARMLESS.match(value):
            return f"a value of '{name[:80]}'"
        if isinstance(value, dict) and (found := secret_field(value)) is not None:
            return found
    return None


def picture_in(text: str) -> str | None:
    """Whether a line holds a picture, or as much data in base64."""
    return next((kind for kind, pattern in PICTURES.items() if pattern.search(text)), None)


def vector_in(text: str) -> bool:
    """Whether a line that is no JSON holds a vector."""
    return NUMBERS.search(text) is not None


def vector_field(value: Any, depth: int = 0) -> bool:
    """Whether a JSON value holds a list of :data:`VECTOR` numbers or more."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return any(vector_field(each, depth + 1) for each in value.values())
    if isinstance(value, list):
        numbers = sum(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
        return numbers >= VECTOR or any(vector_field(each, depth + 1) for each in value)
    return isinstance(value, str) and vector_in(value)
