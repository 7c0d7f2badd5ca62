"""A service is tried in a process of its own: the same document and seed have the same requests."""

from __future__ import annotations

from pathlib import Path

from tests.unit.interface.small_service import SmallService, tried


def test_a_service_that_keeps_to_its_document_has_no_faults_and_the_same_requests_each_time(tmp_path: Path) -> None:
    services = SmallService(), SmallService()
    trials = [tried(service, tmp_path) for service in services]
    assert [trial.findings for trial in trials] == [[], []]
    first = trials[0]
    assert (first.complete, first.ended) == (True, "")
    assert first.tool.startswith("schemathesis 4.")
    assert [operation.operation for operation in first.operations] == ["POST /feature", "GET /items/{id}"]
    assert all(operation.requests >= 6 and not operation.left_out for operation in first.operations)
    assert first.operations[0].statuses.keys() == {"200", "422"}, "the suite's own picture is sent, and others"
    assert services[0].requests == services[1].requests
    assert services[0].requests != [], "of a seed"
    other = SmallService()
    tried(other, tmp_path, interface={"seed": 2})
    assert other.requests != services[0].requests
