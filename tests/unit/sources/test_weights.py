"""Fetching and providing weights: a server that cuts, fails and redirects; a cache that rots."""

import hashlib
import pickle
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sources.fetched_file import DATA, SHA, fetcher
from tests.unit.sources.source_servers import FileServer, content

from penstock.contract.models import Weights
from penstock.foundation.errors import PenstockError, UsageError, WorldError
from penstock.sources.tree import LFS_POINTER
from penstock.sources.weights import provide


def contract(source: str, path: str = "models/w.dat", sha256: str = SHA) -> list[Weights]:
    return [Weights(path=path, sha256=sha256, source=source)]


@pytest.fixture
def clone_dir(tmp_path: Path) -> Path:
    path = tmp_path / "clone"
    path.mkdir()
    return path


# S3


@pytest.mark.slow
@pytest.mark.parametrize("rest", [b"", DATA[:1000], DATA, DATA + b"longer", b"stale"])
def test_s3(bucket: Any, clone_dir: Path, tmp_path: Path, rest: bytes) -> None:
    part = tmp_path / "cache" / "weights" / f"{SHA}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(rest)
    provide(contract("s3://weights/a/w.dat"), clone_dir, tmp_path / "cache", fetcher=fetcher())
    assert (clone_dir / "models" / "w.dat").read_bytes() == DATA


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
