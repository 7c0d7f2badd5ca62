"""Volumes that are offered again, against a small API server that remembers; and the volumes' manifests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cluster import recycler, volumes
from tests.cluster.settings import Settings


class Cluster(recycler.Api):
    """The API server's answers about volumes, from a dictionary."""

    def __init__(self, now: recycler.Object) -> None:
        self.now = now
        self.offered: list[str] = []

    def volume(self, name: str) -> recycler.Object:
        return self.now

    def offer(self, name: str) -> None:
        self.offered.append(name)


def volume(folder: Path, phase: str = "Released", claim: str | None = "work") -> recycler.Object:
    reference = {"claimRef": {"name": claim}} if claim else {}
    return {
        "metadata": {"name": folder.name},
        "spec": {"local": {"path": str(folder)}, **reference},
        "status": {"phase": phase},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A volume with somebody's files, and a link out of it."""
    folder = tmp_path / "volumes" / "volume-00"
    (folder / "cache" / "deep").mkdir(parents=True)
    (folder / "cache" / "deep" / "file").write_text("content")
    (folder / "read-only").touch(mode=0o400)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "keep").touch()
    (folder / "link").symlink_to(tmp_path / "outside")
    return folder


def test_a_released_volume_is_emptied_and_offered(folder: Path, tmp_path: Path) -> None:
    cluster = Cluster(volume(folder))
    recycler.recycle(cluster, volume(folder), folder.parent)
    assert cluster.offered == ["volume-00"]
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o7777 == 0o777
    assert (tmp_path / "outside" / "keep").exists()


@pytest.mark.parametrize(
    ("phase", "claim"), [("Bound", "work"), ("Available", None), ("Released", None), ("Pending", None)]
)
def test_nothing_else_is_touched(folder: Path, phase: str, claim: str | None) -> None:
    before = sorted(folder.iterdir())
    for seen, now in [(volume(folder, phase, claim), volume(folder)), (volume(folder), volume(folder, phase, claim))]:
        cluster = Cluster(now)
        recycler.recycle(cluster, seen, folder.parent)
        assert cluster.offered == []
        assert sorted(folder.iterdir()) == before


def test_a_directory_elsewhere_is_never_emptied(folder: Path, tmp_path: Path) -> None:
    cluster = Cluster(volume(tmp_path / "outside"))
    with pytest.raises(ValueError, match="is not below"):
        recycler.recycle(cluster, volume(tmp_path / "outside"), folder.parent)
    assert (tmp_path / "outside" / "keep").exists()


def test_manifests(tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path, state=tmp_path / "state")
    objects = volumes.manifests(settings)
    classes = [one for one in objects if one["kind"] == "StorageClass"]
    assert [one["metadata"]["name"] for one in classes if one["metadata"]["annotations"]] == ["penstock"]
    places = [one["spec"]["local"]["path"] for one in objects if one["kind"] == "PersistentVolume"]
    assert len(set(places)) == volumes.COUNT + 1
    assert str(volumes.small(settings)) in places
