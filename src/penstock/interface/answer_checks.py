"""Whether the document allows an answer: its status, its media type, what it holds.

Schemas are validated by schemathesis, which follows them in all of OpenAPI 3.0 and 3.1. This runs in the process that
:mod:`penstock.interface.confined_trial` starts and ends: a pattern of the document may take for ever.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response
from schemathesis.openapi import from_dict

from penstock.bundle.interface_record import FindingKind
from penstock.foundation.errors import one_line
from penstock.interface.document import ApiDocument, Operation

MAX_WHAT: Final = 300
_LEFT_OUT: Final = frozenset({"servers", "callbacks", "webhooks", "links", "externalValue", "security"})
"""What of a document is not made use of, and could lead elsewhere."""


@dataclass(frozen=True)
class AnswerFault:
    """Why an answer is not allowed."""

    kind: FindingKind
    what: str
    place: str = ""
    """Where in the answer; two faults of one kind and place are the same."""


@dataclass(frozen=True)
class ServiceAnswer:
    """What a service answered."""

    status: int
    media_type: str | None
    """As it says, with its parameters; ``None``: it does not say."""
    content: bytes


class AnswerChecks:
    """Compares answers with one document."""

    def __init__(self, document: ApiDocument) -> None:
        self.document = document
        self.schema = from_dict(_own_copy(document.value), config=SchemathesisConfig())
        self._request = requests.Request("GET", "http://127.0.0.1/").prepare()

    def faults(self, operation: Operation, answer: ServiceAnswer) -> list[AnswerFault]:
        """Why the document does not allow an answer of an operation; empty: it does."""
        described = operation.response(answer.status)
        if described is None:
            known = ", ".join(operation.responses)
            return [AnswerFault("status", f"answers {answer.status}, which the document does not have ({known})")]
        content = _mapping(self.document.resolved(described).get("content"))
        if operation.method == "HEAD" or not content or not answer.content:
            return []
        if not _is_among(answer.media_type, content):
            said = f"'{answer.media_type}'" if answer.media_type else "no media type"
            what = f"answers {answer.status} with {said}, where the document has {', '.join(content)}"
            return [AnswerFault("media-type", _cut(what))]
        return self._schema_faults(operation, answer)

    def _schema_faults(self, operation: Operation, answer: ServiceAnswer) -> list[AnswerFault]:
        headers = {"content-type": [answer.media_type or ""]}
        response = Response(answer.status, headers, answer.content, self._request, 0.0, verify=False)
        try:
            self.schema[operation.path][operation.method].validate_response(response)
        except FailureGroup as group:
            return [_fault(failure, answer.status) for failure in group.exceptions]
        except Failure as failure:
            return [_fault(failure, answer.status)]
        except Exception as error:  # a schema that is none: the document's fault, whatever the library says of it
            what = f"its schema for {answer.status} cannot be used: {_first_line(error)}"
            return [AnswerFault("document", _cut(what))]
        return []


def _fault(failure: Failure, status: int) -> AnswerFault:
    path: Sequence[str | int] = getattr(failure, "instance_path", None) or ()
    place = "$" + "".join("[]" if isinstance(part, int) else f".{part}" for part in path)
    said = failure.message.partition("\n\n")[0] or failure.title
    return AnswerFault("answer", _cut(f"answers {status} with what its schema does not allow: {place}: {said}"), place)


def _own_copy(value: dict[str, Any]) -> dict[str, Any]:
    """The document as it is tried: without what could lead elsewhere. A property may have any name."""
    made: dict[str, Any] = copy.deepcopy(value)
    waiting: list[tuple[Any, bool]] = [(made, False)]
    for node, names in waiting:
        if isinstance(node, list):
            waiting += ((inner, False) for inner in node)
        elif isinstance(node, dict):
            if not names:
                for key in _LEFT_OUT & node.keys():
                    del node[key]
            waiting += ((inner, not names and key in ("properties", "schemas")) for key, inner in node.items())
    return made


def _is_among(media_type: str | None, content: Mapping[str, Any]) -> bool:
    said = _plain(media_type or "")
    wanted = {said, f"{said.partition('/')[0]}/*", "*/*"}
    return any(_plain(name) in wanted for name in content)


def _plain(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _cut(text: str) -> str:
    text = " ".join(one_line(text).split())
    return text if len(text) <= MAX_WHAT else f"{text[: MAX_WHAT - 1]}…"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
