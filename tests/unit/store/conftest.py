"""Fixtures: a local store and an S3 store; a bundle that was accepted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.store.local import LocalStore
from penstock.store.s3 import S3Store
from penstock.store.s3_client import s3_client
from penstock.store.store import Store


@pytest.fixture
def s3_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mounted secret; nothing of AWS is in the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "secret"
    folder.mkdir()
    (folder / "AWS_ACCESS_KEY_ID").write_text("key\n")
    (folder / "AWS_SECRET_ACCESS_KEY").write_text("hunter2\n")
    return folder


@pytest.fixture(scope="session")
def s3_server(aws_described_once: None) -> Iterator[Any]:
    """S3 as moto plays it inside boto3, and a client of it; a real server is used end to end."""
    with mock_aws():
        yield s3_client(None)


@pytest.fixture
def s3_store(s3_server: Any, request: pytest.FixtureRequest) -> S3Store:
    """An empty bucket for this test."""
    bucket = f"b{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:40]}"
    s3_server.create_bucket(Bucket=bucket)
    return S3Store(bucket, "some/prefix", client=s3_server)


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Every kind of store."""
    if request.param == "local":
        return LocalStore(tmp_path / "store")
    found: S3Store = request.getfixturevalue("s3_store")
    return found


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """An accepted run of version 1.0.0."""
    return accepted_bundle(tmp_path / "bundle")
