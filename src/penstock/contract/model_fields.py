"""Which fields there are in what people write, and where: read from the models themselves."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from penstock.foundation.yaml_text import KeyPath

FieldPlace = tuple[str | None, ...]
"""Names of fields from the top of the file down; ``None`` is any entry of a list or of a mapping with free names."""


def fields_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Names of the fields that may stand at ``path`` below ``model``; none if it is free."""
    here: list[Any] = [model]
    for part in path:
        here = [inner for kind in here for inner in _below(kind, part)]
    return [name for kind in here if _is_model(kind) for name, _ in _fields(kind)]


def places_of(model: type[BaseModel], name: str, path: KeyPath) -> list[KeyPath]:
    """Where else a field of that name may stand, of those places the ones that are nearest to ``path``.

    Args:
        model: what the file is.
        name: the field's name.
        path: where it stands, wrongly, without its name.

    Returns:
        Paths of what holds the field; an entry of a list or mapping is ``path``'s own where that lies in it, else
        the last part of such a path is ``"*"``.
    """
    found = dict.fromkeys(place for place in _places(model, name, (), ()))
    nearness = {place: _shared(place, path) for place in found}
    nearest = max(nearness.values(), default=0)
    return [_written(place, path) for place in found if nearness[place] == nearest]


def _places(kind: Any, name: str, place: FieldPlace, above: tuple[Any, ...]) -> Iterator[FieldPlace]:
    if kind in above:
        return  # a model that holds itself
    if _is_model(kind):
        for own, annotation in _fields(kind):
            if own == name:
                yield place
            for inner in _unwrapped(annotation):
                yield from _places(inner, name, (*place, own), (*above, kind))
    elif entry := _entry(kind):
        for inner in entry:
            yield from _places(inner, name, (*place, None), above)


def _shared(place: FieldPlace, path: KeyPath) -> int:
    """How many parts two paths have in common from the top."""
    count = 0
    for part, there in zip(place, path, strict=False):
        if part is not None and part != there:
            break
        count += 1
    return count


def _written(place: FieldPlace, path: KeyPath) -> KeyPath:
    shared = _shared(place, path)
    return (*path[:shared], *("*" if part is None else part for part in place[shared:]))


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """A model's fields as they are written, and their types."""
    for name, info in model.model_fields.items():
        yield info.alias or name, info.annotation


def _below(kind: Any, part: str | int) -> list[Any]:
    if _is_model(kind):
        return next((_unwrapped(annotation) for name, annotation in _fields(kind) if name == part), [])
    return _entry(kind)


def _entry(kind: Any) -> list[Any]:
    """The types of an entry of a list or mapping."""
    arguments = typing.get_args(kind)
    return _unwrapped(arguments[-1]) if arguments and typing.get_origin(kind) in (list, dict) else []


def _unwrapped(annotation: Any) -> list[Any]:
    """The alternatives of a type: unions opened, ``Annotated`` taken off."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _unwrapped(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [inner for alternative in typing.get_args(annotation) for inner in _unwrapped(alternative)]
    return [annotation]
