"""A suite from elsewhere is put into the repository: from a cache that rots, and never over what is there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.suites.tarred import FILES

from penstock.bundle.models import SuiteOrigin
from penstock.contract.placed_suite import RECORD
from penstock.contract.suite_sources import FOLDER, SuiteSource, suite_source
from penstock.foundation.errors import UsageError
from penstock.suites.provided_suite import provide_place, provide_suite
from penstock.suites.suite_fetch import SuiteAccess
from penstock.suites.suite_files import digest_of

DIGEST = digest_of({path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()})
ADDRESS = f"workspace://suite#sha256={DIGEST}"
NOWHERE = SuiteAccess()


def source() -> SuiteSource:
    found = suite_source(ADDRESS)
    assert found is not None
    return found


@pytest.fixture
def access(tmp_path: Path) -> SuiteAccess:
    bound = tmp_path / "bound"
    for path, content in FILES.items():
        (bound / path).parent.mkdir(parents=True, exist_ok=True)
        (bound / path).write_bytes(content)
    return replace(NOWHERE, bound=bound)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    path = tmp_path / "clone"
    path.mkdir()
    return path


def held(directory: Path) -> dict[str, bytes]:
    place = directory / FOLDER
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_fetched_once_then_from_the_cache(access: SuiteAccess, clone: Path, tmp_path: Path) -> None:
    origin = provide_suite(source(), clone, tmp_path / "cache", access, fresh=True)
    assert origin == SuiteOrigin(address=ADDRESS, files=DIGEST)
    assert held(clone) == FILES
    assert json.loads((clone / RECORD).read_text()) == {"address": ADDRESS, "digest": DIGEST}
    (another := tmp_path / "another").mkdir()
    assert provide_suite(source(), another, tmp_path / "cache", NOWHERE, fresh=True) == origin
    assert held(another) == FILES
    with pytest.raises(UsageError, match="binds no suite"):
        provide_suite(source(), clone, tmp_path / "empty", NOWHERE, fresh=False)


def test_what_a_killed_fetch_has_left_goes(access: SuiteAccess, clone: Path, tmp_path: Path) -> None:
    provide_suite(source(), clone, tmp_path / "cache", access, fresh=True)
    (entry,) = (path for path in (tmp_path / "cache" / "suites").iterdir() if path.is_dir())
    left = entry.rename(entry.with_name(f".{entry.name}-killed"))
    other = left.with_name(".another-suite")
    other.mkdir()
    provide_suite(source(), clone, tmp_path / "cache", access, fresh=False)
    assert held(clone) == FILES
    assert entry.is_dir()
    assert not left.exists()
    assert other.is_dir()


@pytest.mark.parametrize("damage", ["file", "gone", "list", "half"])
def test_a_damaged_entry_is_fetched_again(
    access: SuiteAccess, clone: Path, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    provide_suite(source(), clone, tmp_path / "cache", access, fresh=True)
    (kept,) = (tmp_path / "cache").rglob("b.png")
    sums = kept.parents[2] / "SHA256SUMS"
    if damage == "file":
        kept.chmod(0o644)
        kept.write_bytes(b"rotten!")
    elif damage == "gone":
        kept.unlink()
    elif damage == "list":
        sums.write_text(sums.read_text().replace("a/b.png", "a/c.png"))
    else:
        sums.unlink()
    (another := tmp_path / "another").mkdir()
    provide_suite(source(), another, tmp_path / "cache", access, fresh=True)
    assert held(another) == FILES
    assert ("damaged" in caplog.text) == (damage in ("file", "gone"))


def test_what_the_repository_has_at_that_place_is_refused(access: SuiteAccess, clone: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (clone / ".penstock").symlink_to(outside)
    for fresh in (True, False):
        with pytest.raises(UsageError, match=r"holds a '\.penstock' of its own"):
            provide_suite(source(), clone, tmp_path / "cache", access, fresh=fresh)
    with pytest.raises(UsageError, match="of its own"):
        provide_place(clone)
    assert list(outside.iterdir()) == []
    (clone / ".penstock").unlink()
    (clone / ".penstock").mkdir()
    with pytest.raises(UsageError, match="of its own"):
        provide_suite(source(), clone, tmp_path / "cache", access, fresh=True)
    (clone / FOLDER).symlink_to(outside / "made")
    with pytest.raises(UsageError, match="symbolic link"):
        provide_place(clone)
    assert list(outside.iterdir()) == []


def test_in_a_working_copy_it_takes_the_place_of_the_earlier_one(
    access: SuiteAccess, clone: Path, tmp_path: Path
) -> None:
    provide_suite(source(), clone, tmp_path / "cache", access, fresh=True)
    (clone / FOLDER / "old.png").write_text("of an earlier suite")
    provide_suite(source(), clone, tmp_path / "cache", access, fresh=False)
    assert held(clone) == FILES
    assert (clone / ".penstock" / ".gitignore").read_text() == "*\n"
