"""How far a Rollout is."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.targets.canary import CanaryState


def rollout(*, paused: bool = False, generation: int = 2, **status: Any) -> dict[str, Any]:
    told = {"penstock.dev/model": "sonic-lite", "penstock.dev/version": "1.1.0", "penstock.dev/run": "run-1"}
    base = {"observedGeneration": "2", "currentPodHash": "b", "stableRS": "a", "phase": "Progressing"}
    return {
        "metadata": {"generation": generation},
        "spec": {"paused": paused, "template": {"metadata": {"annotations": told}}},
        "status": base | {"canary": {"weights": {"canary": {"weight": 5}}}} | status,
    }


@pytest.mark.parametrize(
    ("found", "word", "told"),
    [
        (rollout(), "running", "sonic-lite 1.1.0 is under way at 5 %"),
        (rollout(paused=True), "paused", "is paused by hand at 5 %"),
        (rollout(pauseConditions=[{"reason": "CanaryPauseStep"}]), "paused", "is paused at 5 %"),
        (rollout(pauseConditions=[{"reason": "InconclusiveAnalysisRun"}]), "inconclusive", "inconclusive, needs you"),
        (rollout(abort=True), "stopped", "was stopped: aborted"),
        (rollout(phase="Degraded", message="too\nlate"), "stopped", "was stopped: too late"),
        (rollout(stableRS="b", phase="Healthy"), "none", "sonic-lite 1.1.0 serves everybody"),
        (rollout(stableRS=""), "none", "serves everybody"),
        (rollout(abort=True, phase="Degraded", generation=3), "running", "under way"),
    ],
)
def test_what_it_is_called(found: dict[str, Any], word: str, told: str) -> None:
    state = CanaryState.of(found)
    assert state.word == word
    assert told in state.told()


def test_of_a_rollout_without_a_status_nothing_is_known() -> None:
    state = CanaryState.of({"metadata": {"generation": 1}, "spec": {}})
    assert (state.word, state.version, state.weight) == ("running", "", 100)
    assert "a pair that Penstock has not brought" in state.told()


def test_it_serves_when_every_replica_does() -> None:
    served = {"stableRS": "b", "phase": "Healthy", "updatedReplicas": 1, "availableReplicas": 1}
    state = CanaryState.of(rollout(**served, canary={}))
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    metadata: dict[str, Any] = {"name": "b-1", "annotations": {"penstock.dev/run": "run-1"}}
    pod = {"metadata": metadata, "spec": {"containers": [{"name": "model", "image": "x@sha256:1"}]}}
    assert state.missing([pod | {"status": ready}], "model", "mirror/x@sha256:1", where="t") == ""
    assert "another image" in state.missing([pod | {"status": ready}], "model", "x@sha256:2", where="t")
    assert "of 1 replicas" in state.missing([pod], "model", "x@sha256:1", where="t")
    routed = CanaryState.of(rollout(**served)).missing([pod | {"status": ready}], "model", "x@sha256:1", where="t")
    assert routed == "the router still sends 5 % to the canary's Service"
    before = pod | {"status": ready, "metadata": {"name": "a-1", "annotations": {"penstock.dev/run": "run-0"}}}
    assert state.missing([before], "model", "x@sha256:1", where="t") == "the pod a-1 is of another release"
    gone = pod | {"status": ready, "metadata": {"name": "b-1", "deletionTimestamp": "now"}}
    assert "of 1 replicas" in state.missing([gone], "model", "x@sha256:1", where="t")
    nobody = rollout(**served, canary={})
    nobody["spec"]["replicas"] = 0
    assert "0 replicas" in CanaryState.of(nobody).missing([], "model", "x@sha256:1", where="t"), "scaled down meanwhile"
