"""A real registry and a real S3 server on loopback, and an image in the registry."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.cluster import registry
from tests.cluster.objects import Access, make_bucket
from tests.cluster.oci import Registry
from tests.cluster.settings import Settings

from penstock.bundle.models import Image
from penstock.foundation.errors import WorldError

START_S = 30.0


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


def skopeo(*arguments: str) -> str:
    done = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def image(settings: Settings, server: object, tmp_path: Path) -> Image:
    """An image of one empty layer."""
    folder = tmp_path / "image"
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(content: bytes, kind: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "size": len(content), "digest": f"sha256:{digest}"}

    tar = bytes(1024)
    layer = blob(tar, "layer.v1.tar")
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
    content = {"schemaVersion": 2, "config": blob(json.dumps(config).encode(), "config.v1+json"), "layers": [layer]}
    manifest = blob(json.dumps(content).encode(), "manifest.v1+json")
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    url = f"{settings.registry}/model"
    skopeo("copy", "--preserve-digests", "--dest-tls-verify=false", f"oci:{folder}", f"docker://{url}:1")
    return Image(kind="image", url=url, digest=str(manifest["digest"]))


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    """A server over a directory of this test."""
    folder = tmp_path_factory.mktemp("objects")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    found = Access(f"http://{address}", "race", "race-of-four", "races")
    keys = {"ROOT_ACCESS_KEY_ID": found.access_key, "ROOT_SECRET_ACCESS_KEY": found.secret_key}
    server = Settings.from_environment().binary("versitygw")
    with subprocess.Popen(
        [server, "--port", address, "--quiet", "posix", str(folder)], env=dict(os.environ) | keys
    ) as process:
        try:
            deadline = time.monotonic() + START_S
            while True:
                try:
                    make_bucket(found)
                    break
                except WorldError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)
            yield found
        finally:
            process.terminate()


@pytest.fixture
def credentials(access: Access, tmp_path: Path) -> Path:
    """As a mounted secret."""
    folder = tmp_path / "secret"
    folder.mkdir()
    for name, value in (
        ("AWS_ACCESS_KEY_ID", access.access_key),
        ("AWS_SECRET_ACCESS_KEY", access.secret_key),
        ("AWS_ENDPOINT_URL", access.endpoint),
    ):
        (folder / name).write_text(value)
    return folder
