"""``interface/``: what came of testing a service against its OpenAPI document, and the documents themselves."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from penstock.bundle.directory import Bundle, read_model, write_model
from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record

INTERFACE_FOLDER: Final = "interface"
RECORD: Final = "interface.json"
DOCUMENT: Final = "document.json"
RELEASED: Final = "released.json"
REQUESTS: Final = "requests"
INTERFACE_LOG: Final = "logs/interface-model.log"

FindingKind = Literal["server-error", "status", "media-type", "answer", "no-answer", "document"]
"""A status of 500 or above; one that the document does not have; another media type; another schema; a connection that
was closed, or kept for too long, without an answer; what the document itself does not let be tested."""


class InterfaceFinding(Record):
    """What is wrong, once for each operation, kind and place, with the smallest request that showed it."""

    operation: str
    """``POST /feature``."""
    kind: FindingKind
    what: str
    """One sentence."""
    status: int | None = None
    """Of the answer."""
    count: int = 1
    """How many requests showed it."""
    curl: str = ""
    """A command that sends the request again; empty where there is none to send."""
    body: str | None = None
    """The file of the bundle that is the request's body, where the command does not have it."""
    case: str | None = None
    """The case of the suite whose answer it is; ``None``: the request was made up."""


class TriedOperation(Record):
    """What was put to one operation of the document."""

    operation: str
    requests: int = 0
    statuses: dict[str, int] = Field(default_factory=dict)
    """Status → how many answers had it."""
    left_out: str = ""
    """Why not all requests were made; empty: they were."""


class BreakingChange(Record):
    """One difference from the released document that breaks programs that use the released service."""

    kind: str
    """As oasdiff names it: ``response-required-property-removed``."""
    where: str
    """``POST /feature 200 $.quality_score``."""
    what: str
    """One sentence."""


class InterfaceRecord(Record):
    """``interface/interface.json``."""

    schema_version: int = SCHEMA_VERSION
    document: str
    """Where the document was found, as in the contract."""
    fault: str | None = None
    """Why the document cannot be used; ``None``: it can."""
    tool: str = ""
    """What made the requests up: name and version."""
    confined: str = ""
    """By what it was confined."""
    seed: int = 0
    seconds: float = 0.0
    """How long the requests took."""
    answers: int = 0
    """Answers to the suite's cases that were compared with the document."""
    wrong_answers: int = 0
    """Those among them that the document does not allow."""
    ended: str = ""
    """Why the requests ended before their time; empty: they did not."""
    operations: list[TriedOperation] = Field(default_factory=list)
    findings: list[InterfaceFinding] = Field(default_factory=list)
    released: str | None = None
    """The current release's run; ``None``: there was none."""
    released_has_document: bool = False
    changes: list[BreakingChange] | None = None
    """``None``: nothing was compared."""

    @property
    def made_up(self) -> list[InterfaceFinding]:
        """The findings that requests made up from the document have shown, and the document itself."""
        return [finding for finding in self.findings if finding.case is None]


class ReleasedDocument(Record):
    """``interface/released.json``: the document of the current release."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    document: dict[str, Any] | None = None
    """``None``: the release has none."""


def write_interface_record(bundle: Bundle, record: InterfaceRecord) -> None:
    """Write ``interface/interface.json``, whole or not at all."""
    write_model(bundle.path / INTERFACE_FOLDER / RECORD, record)


def interface_record(bundle: Bundle) -> InterfaceRecord | None:
    """What came of it; ``None`` in bundles of models without an ``interface``."""
    path = bundle.path / INTERFACE_FOLDER / RECORD
    return read_model(path, InterfaceRecord) if path.exists() else None


def write_released_document(bundle: Bundle, released: ReleasedDocument) -> None:
    """Keep the document of the current release, which the step *interface* compares with."""
    write_model(bundle.path / INTERFACE_FOLDER / RELEASED, released)


def released_document(bundle: Bundle) -> ReleasedDocument | None:
    """The document of the current release; ``None``: there is no release."""
    path = bundle.path / INTERFACE_FOLDER / RELEASED
    return read_model(path, ReleasedDocument) if path.exists() else None
