"""sigstore's policy-controller on the cluster, for the tests of admission; ``cluster-up`` starts none.

Its webhooks fail closed: :func:`stop` takes them away first, and has to be called whatever happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.cluster import binaries
from tests.cluster.addon import Addon
from tests.cluster.kubectl import KubectlFailed, kubectl
from tests.cluster.settings import Settings

ADMISSION = Addon(
    module=binaries.ADMISSION,
    source="github.com/sigstore/policy-controller",
    program="policy-controller/webhook",
    namespace="cosign-system",
    deployment="webhook",
    # no keys of sigstore's public service are fetched: nothing here is signed without a key
    arguments=("--disable-tuf",),
)
WEBHOOKS = (
    "validatingwebhookconfiguration/policy.sigstore.dev",
    "mutatingwebhookconfiguration/policy.sigstore.dev",
    "validatingwebhookconfiguration/validating.clusterimagepolicy.sigstore.dev",
    "mutatingwebhookconfiguration/defaulting.clusterimagepolicy.sigstore.dev",
)
POLICIES = "clusterimagepolicies.v1alpha1.policy.sigstore.dev"
"""In the version that they are stored in: any other one is asked of the webhook."""


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """Build what is missing, and have it run for a while; nothing of it is left.

    Raises:
        WorldError: something cannot be fetched, built or started.
    """
    objects = ADMISSION.objects(settings)
    stop(settings, objects)
    try:
        ADMISSION.apply(settings, objects)
        yield
    finally:
        stop(settings, objects)


def stop(settings: Settings, objects: list[dict[str, Any]]) -> None:
    """Take it away, also what a killed test has left: the webhooks first, so that nothing asks what is gone."""
    kubectl(settings, "delete", "--ignore-not-found", *WEBHOOKS)
    _remove_policies(settings)
    ADMISSION.remove(settings, objects)


def _remove_policies(settings: Settings) -> None:
    """Its finalizer on them would wait for it for ever, where it is gone already."""
    if not kubectl(settings, "get", "--ignore-not-found", "--output=name", f"crd/{POLICIES.replace('.v1alpha1', '')}"):
        return
    for name in kubectl(settings, "get", POLICIES, "--output=jsonpath={.items[*].metadata.name}").split():
        kubectl(settings, "delete", POLICIES, name, "--wait=false")
        patch = ("--type=merge", '--patch={"metadata": {"finalizers": []}}')
        with suppress(KubectlFailed):  # it has gone by itself
            kubectl(settings, "patch", POLICIES, name, *patch)
