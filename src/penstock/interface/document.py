"""An OpenAPI document as a stranger wrote it: limits first, then what has to hold before anything makes use of it.

Nothing is ever fetched: a reference that leads out of the document is refused. One that leads to itself through a
property or an entry of a list is a tree, and is fine; one that leads to nothing but itself is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from penstock.foundation.errors import UsageError, one_line
from penstock.foundation.strict_json import JsonError, read_json
from penstock.foundation.yaml_text import parse_yaml
from penstock.interface.example_data import drop_referring_examples

MAX_DOCUMENT_BYTES: Final = 4 << 20
MAX_OPERATIONS: Final = 300
MAX_NODES: Final = 200_000
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
DIALECTS: Final = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://spec.openapis.org/oas/3.1/dialect/base",
)
_VERSION: Final = re.compile(r"3\.[01](\.[0-9]{1,3})?(-[A-Za-z0-9.]{1,20})?")
_JSON: Final = re.compile(r"(application|text)/([a-z0-9.-]+\+)?json")
_YAML: Final = re.compile(r"(application|text)/(x-)?([a-z0-9.+-]+\+)?ya?ml")
_PLAIN: Final = ("text/plain", "application/octet-stream")
_OTHER_BASE: Final = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor")
_MAPPED: Final = re.compile(r"#.*|[A-Za-z0-9._-]+")


class DocumentError(ValueError):
    """The document cannot be used; the message says what is wrong, and where in it."""


@dataclass(frozen=True)
class Operation:
    """One operation, its references resolved as far as the schemas, which keep theirs."""

    method: str
    """In upper case."""
    path: str
    """As the document has it: ``/items/{id}``."""
    parameters: Sequence[Mapping[str, Any]]
    body: Mapping[str, Any] | None
    responses: Mapping[str, Mapping[str, Any]]
    """Status, class (``4XX``) or ``default`` → response."""

    @property
    def label(self) -> str:
        """``POST /feature``."""
        return f"{self.method} {self.path}"

    def response(self, status: int) -> Mapping[str, Any] | None:
        """What the document says of an answer with this status; ``None``: nothing."""
        wanted = (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
        return next((self.responses[key] for key in wanted if key in self.responses), None)


class ApiDocument:
    """A document that can be used."""

    def __init__(self, value: dict[str, Any]) -> None:
        """Check it.

        Raises:
            DocumentError: it cannot be used.
        """
        self.value = value
        _check_version(value)
        self._check_nodes()
        self.operations: Sequence[Operation] = tuple(self._operations())
        if not self.operations:
            raise DocumentError("it has no operation: 'paths' names none")

    def at(self, pointer: str) -> Any:
        """What a reference such as ``#/components/schemas/Face`` leads to, which may be a reference itself.

        Raises:
            DocumentError: nothing.
        """
        here: Any = self.value
        for part in pointer.removeprefix("#").split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(here, dict) and name in here:
                here = here[name]
            elif isinstance(here, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(here):
                here = here[int(name[:9])]
            else:
                raise DocumentError(f"the reference '{_short(pointer)}' leads to nothing")
        return here

    def resolved(self, node: Any) -> Any:
        """A node, or what its reference leads to in the end.

        Raises:
            DocumentError: nothing, or in a circle.
        """
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(pointer := node.get("$ref"), str):
            if pointer in seen:
                raise DocumentError(f"the reference '{_short(pointer)}' leads to nothing but itself")
            seen.add(pointer)
            node = self.at(pointer)
        return node

    @property
    def base_path(self) -> str:
        """The path that stands before all others: that of the first server; empty where there is none."""
        servers = self.value.get("servers")
        first = servers[0] if isinstance(servers, list) and servers else None
        url = first.get("url") if isinstance(first, dict) else None
        if not isinstance(url, str):
            return ""
        variables = _object(first.get("variables") if isinstance(first, dict) else None)
        for name, given in variables.items():
            url = url.replace(f"{{{name}}}", str(_object(given).get("default", "")))
        try:
            path = urlsplit(url).path.rstrip("/")
        except ValueError:
            return ""
        return path if path.startswith("/") and len(path) <= 500 and path.isprintable() and " " not in path else ""

    def find(self, method: str, path: str) -> Operation | None:
        """The operation of a request; where several paths fit, the one with the fewest templates in it.

        Args:
            method: in upper case.
            path: as it is sent, without its query.
        """
        base = self.base_path
        inner = path.removeprefix(base) if base and path.startswith(f"{base}/") else path
        fitting = [one for one in self.operations if one.method == method and _fits(one.path, inner)]
        return min(fitting, key=lambda one: one.path.count("{"), default=None)

    def _operations(self) -> Iterator[Operation]:
        count = 0
        for path, listed in _named(self.value.get("paths"), "paths"):
            if not path.startswith("/"):
                if path.startswith("x-"):
                    continue
                raise DocumentError(f"the path '{_short(path)}' does not begin with '/'")
            item = _object_at(self.resolved(listed), f"paths.{_short(path)}")
            for method in METHODS:
                if method not in item:
                    continue
                count += 1
                if count > MAX_OPERATIONS:
                    raise DocumentError(f"it has more than {MAX_OPERATIONS} operations")
                yield self._operation(path, method, item)

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        where = f"{method.upper()} {_short(path)}"
        found = _object_at(item[method], where)
        parameters: dict[tuple[str, str], Mapping[str, Any]] = {}
        for listed in (item.get("parameters"), found.get("parameters")):
            if listed is not None and not isinstance(listed, list):
                raise DocumentError(f"{where}: 'parameters' is not a list")
            for entry in listed or ():
                parameter = _object_at(self.resolved(entry), f"{where}: a parameter")
                key = (str(parameter.get("in")), str(parameter.get("name")))
                parameters[key] = parameter
        body = self.resolved(found.get("requestBody"))
        if body is not None:
            body = _object_at(body, f"{where}: 'requestBody'")
        responses = {
            status: _object_at(self.resolved(response), f"{where}: the response '{_short(status)}'")
            for status, response in _named(found.get("responses"), f"{where}: 'responses'")
            if not status.startswith("x-")
        }
        if not responses:
            raise DocumentError(f"{where}: 'responses' is empty")
        return Operation(method.upper(), path, tuple(parameters.values()), body, responses)

    def _check_nodes(self) -> None:
        """Every reference, and whatever would give references another meaning."""
        waiting: list[Any] = [self.value]
        seen = 0
        pointers: set[str] = set()
        while waiting:
            node = waiting.pop()
            seen += 1
            if seen > MAX_NODES:
                raise DocumentError(f"it has more than {MAX_NODES:,} values")
            if isinstance(node, list):
                waiting += node
            elif isinstance(node, dict):
                pointers |= _own_reference(node)
                waiting += node.values()
        for pointer in sorted(pointers):
            self.resolved({"$ref": pointer})


def read_document(content: bytes, *, media_type: str | None = None) -> ApiDocument:
    """Read a document, JSON or YAML.

    Args:
        content: at most :data:`MAX_DOCUMENT_BYTES`.
        media_type: as the service said; ``None`` of a file.

    Raises:
        DocumentError: it cannot be used.
    """
    if len(content) > MAX_DOCUMENT_BYTES:
        raise DocumentError(f"it is larger than {MAX_DOCUMENT_BYTES >> 20} MiB")
    kind = (media_type or "").partition(";")[0].strip().lower()
    if media_type is not None and not (_JSON.fullmatch(kind) or _YAML.fullmatch(kind) or kind in _PLAIN):
        said = f"'{_short(kind)}'" if kind else "no media type"
        raise DocumentError(f"it comes as {said}, which is neither JSON (application/json) nor YAML (application/yaml)")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and not _YAML.fullmatch(kind):
        try:
            value = read_json(content.removeprefix(b"\xef\xbb\xbf"))
        except JsonError as error:
            raise DocumentError(f"it is not valid JSON: {error}") from None
    else:
        try:
            value = parse_yaml(content, name="document", max_bytes=MAX_DOCUMENT_BYTES).value
        except UsageError as error:
            raise DocumentError(f"it is neither JSON nor valid YAML: {error.where}: {error.what}") from None
    if not isinstance(value, dict):
        raise DocumentError("it is not an object")
    drop_referring_examples(value)
    return ApiDocument(value)


def _check_version(value: Mapping[str, Any]) -> None:
    if "swagger" in value:
        raise DocumentError("it is Swagger 2.0; write OpenAPI 3.0 or 3.1")
    version = value.get("openapi")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        said = f"'openapi: {_short(str(version))}'" if version is not None else "no 'openapi'"
        raise DocumentError(f"it has {said}, where 3.0 or 3.1 is read")
    dialect = value.get("jsonSchemaDialect")
    if dialect is not None and dialect not in DIALECTS:
        raise DocumentError(f"its 'jsonSchemaDialect' is '{_short(str(dialect))}', which is not known")


def _own_reference(node: Mapping[str, Any]) -> set[str]:
    """The reference of a node; refused where it would have to be fetched, or where another base is set."""
    for name in _OTHER_BASE:
        if isinstance(node.get(name), str):
            raise DocumentError(f"it has '{name}: {_short(str(node[name]))}': only '$ref: #/…' is followed")
    if isinstance(dialect := node.get("$schema"), str) and dialect.rstrip("#") not in DIALECTS:
        raise DocumentError(f"it has '$schema: {_short(dialect)}', which is not known")
    mapping = _object(node.get("discriminator")).get("mapping")
    for mapped in _object(mapping).values():
        if isinstance(mapped, str) and not _MAPPED.fullmatch(mapped):
            raise DocumentError(f"a discriminator refers elsewhere, to '{_short(mapped)}': nothing is fetched")
    pointer = node.get("$ref")
    if not isinstance(pointer, str):
        return set()
    if not pointer.startswith("#"):
        raise DocumentError(f"it refers elsewhere, to '{_short(pointer)}': nothing is fetched")
    if pointer != "#" and not pointer.startswith("#/"):
        raise DocumentError(f"the reference '{_short(pointer)}' leads to nothing")
    return {pointer}


def _fits(template: str, path: str) -> bool:
    """Whether a path is one of a template; each ``{…}`` stands for one or more characters that are no ``/``."""
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(map(_part_fits, wanted, given))


def _part_fits(wanted: str, given: str) -> bool:
    if "{" not in wanted:
        return wanted == unquote(given) or wanted == given
    begin, end = wanted.partition("{")[0], wanted.rpartition("}")[2]
    return len(given) > len(begin) + len(end) and given.startswith(begin) and given.endswith(end)


def _named(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise DocumentError(f"{where} is {'missing' if value is None else 'not an object'}")
    for name, inner in value.items():
        yield str(name), inner


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _object_at(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DocumentError(f"{where} is not an object")
    return value


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= 100 else f"{text[:97]}..."
