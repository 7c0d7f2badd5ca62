"""The schema of JSON answers as they came, and which changes break their readers.

The schema is inferred: which values stand at which path, of which types, and how often where they could. Two of them,
of the released model's answers and of the candidate's to the same cases, tell what a program that reads the released
answers would not survive:

- a field that was always there is gone, or is sometimes missing;
- a value has a type that it never had: text where a number was, a list where text was, or null.

What is new breaks nobody. Nor does a field that was missing now and then before. A path below a list that is always
empty, or below a field that is gone, says nothing of its own.

A path is written as JSONPath has it, with ``[]`` for any entry of a list: ``$.objects[].label``. It is for any family
whose answers are JSON: the measurer keeps :func:`answer_schema` of each answer in its features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.evaluation.measurer import measurement
from penstock.families.engine_metrics import SCHEMA_METRIC
from penstock.foundation.json_path import kind_of_json, shown_path

MAX_PATHS = 1_000
"""Of one answer; an object whose names are data (a name for each thing found) has no schema."""
MAX_TOLD = 20
OBJECT = "an object"

Path = tuple[str | None, ...]
"""Names from the whole inwards; ``None`` is any entry of a list."""
AnswerSchema = Mapping[Path, Mapping[str, int]]
"""Path → type of what stood there, in words, → how often."""


def answer_schema(answer: Any) -> AnswerSchema | None:
    """The schema of one answer; ``None`` if it has too many paths for one.

    Example:
        >>> answer_schema({"objects": [{"label": "cat"}, {"label": None}]})
        ... # doctest: +NORMALIZE_WHITESPACE
        {(): {'an object': 1}, ('objects',): {'a list': 1}, ('objects', None): {'an object': 2},
         ('objects', None, 'label'): {'text': 1, 'null': 1}}
    """
    found: dict[Path, dict[str, int]] = {}
    waiting: list[tuple[Path, Any]] = [((), answer)]
    for path, value in waiting:
        types = found.setdefault(path, {})
        kind = kind_of_json(value)
        types[kind] = types.get(kind, 0) + 1
        if len(found) > MAX_PATHS:
            return None
        if isinstance(value, dict):
            waiting += (((*path, name), inner) for name, inner in value.items())
        elif isinstance(value, list):
            waiting += (((*path, None), inner) for inner in value)
    return found


def joined(schemas: Iterable[AnswerSchema]) -> AnswerSchema:
    """The schema of several answers together.

    Example:
        >>> joined([{(): {"text": 1}}, {(): {"text": 1, "null": 2}}])
        {(): {'text': 2, 'null': 2}}
    """
    found: dict[Path, dict[str, int]] = {}
    for schema in schemas:
        for path, types in schema.items():
            known = found.setdefault(path, {})
            for kind, count in types.items():
                known[kind] = known.get(kind, 0) + count
    return found


def breaking_changes(released: AnswerSchema, candidate: AnswerSchema) -> list[str]:
    """What of the candidate's schema breaks a program that reads the released model's answers; one sentence each.

    Example:
        >>> before = answer_schema({"score": 0.5, "text": "a"})
        >>> breaking_changes(before, answer_schema({"score": "0.5", "more": 1}))
        ['$.text is gone', '$.score is now text, where it was a number']
    """
    return [*_missing(released, candidate), *_retyped(released, candidate)]


def _missing(released: AnswerSchema, candidate: AnswerSchema) -> Iterator[str]:
    for path in sorted(released, key=shown_path):
        if not path or path[-1] is None:
            continue
        above = path[:-1]
        could = candidate.get(above, {}).get(OBJECT, 0)
        there = sum(candidate.get(path, {}).values())
        always = sum(released[path].values()) == released[above].get(OBJECT, 0)
        if always and there < could:
            yield f"{shown_path(path)} is {f'missing in {could - there} of {could}' if there else 'gone'}"


def _retyped(released: AnswerSchema, candidate: AnswerSchema) -> Iterator[str]:
    for path in sorted(released.keys() & candidate.keys(), key=shown_path):
        was = " or ".join(sorted(released[path]))
        for kind in sorted(candidate[path].keys() - released[path].keys()):
            count, total = candidate[path][kind], sum(candidate[path].values())
            often = "" if count == total else f" in {count} of {total}"
            yield f"{shown_path(path)} is now {kind}{often}, where it was {was}"


def schema_breaks(released: Sequence[AnswerSchema | None], candidate: Sequence[AnswerSchema | None]) -> Measurement:
    """The measurement of :data:`~penstock.families.engine_metrics.SCHEMA_METRIC`: how many breaking changes, and which.

    Args:
        released: the schema of each answer of the released model; ``None``: it has none.
        candidate: of the candidate's answers to the same cases.
    """
    if None in released or None in candidate:
        whose = "candidate" if None in candidate else "released model"
        why = f"an answer of the {whose} has no schema: it is not JSON, or has over {MAX_PATHS:,} different paths"
        return measurement(WHOLE_SUITE, SCHEMA_METRIC.name, why)
    ours, theirs = ([one for one in side if one is not None] for side in (candidate, released))
    changes = breaking_changes(joined(theirs), joined(ours))
    told = "; ".join(changes[:MAX_TOLD]) + (f"; and {len(changes) - MAX_TOLD} more" if len(changes) > MAX_TOLD else "")
    return measurement(WHOLE_SUITE, SCHEMA_METRIC.name, float(len(changes)), why=told or None)
