"""Levels of isolation."""

from __future__ import annotations

from penstock.invocation.isolation import best_level, in_pod


def test_a_pod_counts_as_namespaces() -> None:
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert best_level(pod, image=True) == best_level(pod) == "namespaces"
    assert in_pod(pod)
    # `penstock run` in a pod of somebody else's: its steps are none of their own
    assert not in_pod(pod | {"PENSTOCK_LOCAL_RUN": "1"})
    assert best_level({}, image=True) != "namespaces"
