"""How far a model is confined: the levels, which of them this machine has, and what they are called in records."""

from __future__ import annotations

import os
from collections.abc import Mapping

from penstock.bundle.models import Isolation
from penstock.contract.policy import LEVELS, Level
from penstock.invocation.bubblewrap import bubblewrap
from penstock.invocation.landlock import landlock_abi

LOCAL_RUN = "PENSTOCK_LOCAL_RUN"
"""Set by ``penstock run`` for its steps: they are no pods, even where Penstock itself runs in one."""


def best_level(environment: Mapping[str, str] = os.environ, *, image: bool = False) -> Level:
    """The strongest level that a model gets from a step that runs here.

    Args:
        environment: of this process.
        image: the model runs in the image in which this process runs: in a pod, or in a container of which nothing is
            known, and in which no namespaces are made.

    A step of a cluster is in a pod of its own: mounts, processes, IPC and network are the pod's, the network policy
    closes it, and the model shares all that with nothing but the step's own driver. That counts as ``namespaces``, and
    is all there is: the seccomp profile of pods, ``RuntimeDefault``, forbids making others.
    """
    if in_pod(environment) or (not image and bubblewrap() is not None):
        return "namespaces"
    return "landlock" if landlock_abi() > 0 else "none"


def in_pod(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this step runs in a pod of its own."""
    return "KUBERNETES_SERVICE_HOST" in environment and LOCAL_RUN not in environment


def is_below(level: Level, demanded: Level) -> bool:
    """Whether ``level`` is weaker than what a policy demands."""
    return LEVELS.index(level) < LEVELS.index(demanded)


def isolation(level: Level, *, pod: bool, network: bool) -> Isolation:
    """The record of a level that a model got.

    Args:
        level: see :data:`LEVELS`.
        pod: the namespaces are those of the step's pod.
        network: the contract names hosts, so that the network is shared with this machine.
    """
    abi = landlock_abi()
    wrapper = bubblewrap()
    parts = []
    if level == "namespaces":
        parts.append("pod" if pod else f"bubblewrap {wrapper.version}" if wrapper else "")
    if level != "none":
        parts.append(f"Landlock ABI {abi}" if abi else "no Landlock")
    lacks = [text for needed, text in ((4, "TCP connections"), (6, "signals to other processes")) if abi < needed]
    if level == "landlock" and lacks:
        parts.append(f"which does not restrict {' and '.join(lacks)}")
    if level == "none":
        parts.append("no Landlock on this kernel: the model can read and write what this user can")
    if network and not pod:
        parts.append("network shared with this machine for call.network")
    return Isolation(level=level, how=", ".join(filter(None, parts)))
