"""What the report shows of a service's interface, which the step *interface* has put to the test."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import BreakingChange, InterfaceFinding, InterfaceRecord, interface_record

MAX_FINDINGS = 50
MAX_CHANGES = 50
MAX_CURL = 2_000


@dataclass(frozen=True)
class ShownFinding:
    """One finding, for the template."""

    operation: str
    what: str
    how_often: str
    """``3 requests``, ``2 answers, the first of the case cup``."""
    curl: str
    """Sends the request again; empty where there is none."""


@dataclass(frozen=True)
class InterfaceSection:
    """The section, for the template."""

    document: str
    fault: str | None
    facts: str
    """``1 answer compared; 12 requests made up by schemathesis 4.32.5 from seed 1``."""
    findings: list[ShownFinding]
    more: int
    """Findings that are not shown."""
    changes: list[BreakingChange]
    compared: str
    """What is said of the released document."""
    operations: list[tuple[str, str]]
    """Operation, and what came of it."""


def interface_section(bundle: Bundle) -> InterfaceSection | None:
    """The section of a bundle; ``None`` if its contract has no ``interface``.

    Raises:
        UsageError: the record is broken.
    """
    record = interface_record(bundle)
    if record is None:
        return None
    return InterfaceSection(
        document=record.document,
        fault=record.fault or record.ended or None,
        facts=_facts(record),
        findings=[_shown(finding) for finding in record.findings[:MAX_FINDINGS]],
        more=max(0, len(record.findings) - MAX_FINDINGS),
        changes=(record.changes or [])[:MAX_CHANGES],
        compared=_compared(record),
        operations=[
            (
                tried.operation,
                f"{_many(tried.requests, 'request')}: "
                + (", ".join(f"{count} × {status}" for status, count in tried.statuses.items()) or "no answer")
                + (f"; not all were made: {tried.left_out}" if tried.left_out else ""),
            )
            for tried in record.operations
        ],
    )


def _facts(record: InterfaceRecord) -> str:
    requests = sum(tried.requests for tried in record.operations)
    made = f"{_many(requests, 'request')} made up by {record.tool or 'nobody'} from seed {record.seed}"
    return f"{_many(record.answers, 'answer')} compared; {made}, in {record.seconds:.1f} s"


def _compared(record: InterfaceRecord) -> str:
    if record.released is None:
        return "There is no released document to compare with."
    if not record.released_has_document:
        return f"The current release ({record.released}) has no document to compare with."
    if record.changes is None:
        return f"It could not be compared with that of the current release ({record.released})."
    if not record.changes:
        return f"Nothing breaks programs that use the current release ({record.released})."
    told = f"{_many(len(record.changes), 'change')} from the current release ({record.released}) break programs"
    return f"{told}; the first {MAX_CHANGES}:" if len(record.changes) > MAX_CHANGES else f"{told}:"


def _shown(finding: InterfaceFinding) -> ShownFinding:
    if finding.case is None:
        often = _many(finding.count, "request") if finding.curl else ""
    else:
        often = f"{_many(finding.count, 'answer')}, the first of the case {finding.case}"
    return ShownFinding(finding.operation, finding.what, often, finding.curl[:MAX_CURL])


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
