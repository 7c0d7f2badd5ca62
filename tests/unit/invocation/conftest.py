"""The small real models of the tests of whole calls."""

from __future__ import annotations

from tests.invocation.conftest import (
    case,
    made,
    no_process_is_left,
    program_contract,
    repository,
    run,
    sandbox,
    service_contract,
)

__all__ = [
    "case",
    "made",
    "no_process_is_left",
    "program_contract",
    "repository",
    "run",
    "sandbox",
    "service_contract",
]
