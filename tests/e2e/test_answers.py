"""Services that answer, on the cluster: faces and recognition are released and put under load, their faults stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.repositories import PARTS
from tests.e2e.run import Run

from penstock.bundle.directory import Bundle
from penstock.bundle.environment_record import environment_record
from penstock.bundle.interface_record import interface_record
from penstock.bundle.load_record import load_parts

FACES, SIGNS = PARTS["face-lite"], PARTS["recognition-lite"]
FACES_FELL = {"v1.0.12-early": "early_ready"}
SIGNS_FELL = {"v1.0.13-secret": "log"}
"""Bad release → the rule that stops it."""
SECRET = "correct-horse-battery"


@pytest.fixture(scope="module")
def found(faces: dict[str, Run], signs: dict[str, Run], bundles: Path) -> dict[str, Bundle]:
    """Model and release → its evidence in S3."""
    runs = [*faces.values(), *signs.values()]
    return {run.name: run.bundle(bundles / run.name) for run in runs}


def fallen(bundle: Bundle) -> set[str]:
    """The metrics of blocking rules that failed."""
    rules = bundle.verdict().rules
    return {rule.metric for rule in rules if rule.verdict == "fail" and rule.severity == "block"}


def test_the_first_of_each_is_published(faces: dict[str, Run], signs: dict[str, Run]) -> None:
    faces[FACES.first].must_be_green()
    signs[SIGNS.first].must_be_green()


def test_each_was_put_under_load_in_a_pod_of_its_own(
    faces: dict[str, Run], signs: dict[str, Run], found: dict[str, Bundle]
) -> None:
    for run in (faces[FACES.first], signs[SIGNS.first]):
        (pod,) = run.pods("load")
        assert pod.task == "load"
        (part,) = load_parts(found[run.name])
        assert part.fault is None
        assert part.start is not None
        assert part.start.ready_s is not None
        assert part.start.too_early is None
        assert set(part.start.not_ready_statuses) <= {503}
        assert part.memory is not None
        assert max(part.memory.mib) > 10, "the memory of the service's processes is seen"
        assert part.stop is not None
        assert part.stop.lost == 0
        assert any(measured.metric == "memory_growth" for measured in found[run.name].measurements())


def test_its_openapi_document_was_put_to_the_test_in_a_pod_of_its_own(
    signs: dict[str, Run], found: dict[str, Bundle]
) -> None:
    run = signs[SIGNS.first]
    (pod,) = run.pods("interface")
    assert pod.task == "interface"
    record = interface_record(found[run.name])
    assert record is not None
    assert record.fault is None
    assert record.answers > 0, "the run's own answers were compared with the document"
    assert record.findings == []
    tried = {operation.operation: operation.requests for operation in record.operations}
    assert tried.keys() == {"GET /healthz", "POST /recognize"}
    assert all(tried.values())


def test_what_was_in_their_images_was_read_from_the_registry(
    faces: dict[str, Run], signs: dict[str, Run], found: dict[str, Bundle]
) -> None:
    for run in (faces[FACES.first], signs[SIGNS.first]):
        record = environment_record(found[run.name])
        assert record is not None
        assert record.read == "image"
        assert record.unreadable is None
        assert record.errors == []


def test_what_they_wrote_to_their_logs_was_read(signs: dict[str, Run], found: dict[str, Bundle]) -> None:
    rules = {rule.metric: rule.verdict for rule in found[signs[SIGNS.first].name].verdict().rules}
    assert rules["log"] == "pass"


@pytest.mark.parametrize("tag", FACES.bad)
def test_a_bad_release_of_faces_is_stopped(tag: str, faces: dict[str, Run], found: dict[str, Bundle]) -> None:
    faces[tag].must_be_red()
    assert FACES_FELL[tag] in fallen(found[faces[tag].name])
    assert set(faces[tag].skipped) == {"publish"}


@pytest.mark.parametrize("tag", SIGNS.bad)
def test_a_bad_release_of_recognition_is_stopped(tag: str, signs: dict[str, Run], found: dict[str, Bundle]) -> None:
    signs[tag].must_be_red()
    assert fallen(found[signs[tag].name]) == {SIGNS_FELL[tag]}
    assert set(signs[tag].skipped) == {"publish"}


def test_the_secret_itself_is_told_to_nobody(signs: dict[str, Run], found: dict[str, Bundle]) -> None:
    for tag in SIGNS.bad:
        bundle = found[signs[tag].name]
        for name in ("verdict.json", "measurements.jsonl", "report/index.html"):
            assert SECRET not in (bundle.path / name).read_text(encoding="utf-8"), name
