"""A store in S3: large files, foreign objects, credentials, errors."""

import hashlib
import io
import os
import socket
from pathlib import Path
from unittest.mock import Mock

import pytest

from penstock.foundation.errors import UsageError, WorldError
from penstock.store.open import open_store
from penstock.store.s3 import S3Store
from penstock.store.s3_client import s3_client


def file(path: Path, content: bytes) -> tuple[Path, str]:
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


# S3


@pytest.mark.slow
def test_large_file_goes_in_parts(s3_store: S3Store, tmp_path: Path) -> None:
    store = S3Store(s3_store.bucket, "p", client=s3_store.client, part_bytes=5 << 20)
    path, digest = file(tmp_path / "a", os.urandom((5 << 20) + 12345))
    assert store.put_file("big", path, digest)
    assert not store.put_file("big", path, digest)
    assert store.get_file("big", tmp_path / "back") == digest
    with pytest.raises(WorldError, match="changed"):
        store.put_file("other", path, "0" * 64)
    assert not s3_store.client.list_multipart_uploads(Bucket=store.bucket).get("Uploads")


def test_object_without_our_record(s3_store: S3Store, tmp_path: Path) -> None:
    s3_store.client.put_object(Bucket=s3_store.bucket, Key="some/prefix/k", Body=b"by hand")
    assert s3_store.digest("k") == hashlib.sha256(b"by hand").hexdigest()


def test_open_s3(s3_store: S3Store, s3_credentials: Path, tmp_path: Path) -> None:
    store = open_store(f"s3://{s3_store.bucket}/some/prefix", s3_credentials)
    store.put_file("k", *file(tmp_path / "a", b"x"))
    assert s3_store.exists("k")
    assert store.location("k") == f"s3://{s3_store.bucket}/some/prefix/k"


def test_aws_files(s3_store: S3Store, tmp_path: Path) -> None:
    folder = tmp_path / "aws"
    folder.mkdir()
    (folder / "credentials").write_text("[default]\naws_access_key_id=key\naws_secret_access_key=secret\n")
    (folder / "config").write_text("[default]\nregion=us-east-1\n")
    store = open_store(f"s3://{s3_store.bucket}", folder)
    assert store.swap_pointer("p", {"a": 1}, seen=None)
    assert store.get_pointer("p") == {"a": 1}


def test_no_bucket(s3_server: None, s3_credentials: Path, tmp_path: Path) -> None:
    store = open_store("s3://no-such-bucket/x", s3_credentials)
    with pytest.raises(WorldError, match="NoSuchBucket"):
        store.put_file("k", *file(tmp_path / "a", b"x"))


def test_no_credentials(s3_credentials: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(WorldError, match="no credentials"):
        open_store("s3://bucket/x").get_pointer("p")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="credentials directory"):
        open_store("s3://bucket/x", tmp_path / "empty")


def test_unreachable(s3_credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: a connection is refused
        (s3_credentials / "AWS_ENDPOINT_URL").write_text(f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setattr("time.sleep", lambda seconds: None)  # botocore's patience
        client = s3_client(s3_credentials)
        with pytest.raises(WorldError, match="cannot be reached") as caught:
            S3Store("bucket", "", client=client).get_pointer("p")
    assert "hunter2" not in str(caught.value)


def test_a_server_that_knows_no_ranges_sends_all() -> None:
    client = Mock()
    client.get_object.side_effect = lambda **_: {"Body": io.BytesIO(b"0123456789")}
    store = S3Store("releases", "", client=client)
    assert b"".join(store.read_range("runs/m/a", 4, 3)) == b"456"
    assert b"".join(store.read_range("runs/m/a", 20, 3)) == b""
