"""What of a changed schema breaks programs: those that send what it described, or those that read it.

What is sent must still be accepted: the new schema may ask for no more than the old one. What is read must still be
what it was: the new schema may allow no more than the old one. The names of changes are those of oasdiff.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from penstock.bundle.interface_record import BreakingChange
from penstock.foundation.json_path import shown_path
from penstock.interface.document import DocumentError
from penstock.interface.schema_shape import LOWER, TYPES, UPPER, SchemaShape, Shapes

MAX_PAIRS: Final = 20_000
MAX_UNIONS: Final = 6
"""How deep unions are compared in unions."""
_LIMITS: Final = {
    "minimum": "min",
    "minLength": "min-length",
    "minItems": "min-items",
    "minProperties": "min-properties",
    "maximum": "max",
    "maxLength": "max-length",
    "maxItems": "max-items",
    "maxProperties": "max-properties",
}
"""How the changes of limits are named."""
_OF_PROPERTIES: Final = {
    "new-required": "new-required-request-property",
    "required-removed": "response-required-property-removed",
    "optional-removed": "response-optional-property-removed",
}

Way = Literal["request", "response"]
Path = tuple[str | None, ...]


@dataclass(frozen=True)
class SchemaPair:
    """Two schemas of one place: the released document's and the candidate's."""

    released: Any
    candidate: Any
    path: Path = ()


class SchemaChanges:
    """Compares the schemas of two documents."""

    def __init__(self, released: Shapes, candidate: Shapes) -> None:
        self._released, self._candidate = released, candidate
        self._pairs = 0

    def between(self, pair: SchemaPair, way: Way, *, subject: str, where: str) -> Iterator[BreakingChange]:
        """What breaks programs, each with its place.

        Args:
            pair: the two schemas.
            way: whether they describe what programs send, or what they read.
            subject: ``request-body``, ``request-parameter`` or ``response-body``: what the whole is called.
            where: where it stands, ``POST /feature 200``.

        Raises:
            DocumentError: the schemas are too intricate to be compared.
        """
        for kind, path, what in self._changes(pair, way, 0):
            named = subject.replace("-body", "-property") if path else subject
            yield BreakingChange(
                kind=_OF_PROPERTIES.get(kind, f"{named}-{kind}"), where=f"{where} {shown_path(path)}", what=what
            )

    def _changes(self, pair: SchemaPair, way: Way, unions: int) -> Iterator[tuple[str, Path, str]]:
        waiting = deque([(self._released.of(pair.released), self._candidate.of(pair.candidate), pair.path)])
        seen: set[tuple[int, int]] = set()
        while waiting:
            old, new, path = waiting.popleft()
            if (id(old), id(new)) in seen:
                continue
            seen.add((id(old), id(new)))
            self._pairs += 1
            if self._pairs > MAX_PAIRS:
                raise DocumentError("its schemas are too intricate to be compared")
            if len(old.alternatives) > 1 or len(new.alternatives) > 1:
                yield from self._unions(old, new, way, path, unions)
                continue
            yield from _own_changes(old, new, way, path)
            yield from _property_changes(old, new, way, path)
            for name in old.properties.keys() & new.properties.keys():
                ours = self._released.of(old.properties[name]), self._candidate.of(new.properties[name])
                waiting.append((*ours, (*path, name)))
            if old.items is not None and new.items is not None:
                waiting.append((self._released.of(old.items), self._candidate.of(new.items), (*path, None)))
            if old.others is not None and new.others is not None:
                waiting.append((self._released.of(old.others), self._candidate.of(new.others), (*path, "*")))

    def _unions(
        self, old: SchemaShape, new: SchemaShape, way: Way, path: Path, unions: int
    ) -> Iterator[tuple[str, Path, str]]:
        """Each alternative of one side has one on the other that it does not break."""
        if unions >= MAX_UNIONS:
            return
        ours, theirs = (
            (new.alternatives, old.alternatives) if way == "response" else (old.alternatives, new.alternatives)
        )
        for one in ours:
            pairs = ((other, one) if way == "response" else (one, other) for other in theirs)
            if not any(self._fits(before, after, way, unions) for before, after in pairs):
                kind = "one-of-added" if way == "response" else "one-of-removed"
                said = "may also be" if way == "response" else "may no longer be"
                yield kind, path, f"{said} {_words(one)}"

    def _fits(self, old: SchemaShape, new: SchemaShape, way: Way, unions: int) -> bool:
        if any(True for _ in _own_changes(old, new, way, ())) or any(
            True for _ in _property_changes(old, new, way, ())
        ):
            return False
        pairs = [
            SchemaPair(old.properties[name], new.properties[name])
            for name in old.properties.keys() & new.properties.keys()
        ]
        if old.items is not None and new.items is not None:
            pairs.append(SchemaPair(old.items, new.items))
        return not any(True for pair in pairs for _ in self._changes(pair, way, unions + 1))


def _own_changes(old: SchemaShape, new: SchemaShape, way: Way, path: Path) -> Iterator[tuple[str, Path, str]]:
    """Of the value itself: type, values, limits."""
    wide, narrow = (old, new) if way == "response" else (new, old)
    extra = _types(narrow) - _types(wide)
    if "number" in _types(wide):
        extra -= {"integer"}
    if extra == {"null"}:
        kind, said = (
            ("became-nullable", "may now be null")
            if way == "response"
            else ("became-not-nullable", "may not be null any more")
        )
        yield kind, path, said
    elif extra:
        yield "type-changed", path, f"is {_words(new)}, where it was {_words(old)}"
    elif old.format is not None and new.format is not None and old.format != new.format:
        yield "type-changed", path, f"has the format {new.format[:60]}, where it had {old.format[:60]}"
    if wide.enum is not None:
        if narrow.enum is None:
            if extra:
                return  # said already
            said = "may have any value now" if way == "response" else f"must be one of {_values(wide.enum)} now"
            yield ("enum-value-added" if way == "response" else "became-enum"), path, said
        elif beyond := narrow.enum - wide.enum - (frozenset({"null"}) if "null" in extra else frozenset()):
            said = "may also be" if way == "response" else "may no longer be"
            kind = "enum-value-added" if way == "response" else "enum-value-removed"
            yield kind, path, f"{said} {_values(beyond)}"
    yield from _limit_changes(old, new, way, path)


def _limit_changes(old: SchemaShape, new: SchemaShape, way: Way, path: Path) -> Iterator[tuple[str, Path, str]]:
    wide, narrow = (old, new) if way == "response" else (new, old)
    for names, outside in ((LOWER, -1.0), (UPPER, 1.0)):
        for name in names:
            limit, within = wide.bounds.get(name), narrow.bounds.get(name)
            if limit is None:
                continue
            if within is not None and (outside * within[0], not within[1]) <= (outside * limit[0], not limit[1]):
                continue
            rises = (outside > 0) is (way == "response")
            kind = f"{_LIMITS[name]}-{'increased' if rises else 'decreased'}"
            yield kind, path, f"'{name}' is {_limit(new, name)}, where it was {_limit(old, name)}"


def _limit(shape: SchemaShape, name: str) -> str:
    found = shape.bounds.get(name)
    return "nothing" if found is None else f"{found[0]:.12g}{' (exclusive)' if found[1] else ''}"


def _property_changes(old: SchemaShape, new: SchemaShape, way: Way, path: Path) -> Iterator[tuple[str, Path, str]]:
    if "object" not in _types(old) or "object" not in _types(new):
        return  # that is said of its type
    if way == "request":
        for name in sorted(new.required - old.required):
            if name in old.properties:
                yield "became-required", (*path, name), "must be sent now"
            else:
                yield "new-required", (*path, name), "is new, and must be sent"
        return
    for name in sorted(old.properties.keys() - new.properties.keys()):
        yield f"{'required' if name in old.required else 'optional'}-removed", (*path, name), "is gone"
    for name in sorted((old.required & new.properties.keys()) - new.required):
        yield "became-optional", (*path, name), "may be missing now"


def _types(shape: SchemaShape) -> frozenset[str]:
    return TYPES if shape.types is None else shape.types


def _words(shape: SchemaShape) -> str:
    if shape.branches:
        return " or ".join(sorted({_words(branch) for branch in shape.branches})[:6])
    if shape.types is None:
        return "anything"
    named = " or ".join(sorted(shape.types)) or "nothing"
    if shape.enum is not None:
        return f"{named} ({_values(shape.enum)})"
    return f"{named} with {', '.join(sorted(shape.properties)[:6])}" if shape.properties else named


def _values(values: frozenset[str]) -> str:
    shown = [value if len(value) <= 60 else json.dumps(f"{value[:57]}...") for value in sorted(values)[:6]]
    return ", ".join(shown) + (f" and {len(values) - 6} more" if len(values) > 6 else "")
