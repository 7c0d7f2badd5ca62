"""Which store an act is about: the platform's, where it names one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.targets.targets_files import webhook, write_targets

from penstock.foundation.errors import UsageError
from penstock.targets.platform_store import platform_store


def naming(folder: Path, store: str) -> Path:
    path = write_targets(folder, a=webhook())
    path.write_text(f"{path.read_text()}store: {store}\n")
    return path


def test_who_acts_says_it_where_the_platform_does_not(tmp_path: Path) -> None:
    assert platform_store(None, "s3://a/b") == "s3://a/b"
    assert platform_store(write_targets(tmp_path, a=webhook()), "s3://a/b") == "s3://a/b"
    assert platform_store(None, "") == ""


@pytest.mark.parametrize("given", ["", "s3://releases/penstock", "s3://releases/penstock/"])
def test_the_platform_decides(tmp_path: Path, given: str) -> None:
    assert platform_store(naming(tmp_path, "s3://releases/penstock"), given) == "s3://releases/penstock"


@pytest.mark.parametrize("given", ["s3://releases/other", "s3://other/penstock", "/srv/store", "runs/store"])
def test_another_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(UsageError, match=r"releases in 's3://releases/penstock'\. Leave the store out") as caught:
        platform_store(naming(tmp_path, "s3://releases/penstock"), given)
    assert caught.value.where == f"store '{given}'"


def test_a_folder_by_any_path_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store"
    store.mkdir()
    targets = naming(tmp_path, str(store))
    monkeypatch.chdir(tmp_path)
    assert platform_store(targets, "./store/") == str(store)
    with pytest.raises(UsageError):
        platform_store(targets, str(tmp_path))
