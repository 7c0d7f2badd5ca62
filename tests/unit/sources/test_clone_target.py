"""Where a clone goes: a directory that is replaced, or a mount point that is filled."""

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.sources import clone_target as place_module
from penstock.sources.clone_target import FilledPlace, ReplacedPlace, is_mount_point, place_for


def test_mount_point_is_filled_and_filled_again(repository: Path, tmp_path: Path) -> None:
    place = FilledPlace(tmp_path / "mounted")
    place.directory.mkdir()
    (place.directory / "lost+found").mkdir()

    def fill(name: str) -> None:
        place.prepare({})
        with place.partial() as partial:
            (partial / ".git").mkdir()
            (partial / name).write_text("x")
            place.put(partial, {}, {"commit": "c"})

    fill("a")
    fill("b")
    assert sorted(path.name for path in place.directory.iterdir()) == [".git", "b", "lost+found"]
    (place.directory / ".git" / "penstock-clone").unlink()
    with pytest.raises(UsageError, match="not empty"):
        fill("c")
    (place.directory / ".penstock-clone-x").mkdir()  # killed while it was filled: all of it is ours
    fill("d")
    assert sorted(path.name for path in place.directory.iterdir()) == [".git", "d", "lost+found"]


@pytest.mark.parametrize("removed", [0, 1, 2, 3])
def test_mount_point_whose_clearing_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: int) -> None:
    """Whatever was removed first, the rest is still known as ours."""
    place = FilledPlace(tmp_path / "mounted")
    place.directory.mkdir()
    for name in (".git", "a", "b"):
        (place.directory / name).mkdir()
    (place.directory / ".git" / "penstock-clone").touch()
    remove, left = place_module.remove_tree, iter(range(removed, -1, -1))

    def killed(path: Path) -> None:
        if next(left) == 0:
            raise KeyboardInterrupt
        remove(path)

    monkeypatch.setattr(place_module, "remove_tree", killed)
    with pytest.raises(KeyboardInterrupt):
        place.prepare({})
    monkeypatch.setattr(place_module, "remove_tree", remove)
    place.prepare({})
    assert list(place.directory.iterdir()) == []


def test_what_is_a_mount_point(tmp_path: Path) -> None:
    assert is_mount_point(Path("/proc"))
    assert not is_mount_point(tmp_path)
    (tmp_path / "plain").mkdir()
    assert isinstance(place_for(tmp_path / "plain"), ReplacedPlace)
    assert isinstance(place_for(Path("/proc")), FilledPlace)
