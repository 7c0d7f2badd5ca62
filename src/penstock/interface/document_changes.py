"""Which differences of a service's OpenAPI document from the released one break programs that use the service.

Named as oasdiff names them. What is new and need not be used breaks nobody; nor does what no program can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from penstock.bundle.interface_record import BreakingChange
from penstock.interface.document import ApiDocument, Operation
from penstock.interface.schema_changes import SchemaChanges, SchemaPair
from penstock.interface.schema_shape import Shapes

MAX_CHANGES: Final = 1_000
_TEMPLATE: Final = re.compile(r"\{[^{}]*\}")


def breaking_changes(released: ApiDocument, candidate: ApiDocument) -> list[BreakingChange]:
    """What breaks programs that use the released service, in the order of its document.

    Raises:
        DocumentError: the schemas of one are too intricate to be compared.
    """
    schemas = SchemaChanges(Shapes(released), Shapes(candidate))
    theirs = {_key(candidate, one): one for one in candidate.operations}
    paths = {path for _, path in theirs}
    found: list[BreakingChange] = []
    for operation in released.operations:
        method, path = _key(released, operation)
        other = theirs.get((method, path))
        if other is None:
            kind = "api-removed-without-deprecation" if path in paths else "api-path-removed-without-deprecation"
            what = "the method is gone" if path in paths else "the path is gone"
            found.append(BreakingChange(kind=kind, where=operation.label, what=what))
        else:
            found += _operation_changes(operation, other, schemas)
        if len(found) >= MAX_CHANGES:
            break
    return found[:MAX_CHANGES]


def _key(document: ApiDocument, operation: Operation) -> tuple[str, str]:
    """What a program calls, whatever the parameters of the path are named."""
    return operation.method, _TEMPLATE.sub("{}", document.base_path + operation.path)


def _operation_changes(old: Operation, new: Operation, schemas: SchemaChanges) -> Iterator[BreakingChange]:
    yield from _parameter_changes(old, new, schemas)
    yield from _body_changes(old, new, schemas)
    for status, before in old.responses.items():
        after = new.responses.get(status)
        if after is None and status.isdigit():
            after = new.response(int(status[:3]))
        if after is None:
            kind = "success" if status.startswith("2") else "non-success"
            what = "is not among the statuses any more"
            where = f"{old.label} {status}"
            yield BreakingChange(kind=f"response-{kind}-status-removed", where=where, what=what)
            continue
        yield from _content_changes(before, after, schemas, where=f"{old.label} {status}")


def _content_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], schemas: SchemaChanges, *, where: str
) -> Iterator[BreakingChange]:
    theirs = _object(after.get("content"))
    for media_type, content in _object(before.get("content")).items():
        other = _of_media_type(theirs, media_type)
        if other is None:
            what = "the answer does not come as this any more"
            yield BreakingChange(kind="response-media-type-removed", where=f"{where} {media_type}", what=what)
            continue
        pair = SchemaPair(_object(content).get("schema"), other.get("schema"))
        if pair.released is not None:
            yield from schemas.between(pair, "response", subject="response-body", where=where)


def _body_changes(old: Operation, new: Operation, schemas: SchemaChanges) -> Iterator[BreakingChange]:
    before, after = old.body or {}, new.body or {}
    where = old.label
    if after.get("required") is True and before.get("required") is not True:
        kind = "request-body-became-required" if old.body is not None else "request-body-added-required"
        yield BreakingChange(kind=kind, where=where, what="the body must be sent now")
    theirs = _object(after.get("content"))
    for media_type, content in _object(before.get("content")).items():
        other = _of_media_type(theirs, media_type)
        if other is None:
            what = "the body may not be sent as this any more"
            yield BreakingChange(kind="request-body-media-type-removed", where=f"{where} {media_type}", what=what)
            continue
        pair = SchemaPair(_object(content).get("schema"), other.get("schema"))
        if pair.candidate is not None:
            yield from schemas.between(pair, "request", subject="request-body", where=f"{where} body")


def _parameter_changes(old: Operation, new: Operation, schemas: SchemaChanges) -> Iterator[BreakingChange]:
    before, after = _parameters(old), _parameters(new)
    for key, parameter in after.items():
        where = f"{old.label} {key[0]} {key[1]}"
        was = before.get(key)
        required = parameter.get("required") is True and key[0] != "path"
        if required and was is None:
            yield BreakingChange(kind="new-required-request-parameter", where=where, what="is new, and must be sent")
        elif was is not None:
            if required and was.get("required") is not True:
                kind = "request-parameter-became-required"
                yield BreakingChange(kind=kind, where=where, what="must be sent now")
            pair = SchemaPair(_schema(was), _schema(parameter))
            if pair.candidate is not None:
                yield from schemas.between(pair, "request", subject="request-parameter", where=where)


def _parameters(operation: Operation) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Place and name → parameter. Those of the path are named by their place: no program sends their names."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    places = {name[1:-1]: f"{index + 1}" for index, name in enumerate(_TEMPLATE.findall(operation.path))}
    for parameter in operation.parameters:
        place, name = str(parameter.get("in")), str(parameter.get("name"))
        if place == "path":
            name = places.get(name, name)
        elif place == "header":
            name = name.lower()
        found[place, name] = parameter
    return found


def _schema(parameter: Mapping[str, Any]) -> Any:
    content = next(iter(_object(parameter.get("content")).values()), None)
    return parameter.get("schema") if content is None else _object(content).get("schema")


def _of_media_type(content: Mapping[str, Any], media_type: str) -> Mapping[str, Any] | None:
    """What a body or an answer has for a media type, by itself or by a range such as ``image/*``."""
    wanted = _plain(media_type)
    known = {_plain(name): _object(value) for name, value in content.items()}
    for name in (wanted, f"{wanted.partition('/')[0]}/*", "*/*"):
        if name in known:
            return known[name]
    return None


def _plain(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
