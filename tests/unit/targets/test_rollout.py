"""Whether a Deployment serves, by what its controller and its pods say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.targets.api_server import ApiServer

from penstock.targets.rollout import Rollout
from penstock.targets.waiting import NotServingError

NEW = f"registry.example.org/sonic@sha256:{'1' * 64}"


def look(fate: str = "serves", image: str = NEW, **more: Any) -> str:
    there = ApiServer(Path())
    there.fate = fate
    there.edit(lambda spec: spec["template"]["spec"]["containers"][0].update(image=image))
    for name, change in more.items():
        change(getattr(there, name))
    return Rollout(there.deployment, there.sets, there.pods).missing("model", where="target 'studio'")


def test_it_serves() -> None:
    assert look() == ""
    assert look(image="registry.example.org/sonic:a-tag") == ""


def test_what_somebody_has_scaled_down_meanwhile_does_not_serve() -> None:
    there = ApiServer(Path())
    there.edit(lambda spec: spec.update(replicas=0))
    assert "0 replicas" in Rollout(there.deployment, there.sets, there.pods).missing("model", where="t")


@pytest.mark.parametrize(
    ("fate", "missing"),
    [
        ("unseen", "has not been seen by the controller yet"),
        ("no set", "exceeded quota"),
        ("old pods left", "replicas 3, updatedReplicas 2, availableReplicas 2; the pods of before are still there"),
        ("another image", "runs another image"),
        ("ContainerCreating", "availableReplicas 0; sonic-.*-0: unready containers"),
    ],
)
def test_what_is_missing_is_said(fate: str, missing: str) -> None:
    with pytest.raises(AssertionError, match=missing):
        raise AssertionError(look(fate))


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        ("ImagePullBackOff", "container 'model': ImagePullBackOff: it ended with 3: no CUDA"),
        ("CrashLoopBackOff", "CrashLoopBackOff: it ended with 3"),
        ("CreateContainerConfigError", "CreateContainerConfigError"),
        ("late", "the rollout took longer than it may: sonic-.*: unready containers"),
    ],
)
def test_what_does_not_come_by_waiting_is_told(fate: str, told: str) -> None:
    with pytest.raises(NotServingError, match=told):
        look(fate)


def test_a_registry_that_refuses_is_quoted() -> None:
    def unstarted(pods: list[dict[str, Any]]) -> None:
        for pod in pods:
            pod["status"]["containerStatuses"][0]["lastState"] = {}

    with pytest.raises(NotServingError, match="because of ImagePullBackOff"):
        look("ImagePullBackOff", pods=unstarted)


def test_that_an_earlier_template_took_too_long_is_no_news() -> None:
    def earlier(found: dict[str, Any]) -> None:
        found["status"]["conditions"][0]["message"] = 'ReplicaSet "sonic-0000000000" has timed out progressing.'

    assert "unready containers" in look("late", deployment=earlier)


def test_pods_that_go_and_pods_of_others_do_not_count() -> None:
    def going(pods: list[dict[str, Any]]) -> None:
        pods[0]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    def anothers(pods: list[dict[str, Any]]) -> None:
        pods[0]["metadata"]["ownerReferences"] = []

    def unscheduled(pods: list[dict[str, Any]]) -> None:
        said = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient gpu"}
        pods[0]["status"] = {"conditions": [said]}

    def unheard(pods: list[dict[str, Any]]) -> None:
        pods[0]["status"] = {}

    assert "of 2 replicas" in look(pods=going)
    assert "of 2 replicas" in look(pods=anothers)
    assert "Insufficient gpu" in look(pods=unscheduled)
    assert "has not started" in look(pods=unheard)
    assert "pods are missing" in look(pods=lambda pods: pods.clear())
    assert look(sets=lambda sets: sets.pop()) == "there is no ReplicaSet of it yet"


def test_the_same_digest_from_a_mirror_is_the_same() -> None:
    def mirrored(pods: list[dict[str, Any]]) -> None:
        pods[0]["spec"]["containers"][0]["image"] = f"mirror.example.org/{NEW}"

    assert look(pods=mirrored) == ""
