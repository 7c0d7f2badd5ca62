"""Servers that may be taken away: the cluster's own S3 server and registry once more, for the fault tests alone.

They are the same programs, started and stopped by the cluster's own functions, on ports of their own: what is done to
them does not reach other runs. They are in the cluster's cgroup: ``cluster-down`` ends what a killed session left.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.cluster import objects, process, registry
from tests.cluster.settings import Settings

S3_PORT = 7071
REGISTRY_PORTS = (5001, 5002)
POLL_S = 0.002


@dataclass(frozen=True)
class S3:
    """An S3 server."""

    settings: Settings
    access: objects.Access

    @classmethod
    def start(cls, cluster: Settings, port: int = S3_PORT) -> S3:
        """Start an empty one."""
        settings = _settings(cluster, f"s3-{port}", replace(cluster, s3_port=port))
        return cls(settings, objects.start(settings))

    def kill(self) -> None:
        """End it as a lost machine ends: without a warning, in the middle of whatever it does."""
        _kill(self.settings, objects.NAME)

    def start_again(self) -> None:
        """Bring it back, with what it held."""
        objects.start(self.settings)

    def stop(self) -> None:
        """Stop it and remove what it held."""
        process.stop(self.settings, objects.NAME)
        shutil.rmtree(self.settings.state, ignore_errors=True)

    def wait_for_an_upload(self, prefix: str, *, timeout_s: float) -> None:
        """Return as soon as the first object below ``prefix`` is there."""
        folder = objects.folder(self.settings) / "data" / self.access.bucket / prefix
        assert _wait(lambda: _has_a_file(folder), timeout_s), f"nothing was uploaded to {prefix} in {timeout_s:.0f} s"


@dataclass(frozen=True)
class Registry:
    """An OCI registry."""

    settings: Settings

    @classmethod
    def start(cls, cluster: Settings, port: int) -> Registry:
        """Start an empty one."""
        name = f"registry-{port}"
        settings = _settings(cluster, name, replace(cluster, registry_port=port))
        settings = replace(settings, cache=settings.state / "cache")
        registry.start(settings)
        return cls(settings)

    @property
    def address(self) -> str:
        """``host:port``."""
        return self.settings.registry

    def kill(self) -> None:
        """End it without a warning."""
        _kill(self.settings, registry.NAME)

    def start_again(self) -> None:
        """Bring it back, with what it held."""
        registry.start(self.settings)

    def stop(self) -> None:
        """Stop it and remove what it held."""
        process.stop(self.settings, registry.NAME)
        shutil.rmtree(self.settings.state, ignore_errors=True)

    def wait_for_an_upload(self, *, timeout_s: float) -> None:
        """Return as soon as somebody has begun to push."""
        folder = registry.storage(self.settings) / "docker" / "registry" / "v2" / "repositories"
        found = _wait(lambda: any(folder.glob("**/_uploads/*")), timeout_s)
        assert found, f"nothing was pushed to {self.address} within {timeout_s:.0f} s"


def _settings(cluster: Settings, name: str, changed: Settings) -> Settings:
    """The same with a state of its own below the cluster's; what an earlier session left there is ended and removed.

    The folder has the cluster's name, by which the cgroup is named.
    """
    settings = replace(changed, state=cluster.state / "faults" / name / cluster.state.name)
    for part in (objects.NAME, registry.NAME):
        process.stop(settings, part)
    shutil.rmtree(settings.state, ignore_errors=True)
    settings.state.mkdir(parents=True)
    return settings


def _kill(settings: Settings, part: str) -> None:
    record = process.Record.read(process.record_path(settings, part))
    assert record is not None, f"{part} does not run"
    assert record.alive, f"{part} does not run"
    os.kill(record.pid, signal.SIGKILL)
    assert process.wait_until(lambda: not record.alive, 10), f"{part} cannot be killed"


def _has_a_file(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_file() for path in folder.rglob("*"))


def _wait(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Poll often: what is waited for is over within a second."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
