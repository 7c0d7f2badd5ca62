"""The S3 server of the cluster, on its own: a pointer is moved by one of several, and the probe is content with it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.objects import Access, make_bucket
from tests.cluster.settings import Settings
from tests.unit.releases.release_race import race
from tests.unit.store.contested_key import contest

from penstock.foundation.errors import WorldError
from penstock.store.open import open_store

START_S = 30.0


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


def test_it_can_do_what_penstock_needs(access: Access, credentials: Path) -> None:
    store = open_store(f"s3://{access.bucket}/probed", credentials)
    store.probe("run-1")
    assert list(store.list("")) == []


def test_four_processes_publish_at_once_and_one_chain_holds(access: Access, credentials: Path, tmp_path: Path) -> None:
    race(f"s3://{access.bucket}/raced", tmp_path, credentials)


def test_eight_write_one_key_at_once_and_one_wins(access: Access, credentials: Path, tmp_path: Path) -> None:
    for number in range(5):
        contest(open_store(f"s3://{access.bucket}/contest-{number}", credentials), tmp_path)
