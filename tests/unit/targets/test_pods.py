"""What pods say of themselves."""

from __future__ import annotations

from penstock.targets.pods import condition_of, digest_of, fault_of, image_of, owned_by, unplaced_of, unready_of


def test_a_pod_belongs_to_the_one_that_controls_it() -> None:
    owner = {"metadata": {"uid": "u"}}
    assert owned_by({"metadata": {"ownerReferences": [{"controller": True, "uid": "u"}]}}, owner)
    assert not owned_by({"metadata": {"ownerReferences": [{"uid": "u"}]}}, owner)
    assert not owned_by({"metadata": {}}, owner)


def test_only_what_does_not_come_by_waiting_is_a_fault() -> None:
    def pod(reason: str) -> dict[str, object]:
        waiting = {"waiting": {"reason": reason, "message": "x" * 500}}
        return {"metadata": {"name": "p"}, "status": {"containerStatuses": [{"name": "model", "state": waiting}]}}

    assert fault_of(pod("ContainerCreating")) == ""
    said = fault_of(pod("ImagePullBackOff"))
    assert said.startswith("p, container 'model': ImagePullBackOff: xxx")
    assert len(said) < 300


def test_images_are_compared_by_digest() -> None:
    assert digest_of("mirror.example.org/x@sha256:1") == digest_of("registry.example.org/x@sha256:1") == "sha256:1"
    assert image_of({"containers": [{"name": "a", "image": "x:1"}]}, "b") == ""


def test_what_is_missing_is_told() -> None:
    assert unready_of([]) == "pods are missing"
    assert unready_of([{"metadata": {"name": "p"}}]) == "p has not started"
    assert condition_of({}, "Ready") == {}


def test_a_pod_that_no_node_takes_says_what_it_waits_for() -> None:
    def pod(message: str, reason: str = "Unschedulable") -> dict[str, object]:
        condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
        return {"metadata": {"name": "sonic-1"}, "status": {"conditions": [condition]}}

    scarce = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate"
    assert unplaced_of([pod(scarce)]) == f"sonic-1: no card is free for it: {scarce}"
    assert unready_of([pod(scarce)]) == unplaced_of([pod(scarce)])
    assert unplaced_of([pod("0/1 nodes are available: 1 Insufficient cpu.")]).startswith("sonic-1: no node has room")
    assert unplaced_of([pod("", "SchedulingGated"), {"metadata": {"name": "b"}}]) == ""
