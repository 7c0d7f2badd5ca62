"""What a contract's ``interface`` says against its call, its files and its policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from penstock.contract.faults import Fault, fault_at
from penstock.contract.models import Contract
from penstock.families.engine_metrics import INTERFACE_METRICS
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside
from penstock.foundation.yaml_text import Document

_NAMES = frozenset(metric.name for metric in INTERFACE_METRICS)


def interface_faults(contract: Contract, directory: Path, document: Document) -> Iterator[Fault]:
    """A document without a service, or that is not there, and rules for an interface of which nothing is said."""
    interface = contract.interface
    if interface is None:
        for place, rule in enumerate(contract.policy.rules):
            if rule.metric in _NAMES:
                what = f"'{rule.metric}' is about the service's OpenAPI document, and the contract has no 'interface'"
                todo = "Write a section 'interface', such as 'interface: {document: /openapi.json}', or leave it out."
                yield fault_at(document, ("policy", "rules", place, "metric"), what, todo=todo)
        return
    if contract.call.http is None:
        what = "a program has no OpenAPI document: 'interface' goes with 'call.http'"
        yield fault_at(document, ("interface",), what, todo="Leave it out.")
    if interface.served:
        return
    try:
        missing = not inside(directory, interface.document, where="").is_file()
    except UsageError as error:
        yield fault_at(document, ("interface", "document"), error.what, todo=error.todo)
        return
    if missing:
        what = f"there is no file '{interface.document}'"
        todo = "Commit it; a path of the service begins with '/'."
        yield fault_at(document, ("interface", "document"), what, todo=todo)
