"""Fetching and providing weights: a server that cuts, fails and redirects; a cache that rots."""

import hashlib
import os
import pickle
import random
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from tests.unit.sources.source_servers import FileServer, content, status

from penstock.contract.models import Weights
from penstock.foundation.errors import PenstockError, UsageError, WorldError
from penstock.sources.fetch import Fetcher
from penstock.sources.tree import LFS_POINTER
from penstock.sources.weights import provide
from penstock.store.s3 import s3_client

DATA = random.Random(1).randbytes(300_000)
SHA = hashlib.sha256(DATA).hexdigest()


def fetcher(**options: int) -> Fetcher:
    return Fetcher(allow_http_loopback=True, timeout_s=5.0, sleep=lambda seconds: None, **options)  # type: ignore[arg-type]


def contract(source: str, path: str = "models/w.dat", sha256: str = SHA) -> list[Weights]:
    return [Weights(path=path, sha256=sha256, source=source)]


@pytest.fixture
def clone_dir(tmp_path: Path) -> Path:
    path = tmp_path / "clone"
    path.mkdir()
    return path


# the transfer


def test_fetch(file_server: FileServer, tmp_path: Path) -> None:
    file_server.answers = [content(DATA)]
    assert fetcher().fetch(f"{file_server.url}/w", tmp_path / "w", SHA) == len(DATA)
    assert (tmp_path / "w").read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["w"]


def test_truncated_download_is_resumed(file_server: FileServer, tmp_path: Path) -> None:
    file_server.answers = [content(DATA, cut=100_000), content(DATA, cut=100_000), content(DATA)]
    fetcher().fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    assert (tmp_path / "w").read_bytes() == DATA
    assert file_server.ranges == [None, "bytes=100000-", "bytes=200000-"]


def test_server_without_ranges_starts_again(file_server: FileServer, tmp_path: Path) -> None:
    file_server.answers = [content(DATA, cut=100_000), content(DATA, ranges=False)]
    fetcher().fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    assert (tmp_path / "w").read_bytes() == DATA


def test_always_truncated_is_the_worlds_fault_and_is_kept(file_server: FileServer, tmp_path: Path) -> None:
    file_server.answers = [content(DATA, cut=1000), status(500)]
    with pytest.raises(WorldError, match="failed 3 times") as caught:
        fetcher(attempts=3).fetch(f"{file_server.url}/w?token=hunter2", tmp_path / "w", SHA)
    assert "hunter2" not in str(caught.value)
    assert not (tmp_path / "w").exists()
    assert (tmp_path / "w.part").stat().st_size == 1000
    file_server.answers = [content(DATA)]
    fetcher().fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    assert file_server.ranges[-1] == "bytes=1000-"


def test_server_errors_pass(file_server: FileServer, tmp_path: Path) -> None:
    file_server.answers = [status(500), status(503), status(429), content(DATA)]
    fetcher().fetch(f"{file_server.url}/w", tmp_path / "w", SHA)


@pytest.mark.parametrize("code", [401, 403, 404])
def test_refusal_is_not_tried_again(file_server: FileServer, tmp_path: Path, code: int) -> None:
    file_server.answers = [status(code)]
    with pytest.raises(WorldError, match=str(code)):
        fetcher().fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    assert len(file_server.ranges) == 1


def test_wrong_digest_names_both(file_server: FileServer, tmp_path: Path) -> None:
    file_server.answers = [content(b"other")]
    with pytest.raises(UsageError) as caught:
        fetcher().fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    assert SHA in str(caught.value)
    assert hashlib.sha256(b"other").hexdigest() in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rest", [b"stale", DATA + b"longer", DATA])
def test_what_an_earlier_attempt_left_may_be_of_another_file(
    file_server: FileServer, tmp_path: Path, rest: bytes
) -> None:
    (tmp_path / "w.part").write_bytes(rest)
    file_server.answers = [content(DATA)]
    fetcher().fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    assert (tmp_path / "w").read_bytes() == DATA


def test_redirects(file_server: FileServer, tmp_path: Path) -> None:
    file_server.answers = [status(302, "/there"), content(DATA)]
    fetcher().fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    for target in ("http://example.org/w", "file:///etc/passwd", "ftp://127.0.0.1/x"):
        file_server.answers = [status(302, target)]
        with pytest.raises(WorldError, match="not allowed"):
            fetcher().fetch(f"{file_server.url}/w", tmp_path / "w2", SHA)
    file_server.answers = [status(302, "/w")]
    with pytest.raises(WorldError, match="more than 5 redirects"):
        fetcher().fetch(f"{file_server.url}/w", tmp_path / "w2", SHA)


def test_too_large(file_server: FileServer, tmp_path: Path) -> None:
    file_server.answers = [content(DATA)]
    with pytest.raises(UsageError, match="larger than"):
        fetcher(max_bytes=1000).fetch(f"{file_server.url}/w", tmp_path / "w", SHA)


def test_hanging_server(file_server: FileServer, tmp_path: Path) -> None:
    import threading

    release = threading.Event()
    file_server.answers = [lambda handler: (release.wait(10), None)[1]]
    patient = Fetcher(allow_http_loopback=True, timeout_s=0.1, attempts=2, sleep=lambda seconds: None)
    with pytest.raises(WorldError, match="failed 2 times"):
        patient.fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    release.set()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/w",
        "http://127.0.0.1/w",
        "ftp://x/w",
        "file:///etc/passwd",
        "s3://bucket",
        "https://",
        "https://x:y/z",
    ],
)
def test_refused_addresses(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Fetcher().fetch(url, tmp_path / "w", SHA)


def test_disk_full(file_server: FileServer) -> None:
    """/dev/full is a disk that is always full: a link to it stands where the download would go."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "w.part").symlink_to("/dev/full")
        file_server.answers = [content(DATA)]
        with pytest.raises(WorldError, match="no space"):
            fetcher().fetch(f"{file_server.url}/w", Path(folder) / "w", SHA)


# S3, as moto plays it inside boto3


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with mock_aws():
        client = s3_client(None)
        client.create_bucket(Bucket="weights")
        client.put_object(Bucket="weights", Key="a/w.dat", Body=DATA)
        yield client


@pytest.mark.parametrize("rest", [b"", DATA[:1000], DATA, DATA + b"longer", b"stale"])
def test_s3(bucket: Any, clone_dir: Path, tmp_path: Path, rest: bytes) -> None:
    part = tmp_path / "cache" / "weights" / f"{SHA}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(rest)
    provide(contract("s3://weights/a/w.dat"), clone_dir, tmp_path / "cache", fetcher=fetcher())
    assert (clone_dir / "models" / "w.dat").read_bytes() == DATA


def test_s3_failures(bucket: Any, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="no such object"):
        fetcher().fetch("s3://weights/absent", tmp_path / "w", SHA)
    with pytest.raises(WorldError, match="NoSuchBucket"):
        fetcher().fetch("s3://absent/w", tmp_path / "w", SHA)
    with pytest.raises(UsageError, match="contract says"):
        fetcher().fetch("s3://weights/a/w.dat", tmp_path / "w", "0" * 64)
    with pytest.raises(UsageError, match="larger"):
        fetcher(max_bytes=10).fetch("s3://weights/a/w.dat", tmp_path / "w", SHA)


# in place


def test_in_the_repository(clone_dir: Path, tmp_path: Path) -> None:
    (clone_dir / "models").mkdir()
    (clone_dir / "models" / "w.dat").write_bytes(DATA)
    for source in ("lfs", "models/w.dat"):
        (record,) = provide(contract(source), clone_dir, tmp_path / "cache")
        assert (record.path, record.sha256, record.bytes) == ("models/w.dat", SHA, len(DATA))
    assert not (tmp_path / "cache").exists()
    provide(contract("models/w.dat", path="elsewhere/w.dat"), clone_dir, tmp_path / "cache")
    assert (clone_dir / "elsewhere" / "w.dat").read_bytes() == DATA


def test_fetched_once_then_from_the_cache(file_server: FileServer, clone_dir: Path, tmp_path: Path) -> None:
    file_server.answers = [content(DATA)]
    wanted = contract(f"{file_server.url}/w")
    for name in ("one", "two"):
        (clone_dir / name).mkdir()
        provide(wanted, clone_dir / name, tmp_path / "cache", fetcher=fetcher())
        placed = clone_dir / name / "models" / "w.dat"
        assert placed.read_bytes() == DATA
        assert stat.S_IMODE(placed.stat().st_mode) == 0o444
        assert placed.stat().st_ino != (tmp_path / "cache" / "weights" / SHA).stat().st_ino
    assert len(file_server.ranges) == 1


def test_rotten_cache_is_fetched_again(
    file_server: FileServer, clone_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cached = tmp_path / "cache" / "weights" / SHA
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"rotten")
    file_server.answers = [content(DATA)]
    provide(contract(f"{file_server.url}/w"), clone_dir, tmp_path / "cache", fetcher=fetcher())
    assert (clone_dir / "models" / "w.dat").read_bytes() == DATA
    assert cached.read_bytes() == DATA
    assert "damaged" in caplog.text


def test_placeholder_in_the_repository_is_replaced(file_server: FileServer, clone_dir: Path, tmp_path: Path) -> None:
    (clone_dir / "models").mkdir()
    (clone_dir / "models" / "w.dat").write_bytes(LFS_POINTER)
    file_server.answers = [content(DATA)]
    provide(contract(f"{file_server.url}/w"), clone_dir, tmp_path / "cache", fetcher=fetcher())
    assert (clone_dir / "models" / "w.dat").read_bytes() == DATA


@pytest.mark.parametrize(
    ("weights", "kind", "match"),
    [
        (contract("lfs", path="absent"), UsageError, "no such file"),
        (contract("lfs", path="pointer"), WorldError, "git-lfs"),
        (contract("lfs", path="other"), UsageError, SHA),
        (contract("lfs", path="../other"), UsageError, "leaves"),
        (contract("lfs", path="link"), UsageError, "is a symbolic link"),
        (contract("/etc/passwd"), UsageError, "leaves"),
        (contract("../x"), UsageError, "leaves"),
        (contract("lfs", path=".git/config"), UsageError, ".git"),
        (contract("lfs", path="folder"), UsageError, "directory"),
        (contract("ftp://x/y"), UsageError, "https"),
    ],
)
def test_refused(
    clone_dir: Path, tmp_path: Path, weights: list[Weights], kind: type[PenstockError], match: str
) -> None:
    (clone_dir / "pointer").write_bytes(LFS_POINTER + b"oid sha256:" + SHA.encode() + b"\nsize 9\n")
    (clone_dir / "other").write_bytes(b"other")
    (clone_dir / "link").symlink_to("/etc/passwd")
    (clone_dir / "folder").mkdir()
    with pytest.raises(kind) as caught:
        provide(weights, clone_dir, tmp_path / "cache")
    assert match in str(caught.value)


def test_pickle_that_executes_is_not_left_for_the_model(
    file_server: FileServer, clone_dir: Path, tmp_path: Path
) -> None:
    evil = b"cos\nsystem\n(S'touch pwned'\ntR."
    file_server.answers = [content(evil)]
    wanted = contract(f"{file_server.url}/w", path="w.pth", sha256=hashlib.sha256(evil).hexdigest())
    with pytest.raises(UsageError, match=r"os\.system"):
        provide(wanted, clone_dir, tmp_path / "cache", fetcher=fetcher())
    assert not (clone_dir / "w.pth").exists()


def test_pickle_is_accepted_with_a_word(clone_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    honest = pickle.dumps({"w": [1.0]})
    (clone_dir / "w.pth").write_bytes(honest)
    provide(contract("lfs", path="w.pth", sha256=hashlib.sha256(honest).hexdigest()), clone_dir, tmp_path / "cache")
    assert "only where no network is" in caplog.text
