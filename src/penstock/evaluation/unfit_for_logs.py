"""What has no place in a log: secrets, pictures, vectors. What is found is named by its kind, never repeated."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

VECTOR = 32
"""So many numbers in one value, half of them not whole: an embedding of a face can be turned back into one."""
MANY = 128
"""So many numbers of any kind in one value."""
PLACES = 512
"""So many where they stand in rows of two to eight: fewer are the points and boxes of a detector."""
PICTURE = 200
"""So many characters of base64 that begin like a picture."""
MAX_DEPTH = 64
MIN_SECRET = 6

SECRETS: Mapping[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50})"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20}"),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10}"),
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30}"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{5,4000}\.[A-Za-z0-9_-]{5}"),
}
"""Kind of secret → how it looks. Not every secret looks like one: those that stand beside their name are
:data:`NAMED`."""
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"']{0,100}:([^\s/@\"']{1,100})@")
BEARER = re.compile(r"(?i)\bbearer ([A-Za-z0-9+/=_.~-]{12,400})")
BASIC = re.compile(r"(?i)\bbasic ([A-Za-z0-9+/]{8,400}={0,2})")

_CALLED = r"(?:password|passwd|passphrase|pwd|secret|(?:api|access|secret|private)[_-]?key|authorization|token)"
CALLED = re.compile(rf"(?i){_CALLED}")
_HUMP = r"(?:(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]))"
_BEGINS = rf"(?:(?<![A-Za-z])|{_HUMP})"
_SCHEME = r"(?:(?i:bearer|basic|token|key|digest) )?"
NAMED = re.compile(
    rf"(?P<before>(?i:next|page|pad|eos|bos|unk|mask|sep|cls|stop)?[_-]?){_BEGINS}(?P<name>(?i:{_CALLED}))"
    rf"\\?[\"']?(?P<to>\s{{0,3}}[:=]\s{{0,3}})(?:\\?(?P<quote>[\"']))?{_SCHEME}(?P<value>[^\s\"',;&}}\]]{{6,200}})"
)
OPTION = re.compile(rf"--(?:[a-z]{{1,20}}-){{0,3}}(?P<name>{_CALLED})[ =][\"']?(?P<value>[^\s\"']{{6,200}})")
FIELD = re.compile(rf"(?P<before>(?:next|page|pad|eos|bos|unk|mask|sep|cls|stop)?_?)(?<![a-z])({_CALLED})[^a-z0-9]*$")
HUMP = re.compile(_HUMP)
SCHEME = re.compile(_SCHEME)
OF_TEXT = re.compile(r"(?i)next|page|pad|eos|bos|unk|mask|sep|cls|stop")
"""A token called so is a piece of text, or a place in a list."""
SPOKEN = {"message", "msg", "event", "error", "exception", "exc_info", "traceback", "stack", "stack_info", "detail"}
"""Fields that hold what a program says. What stands in others may be what it has read."""
WORDS = (
    r"(?:none|null|nil|true|false|redacted|hidden|masked|removed|omitted|required|missing|invalid|expired|unset|empty|"
    r"optional|default|disabled|enabled|unknown|wrong|incorrect|mounted|loaded|provided|field|value|is|not|set|was|the)"
)
HARMLESS = re.compile(
    rf"(?i)[<\[({{]*{WORDS}(?:[ _-]{WORDS})*[>\])}}.!]*|<[^<>]*>|[<\[({{]+[a-z _.-]*[>\])}}]*|\$[{{(].*"
    r"|.*[*•]{3}.*|…+|[x.-]{3,}|v?\d[\d.,:/-]*|%[a-z_]+%|/(?:run|var|etc|tmp|home|mnt|opt|root|usr|app|secrets?)/.*"
    r"|\w+\.(?:json|txt|yaml|yml|model|bin|pem)",
    re.DOTALL,
)
"""What stands in the place of a secret that was left out, or is none."""
VARIABLE = re.compile(r"\$[A-Z_][A-Z0-9_]*")
CODE = re.compile(r"[A-Za-z_]+(?:\.[A-Za-z_]+)*[\[(].*|[A-Za-z_]+(?:\.[A-Za-z_]+)+", re.DOTALL)

_BASE64 = r"[A-Za-z0-9+/_-]"
PICTURES: Mapping[str, re.Pattern[str]] = {
    "a picture": re.compile(
        rf"data:image/[a-z.+-]{{2,20}};base64,|(?:iVBORw0KGgo|[/_]9j[/_]|R0lGOD|UklGR){_BASE64}{{{PICTURE}}}"
    ),
    "raw data in base64": re.compile(rf"(?<!{_BASE64}){_BASE64}{{2000}}"),
}
WRAPPED = re.compile(r"(?:\\r|\\n|[\r\n])+(?=[A-Za-z0-9+/_=-])")
"""The end of a line, as such or as it is escaped."""

_NUMBER = r"[-+]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][-+]?\d{1,4})?"
NUMBER = re.compile(_NUMBER)
TYPED = re.compile(rf"\b(?:(?:np|numpy|torch|jnp)\.)?(?:float|bfloat|int|uint)(?:8|16|32|64)?\(({_NUMBER})\)")
ARRAY = re.compile(r"\b(?:(?:np|numpy|torch|jnp)\.)?(?:array|tensor|Tensor)\(")
NOTHING = re.compile(r"(?i)\b(?:nan|inf|infinity|null|none)\b")
STRETCH = re.compile(r"[-+0-9.eE,;\s\[\]()]+")
"""All that a vector is written with."""
PIECE = re.compile(r"[\[(\])\n]|[^\s,;\[\]()]+")


def secret_in(text: str, *, said: bool = True) -> str | None:
    """Which kind of secret a text holds, if it holds any.

    Args:
        text: a line, or a field of one.
        said: it is what a program says. Otherwise ``password: x`` is no secret: it may be what a model has read.
    """
    if len(text) < MIN_SECRET:
        return None
    for kind, pattern in SECRETS.items():
        if pattern.search(text):
            return kind
    if any(not HARMLESS.fullmatch(found[1]) for found in ADDRESS.finditer(text)):
        return "an address with a password"
    if any(_random(found[1]) for found in BEARER.finditer(text)):
        return "an authorization"
    if any(_basic(found[1]) for found in BASIC.finditer(text)):
        return "an authorization"
    if not CALLED.search(text):
        return None
    for found in NAMED.finditer(text):
        loose = found["quote"] is None and found["to"] != "="
        if (loose and not said) or (OF_TEXT.match(found["before"]) and found["name"].lower() == "token"):
            continue
        if _secret(found["name"], found["value"], quoted=found["quote"] is not None, loose=loose):
            return _of(found["name"])
    for found in OPTION.finditer(text):
        if _secret(found["name"], found["value"], quoted=False, loose=True):
            return _of(found["name"])
    return None


def secret_field(line: Mapping[str, Any]) -> str | None:
    """Which kind of secret a JSON line holds: in a field that is called like one, or in any text."""
    for name, text in _texts(line, ""):
        if len(text) < MIN_SECRET:
            continue
        called = FIELD.search(HUMP.sub("_", name[-200:]).lower())
        if called and not (OF_TEXT.match(called["before"]) and called[2] == "token"):
            value = SCHEME.sub("", text, count=1) if called[2] == "authorization" else text
            if _secret(called[2], value, quoted=True, loose=False):
                return _of(called[2])
        found = secret_in(text, said=name.lower() in SPOKEN)
        if found is not None:
            return found
    return None


def picture_in(text: str) -> str | None:
    """Whether a text holds a picture, or as much data in base64."""
    text = WRAPPED.sub("", text).replace("\\/", "/")
    return next((kind for kind, pattern in PICTURES.items() if pattern.search(text)), None)


def picture_field(line: Mapping[str, Any]) -> str | None:
    """Whether any text of a JSON line holds a picture."""
    return next((found for _, text in _texts(line, "") if (found := picture_in(text)) is not None), None)


def vector_in(text: str) -> bool:
    """Whether a text holds a vector."""
    return next(vector_lines(text), None) is not None


def vector_lines(text: str) -> Iterator[int]:
    """The lines of a text in which a vector begins; 0 is the first.

    Numbers belong together as long as nothing but blanks, commas and brackets stands between them; over the end of a
    line only within brackets.
    """
    text = NOTHING.sub("0", ARRAY.sub("(", TYPED.sub(r"\1", text)))
    line = seen = 0
    for stretch in STRETCH.finditer(text):
        if stretch.end() - stretch.start() < 2 * VECTOR - 1:
            continue
        for place in _vectors(stretch[0]):
            begins = stretch.start() + place
            line += text.count("\n", seen, begins)
            seen = begins
            yield line


def vector_field(value: Any, depth: int = 0) -> bool:
    """Whether a JSON value holds a vector: all numbers in a list, and in lists in it, are one."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return any(vector_field(each, depth + 1) for pair in value.items() for each in pair)
    if isinstance(value, list):
        rows: list[Sequence[float]] = []
        others: list[Any] = []
        _sort(value, rows, others, depth)
        return _are_vector(rows) or any(vector_field(each, depth + 1) for each in others)
    return isinstance(value, str) and vector_in(value)


def _texts(value: Any, name: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """All texts of a JSON value, each with the name of the field that it is in; names are texts of no field."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield "", key
            yield from _texts(each, key, depth + 1)
    elif isinstance(value, list):
        words = [each for each in value if isinstance(each, str)]
        if any(word.startswith("--") for word in words):
            yield "", " ".join(words)
        for each in value:
            yield from _texts(each, name, depth + 1)


def _of(name: str) -> str:
    return f"a value of '{name.lower()}'"


def _secret(name: str, value: str, *, quoted: bool, loose: bool) -> bool:
    """Whether this is the value of what is called so.

    Args:
        name: one of those in `_CALLED`.
        value: what stands beside it.
        quoted: as a text; otherwise it may be code.
        loose: after a blank or a colon; otherwise it may be a word of a sentence.
    """
    if _harmless(value) or (not quoted and _code(value)):
        return False
    name = name.lower()
    if loose or name in ("token", "authorization"):
        return _random(value)
    return len(value) >= MIN_SECRET and not (name.endswith("key") and len(value.split()) > 1)


def _harmless(value: str) -> bool:
    """Whether it stands in the place of a secret: a mask, a variable."""
    return HARMLESS.fullmatch(value) is not None or VARIABLE.fullmatch(value) is not None


def _code(value: str) -> bool:
    """Whether it is no value but says where to find one: `os.environ[`, `self.token`, `db_password`."""
    if CODE.fullmatch(value):
        return True
    return value.replace("_", "").isalpha() and FIELD.search(HUMP.sub("_", value).lower()) is not None


def _random(value: str) -> bool:
    """Whether no one would take it for a word: letters and digits, or very long, without blanks."""
    if len(value.split()) != 1 or _harmless(value) or not any(map(str.isalpha, value)):
        return False
    return any(map(str.isdigit, value)) or len(value) >= 24


def _basic(value: str) -> bool:
    """Whether it is a name and a password, in base64 as HTTP has it."""
    try:
        text = base64.b64decode(value, validate=True).decode("utf-8")
    except ValueError:
        return False
    return ":" in text and text.isprintable()


def _vectors(stretch: str) -> Iterator[int]:
    """Where in a text of numbers and what stands between them a vector begins."""
    rows: list[list[float]] = [[]]
    depth, begins, empty = 0, 0, True
    for piece in PIECE.finditer(stretch):
        what = piece[0]
        if what in "[(":
            depth += 1
            rows.append([])
        elif what in "])":
            depth = max(0, depth - 1)
            rows.append([])
        elif NUMBER.fullmatch(what):
            if empty:
                begins, empty = piece.start(), False
            rows[-1].append(float(what))
        elif what != "\n" or not depth:
            if _are_vector(rows):
                yield begins
            rows, empty = [[]], True
    if _are_vector(rows):
        yield begins


def _sort(values: list[Any], rows: list[Sequence[float]], others: list[Any], depth: int) -> None:
    """The numbers of a list, and of the lists in it, as rows; what is none, apart."""
    row: list[float] = []
    rows.append(row)
    for each in values:
        if isinstance(each, list):
            if depth < MAX_DEPTH:
                _sort(each, rows, others, depth + 1)
        elif isinstance(each, int | float) and not isinstance(each, bool):
            row.append(float(each))
        elif isinstance(each, str) and len(each) <= 60 and NUMBER.fullmatch(bare := TYPED.sub(r"\1", each)):
            row.append(float(bare))
        elif isinstance(each, str | dict):
            others.append(each)


def _are_vector(rows: Sequence[Sequence[float]]) -> bool:
    """See :data:`VECTOR`, :data:`MANY` and :data:`PLACES`."""
    wide = [number for row in rows if not 2 <= len(row) <= 8 for number in row]
    broken = sum(not number.is_integer() for number in wide)
    return (
        (len(wide) >= VECTOR and 2 * broken >= len(wide))
        or len(wide) >= MANY
        or sum(len(row) for row in rows) >= PLACES
    )
