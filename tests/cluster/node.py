"""Bringing the cluster up, in order, and writing down how tests find it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

from tests.cluster import (
    base_image,
    binaries,
    cgroups,
    cleanup,
    containerd,
    control_plane,
    coredns,
    git_server,
    gitea,
    machine,
    network,
    objects,
    pki,
    ports,
    registry,
    tekton,
    volumes,
    worker,
)
from tests.cluster.settings import Settings


def up(settings: Settings) -> None:
    """Bring up what is not up yet; a quick check where everything is."""
    began = time.monotonic()
    machine.require(settings)
    if cleanup.is_remains(settings):
        print("cluster: removing what is left of one whose processes were ended", flush=True)  # noqa: T201
        cleanup.remove(settings)
    ports.require_free(settings)
    machine.install_packages()
    binaries.build_missing(settings.cache)
    machine.create_state(settings.state)
    cgroups.create(settings.cgroup)
    network.prepare(settings)
    pki.make(settings)
    registry.start(settings)
    git_server.start(settings)
    forge = gitea.start(settings)
    access = objects.start(settings)
    containerd.start(settings)
    control_plane.start(settings)
    worker.start(settings)
    coredns.start(settings)
    volumes.start(settings)
    tekton.start(settings)
    base_image.provide(settings)
    _write_facts(settings, access, forge)
    print(f"cluster: up in {time.monotonic() - began:.0f} s; KUBECONFIG={settings.kubeconfig}", flush=True)  # noqa: T201


def _write_facts(settings: Settings, access: objects.Access, forge: gitea.Administrator) -> None:
    """``cluster.json``: the last thing that is written, so that who finds it finds a whole cluster."""
    programs = {name: str(settings.binary(name)) for module in binaries.MODULES for name in module.programs}
    facts = {
        "kubeconfig": str(settings.kubeconfig),
        **{name: programs[name] for name in ("kubectl", "tkn", "kubeconform", "kind")},
        "bin": programs,
        "registry": settings.registry,
        "git": settings.git,
        "git_root": str(git_server.root(settings)),
        "gitea": asdict(forge),
        "s3": {
            "endpoint": access.endpoint,
            "access_key": access.access_key,
            "secret_key": access.secret_key,
            "bucket": access.bucket,
        },
    }
    temporary = settings.facts.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(facts, indent=1) + "\n")
    temporary.replace(settings.facts)
