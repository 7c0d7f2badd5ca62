"""Fetching from servers that break off, redirect, lie or hang."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sources.fetched_file import DATA, SHA, fetcher
from tests.unit.sources.source_servers import FileServer, content, status

from penstock.foundation.errors import UsageError, WorldError
from penstock.sources.fetch import Fetcher

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


@pytest.mark.slow
def test_redirects(file_server: FileServer, tmp_path: Path) -> None:
    file_server.answers = [status(302, "/there"), content(DATA)]
    fetcher().fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    for target in ("http://example.org/w", "file:///etc/passwd", "ftp://127.0.0.1/x"):
        file_server.answers = [status(302, target)]
        with pytest.raises(WorldError, match="not allowed"):
            fetcher().fetch(f"{file_server.url}/w", tmp_path / "w2", SHA)
    # nor to what a person may name: a server does not choose a file of this machine
    for target in ("file:///etc/passwd", "s3://bucket/w", f"hf://a/b@{'1' * 40}/w"):
        file_server.answers = [status(302, target)]
        with pytest.raises(WorldError, match="not allowed"):
            fetcher(allow_local=True).fetch(f"{file_server.url}/w", tmp_path / "w2", SHA)
    file_server.answers = [status(302, "/w")]
    with pytest.raises(WorldError, match="more than 5 redirects"):
        fetcher().fetch(f"{file_server.url}/w", tmp_path / "w2", SHA)


@pytest.mark.slow
@pytest.mark.parametrize(
    "target", ["https://[bad", "//[x", "https://xn--0/", "javascript:1", "https://[v1.a]/x", "FILE:///etc/passwd"]
)
def test_a_redirect_that_nobody_can_read_is_the_servers_fault(
    file_server: FileServer, tmp_path: Path, target: str
) -> None:
    file_server.answers = [status(302, target)] * 5
    with pytest.raises(WorldError, match=r"redirects to an address|Invalid URL in location"):
        fetcher(allow_local=True).fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("url", ["https://xn--0/w", "S3://bucket/key", "FILE:///etc/passwd"])
def test_an_address_that_cannot_be_used_as_it_is_written_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"valid address|come from"):
        fetcher(allow_local=True).fetch(url, tmp_path / "w", SHA)


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


# S3


@pytest.mark.slow
def test_s3_failures(bucket: Any, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="no such object"):
        fetcher().fetch("s3://weights/absent", tmp_path / "w", SHA)
    with pytest.raises(WorldError, match="NoSuchBucket"):
        fetcher().fetch("s3://absent/w", tmp_path / "w", SHA)
    with pytest.raises(UsageError, match="contract says"):
        fetcher().fetch("s3://weights/a/w.dat", tmp_path / "w", "0" * 64)
    with pytest.raises(UsageError, match="larger"):
        fetcher(max_bytes=10).fetch("s3://weights/a/w.dat", tmp_path / "w", SHA)
