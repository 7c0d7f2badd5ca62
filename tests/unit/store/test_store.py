"""Both kinds of store, with the same tests; then what only one of them can suffer."""

import hashlib
import os
import resource
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError, WorldError
from penstock.store.local import LocalStore
from penstock.store.s3 import S3Store, s3_client
from penstock.store.store import Store, open_store


def file(path: Path, content: bytes) -> tuple[Path, str]:
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_put_get(store: Store, tmp_path: Path) -> None:
    path, digest = file(tmp_path / "a", b"content")
    assert store.put_file("runs/m/r/größe.bin", path, digest)
    assert not store.put_file("runs/m/r/größe.bin", path, digest)
    assert store.digest("runs/m/r/größe.bin") == digest
    assert store.get_file("runs/m/r/größe.bin", tmp_path / "back", digest) == digest
    assert (tmp_path / "back").read_bytes() == b"content"
    assert store.exists("runs/m/r/größe.bin")
    assert not store.exists("runs/m/r/other")


def test_evidence_is_never_replaced(store: Store, tmp_path: Path) -> None:
    store.put_file("k", *file(tmp_path / "a", b"one"))
    with pytest.raises(WorldError, match="never replaced"):
        store.put_file("k", *file(tmp_path / "b", b"two"))
    store.get_file("k", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"one"


def test_many_at_once_one_wins(store: Store, tmp_path: Path) -> None:
    files = [file(tmp_path / f"f{number}", bytes([number]) * 1000) for number in range(8)]

    def put(item: tuple[Path, str]) -> str:
        try:
            store.put_file("contested", *item)
        except WorldError:
            return ""
        return item[1]

    with ThreadPoolExecutor(8) as pool:
        winners = [digest for digest in pool.map(put, files) if digest]
    assert winners == [store.digest("contested")]


def test_file_that_changes_on_the_way(store: Store, tmp_path: Path) -> None:
    path, _ = file(tmp_path / "a", b"now")
    with pytest.raises(WorldError, match="changed"):
        store.put_file("k", path, hashlib.sha256(b"before").hexdigest())
    assert not store.exists("k")


def test_missing_and_damaged(store: Store, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="no such object"):
        store.get_file("k", tmp_path / "x")
    store.put_file("k", *file(tmp_path / "a", b"one"))
    with pytest.raises(WorldError, match="SHA-256"):
        store.get_file("k", tmp_path / "x", "0" * 64)
    assert not (tmp_path / "x").exists()


def test_list(store: Store, tmp_path: Path) -> None:
    path, digest = file(tmp_path / "a", b"12345")
    for key in ("runs/m/b", "runs/m/a/x", "runs/mm/c", "published/m.json"):
        store.put_file(key, path, digest)
    assert [(entry.key, entry.bytes) for entry in store.list("runs/m")] == [("runs/m/a/x", 5), ("runs/m/b", 5)]
    assert len(list(store.list(""))) == 4
    assert list(store.list("absent")) == []


def test_pointer_moves_only_from_what_was_seen(store: Store) -> None:
    key = "baselines/m.json"
    assert store.read_pointer(key) is None
    assert store.swap_pointer(key, {"run_id": "a"}, seen=None)
    first = store.read_pointer(key)
    assert not store.swap_pointer(key, {"run_id": "b"}, seen=None)
    assert store.swap_pointer(key, {"run_id": "ü"}, seen=first)
    assert not store.swap_pointer(key, {"run_id": "b"}, seen=first)
    assert not store.swap_pointer("baselines/gone.json", {"run_id": "b"}, seen=first)
    assert store.get_pointer(key) == {"run_id": "ü"}
    assert [entry.key for entry in store.list("baselines")] == [key]
    with pytest.raises(UsageError, match="larger"):
        store.swap_pointer("big", {"x": "y" * (2 << 20)}, seen=None)


def test_what_a_killed_writer_of_a_pointer_left_goes_with_the_next(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    if (child := os.fork()) == 0:  # dies where the content is written and not yet in place
        try:
            os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
            store.swap_pointer("baselines/mini.json", {"run_id": "a"}, seen=None)
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    folder = store.directory / "baselines"
    assert len(list(folder.glob(".mini.json.tmp-*"))) == 1
    (folder / ".mini.json2.json.tmp-x").write_text("another pointer's")
    assert store.swap_pointer("baselines/mini.json", {"run_id": "b"}, seen=None)
    assert sorted(left.name for left in folder.iterdir()) == [".mini.json.lock", ".mini.json2.json.tmp-x", "mini.json"]


def test_pointer_that_is_none(store: Store, tmp_path: Path) -> None:
    store.put_file("p", *file(tmp_path / "a", b"[1]"))
    with pytest.raises(WorldError, match="no JSON object"):
        store.get_pointer("p")


@pytest.mark.parametrize("key", ["", "/a", "a/", "../a", "a/../b", "a//b", "./a", "a\nb", "a\\b", "x" * 1000])
def test_keys_stay_inside(store: Store, tmp_path: Path, key: str) -> None:
    path, digest = file(tmp_path / "a", b"x")
    with pytest.raises(UsageError):
        store.put_file(key, path, digest)
    with pytest.raises(UsageError):
        store.get_pointer(key)


@pytest.mark.parametrize("location", ["", " ", "ftp://x", "gs://bucket/x", "s3://", "s3://bad_/x", "s3://bucket/../x"])
def test_bad_locations(location: str) -> None:
    with pytest.raises(UsageError):
        open_store(location)


# the local one


def test_open_local(tmp_path: Path) -> None:
    assert isinstance(open_store(tmp_path / "new" / "store"), LocalStore)
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorldError):
        open_store(tmp_path / "file")


def test_killed_upload_is_not_seen(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    (tmp_path / "store" / "runs").mkdir()
    (tmp_path / "store" / "runs" / ".incoming-abc").write_bytes(b"half")
    assert list(store.list("runs")) == []


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 4 KiB: the system call fails as on a full disk, also for users without privileges."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_full_disk(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    store = LocalStore(tmp_path / "store")
    path, digest = file(tmp_path / "a", os.urandom(100_000))
    store.put_file("there", path, digest)
    request.getfixturevalue("small_disk")
    with pytest.raises(WorldError, match="no space"):
        store.put_file("k", path, digest)
    with pytest.raises(WorldError, match="no space"):
        store.get_file("there", tmp_path / "back", digest)
    assert not store.exists("k")
    assert [entry.name for entry in (tmp_path / "store").iterdir()] == ["there"]
    assert not (tmp_path / "back").exists()


# S3


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
