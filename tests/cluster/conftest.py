"""A real registry on loopback."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.cluster import registry
from tests.cluster.oci import Registry
from tests.cluster.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A cluster's settings, on loopback, with a free port for the registry."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "state").mkdir()
    return Settings(cache=tmp_path / "cache", state=tmp_path / "state", address="127.0.0.1", registry_port=port)


@pytest.fixture
def server(settings: Settings) -> Iterator[Registry]:
    """A registry with the cluster's own configuration."""
    config = settings.state / "registry.yaml"
    config.write_text(yaml.safe_dump(registry.configuration(settings)))
    with (settings.state / "log").open("w") as log:
        process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while not registry.answers(settings):
            assert process.poll() is None, (settings.state / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield Registry(settings.registry)
    finally:
        process.terminate()
        process.wait()
