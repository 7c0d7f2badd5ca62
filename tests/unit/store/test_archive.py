"""Archiving and bringing back."""

from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Manifest
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_file
from penstock.store.archive import PARTIAL, archive, fetch
from penstock.store.local import LocalStore
from penstock.store.store import Store


def put(bundle: Bundle, store: Store, run_id: str = "run-1") -> int:
    return archive(bundle, store, model="sonic-lite", run_id=run_id).uploaded


@pytest.mark.slow
def test_round_trip(bundle: Bundle, store: Store, tmp_path: Path) -> None:
    result = archive(bundle, store, model="sonic-lite", run_id="run-1")
    assert (result.files, result.uploaded) == (5, 5)
    assert result.uri.endswith("runs/sonic-lite/run-1")
    assert result.manifest_sha256 == sha256_file(bundle.manifest_file)
    back = fetch(store, "sonic-lite", "run-1", tmp_path / "back", manifest_sha256=result.manifest_sha256)
    assert back.verify() == bundle.verify()
    assert put(bundle, store) == 0


def test_archive_that_broke_off_goes_on(bundle: Bundle, store: Store, tmp_path: Path) -> None:
    manifest = bundle.seal()
    store.put_file("runs/sonic-lite/run-1/run.json", bundle.run_file, manifest.files["run.json"])
    with pytest.raises(WorldError, match="no such run"):
        fetch(store, "sonic-lite", "run-1", tmp_path / "back")
    assert put(bundle, store) == 4


class _Interrupted(LocalStore):
    """A store whose connection breaks at one file."""

    def put_file(self, key: str, path: Path, sha256: str) -> bool:
        if key.endswith("verdict.json"):
            raise WorldError("the network is gone")
        return super().put_file(key, path, sha256)


def test_nothing_looks_complete_after_a_failure(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="network"):
        put(bundle, _Interrupted(tmp_path / "store"))
    store = LocalStore(tmp_path / "store")
    assert not store.exists("runs/sonic-lite/run-1/manifest.json")
    assert put(bundle, store) >= 2
    fetch(store, "sonic-lite", "run-1", tmp_path / "back").verify()


def test_second_run_with_the_same_id(bundle: Bundle, store: Store, tmp_path: Path) -> None:
    put(bundle, store)
    other = accepted_bundle(tmp_path / "other", verdict="fail")
    with pytest.raises(WorldError, match="another run with the id 'run-1'"):
        put(other, store)
    assert fetch(store, "sonic-lite", "run-1", tmp_path / "back").verdict().verdict == "pass"


def test_changed_bundle_is_refused(bundle: Bundle, store: Store) -> None:
    bundle.seal()
    (bundle.path / "outputs" / "größe" / "output.mp4").write_bytes(b"better video")
    with pytest.raises(UsageError, match="changed"):
        put(bundle, store)
    assert list(store.list("runs")) == []


def test_symbolic_link_in_a_bundle(bundle: Bundle, store: Store) -> None:
    (bundle.path / "outputs" / "link").symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match="symbolic link"):
        put(bundle, store)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\nb"])
def test_names(bundle: Bundle, store: Store, name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        put(bundle, store, run_id=name)
    with pytest.raises(UsageError):
        fetch(store, name, "run-1", tmp_path / "back")


# bringing back


def test_only_some(bundle: Bundle, store: Store, tmp_path: Path) -> None:
    put(bundle, store)
    back = fetch(store, "sonic-lite", "run-1", tmp_path / "back", only=["measurements.jsonl", "outputs/"])
    files = sorted(path.relative_to(back.path).as_posix() for path in back.path.rglob("*") if path.is_file())
    assert files == ["manifest.json", "measurements.jsonl", "outputs/größe/output.mp4"]
    fetch(store, "sonic-lite", "run-1", tmp_path / "back").verify()  # the rest comes beside it


def test_again_and_after_damage(bundle: Bundle, store: Store, tmp_path: Path) -> None:
    put(bundle, store)
    back = fetch(store, "sonic-lite", "run-1", tmp_path / "back")
    back.measurements_file.write_text("damaged")
    fetch(store, "sonic-lite", "run-1", tmp_path / "back").verify()


@pytest.mark.slow
def test_another_archived_bundle_is_replaced_and_nothing_else(bundle: Bundle, store: Store, tmp_path: Path) -> None:
    put(bundle, store)
    put(accepted_bundle(tmp_path / "other", run_id="run-2", version="1.1.0"), store, "run-2")
    back = tmp_path / "back"
    back.mkdir()
    (back / "lost+found").mkdir()
    fetch(store, "sonic-lite", "run-1", back)
    assert fetch(store, "sonic-lite", "run-2", back).run().run_id == "run-2"
    (back / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="something else"):
        fetch(store, "sonic-lite", "run-1", back)
    never_archived = accepted_bundle(tmp_path / "never", run_id="run-3")
    never_archived.seal()
    with pytest.raises(UsageError, match="something else"):
        fetch(store, "sonic-lite", "run-1", never_archived.path)
    never_archived.verify()


def test_killed_fetch_is_cleared_away(bundle: Bundle, store: Store, tmp_path: Path) -> None:
    put(bundle, store)
    (tmp_path / "back" / f"{PARTIAL}x").mkdir(parents=True)
    (tmp_path / "back" / "verdict.json").write_text("half of another one")
    fetch(store, "sonic-lite", "run-1", tmp_path / "back").verify()


def test_damaged_store(bundle: Bundle, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    put(bundle, store)
    victim = tmp_path / "store" / "runs" / "sonic-lite" / "run-1" / "verdict.json"
    victim.chmod(0o644)
    victim.write_text(victim.read_text().replace("pass", "fail"))
    with pytest.raises(WorldError, match="SHA-256"):
        fetch(store, "sonic-lite", "run-1", tmp_path / "back")
    assert not (tmp_path / "back" / "manifest.json").exists()
    with pytest.raises(WorldError, match="SHA-256"):
        fetch(store, "sonic-lite", "run-1", tmp_path / "back", manifest_sha256="0" * 64)


def test_manifest_that_points_outside(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(Manifest(files={"../../evil": "0" * 64}).model_dump_json())
    store.put_file("runs/m/r/manifest.json", path, sha256_file(path))
    with pytest.raises(UsageError, match="leaves"):
        fetch(store, "m", "r", tmp_path / "back")
