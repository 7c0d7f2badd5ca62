"""Which addresses mean the same repository, and whose a model's name is."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import read_model
from penstock.foundation.errors import UsageError
from penstock.releases.baseline import Transfer, baseline, hold_owner, owner
from penstock.releases.names import repository_identity
from penstock.releases.release import SupersededError, publish
from penstock.releases.transfer import transfer
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.store import Pointer, Store

MINI = "git.example.org/acme/mini"


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example.org/acme/mini",
        "https://git.example.org/acme/mini.git",
        "https://git.example.org:443/acme/mini.git/",
        "https://GIT.Example.ORG./acme//mini/",
        "https://ada@git.example.org/acme/%6dini.git",
        "http://git.example.org:80/acme/mini",
        "ssh://git@git.example.org/acme/mini.git",
        "ssh://git@git.example.org:22/acme/mini",
        "git://git.example.org/acme/mini.git",
        "git@git.example.org:acme/mini.git",
        "git@git.example.org:/acme/mini",
        "git.example.org:acme/mini/",
    ],
)
def test_one_repository_has_one_identity(address: str) -> None:
    assert repository_identity(address) == MINI


@pytest.mark.parametrize(
    ("address", "identity"),
    [
        ("https://git.example.org:8443/acme/mini", "git.example.org:8443/acme/mini"),
        ("ssh://git@git.example.org:2222/acme/mini", "git.example.org:2222/acme/mini"),
        ("https://git.example.org/Acme/mini", "git.example.org/Acme/mini"),
        ("https://git.example.org/acme/mini.git.git", "git.example.org/acme/mini.git"),
        ("https://other.example.org/acme/mini", "other.example.org/acme/mini"),
        ("https://git.example.org/acme%2Fmini", "git.example.org/acme%2Fmini"),
        ("https://[2001:DB8::1]:8443/mini.git", "[2001:db8::1]:8443/mini"),
        ("ann@git.example.org:acme/mini", "git.example.org/~ann/acme/mini"),
        ("ssh://ann@git.example.org/~/acme/mini", "git.example.org/~ann/acme/mini"),
        ("ssh://git@git.example.org/~bob/mini", "git.example.org/~bob/mini"),
        ("ann@git.example.org:/acme/mini", MINI),
        ("ann@git.example.org:~bob/mini", "git.example.org/~bob/mini"),
        ("git@git.example.org:acme/mi%6Ei", "git.example.org/acme/mi%256Ei"),
        ("git@git.example.org:acme/mini?x#y", "git.example.org/acme/mini%3Fx%23y"),
        ("https://git.example.org/acme/mini%3Fx%23y", "git.example.org/acme/mini%3Fx%23y"),
    ],
)
def test_what_tells_two_repositories_apart(address: str, identity: str) -> None:
    assert repository_identity(address) == identity


@pytest.mark.parametrize(
    "address",
    [
        *("https://", "https://host", "host:", "ext::sh", "ftp://host/x", "https://[/x"),
        *("ssh://host/mini?evil", "https://host/mini#evil", "https://host/mini?", "file:///mini#evil", "file:///m?"),
    ],
)
def test_what_is_no_repository(address: str) -> None:
    with pytest.raises(UsageError, match="not the address of a repository"):
        repository_identity(address)


def test_a_path_is_where_the_repository_really_lies(tmp_path: Path) -> None:
    main = tmp_path / "mini"
    run = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(main)]
    main.mkdir()
    subprocess.run([*run, "init", "-q"], check=True)
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run([*run, "worktree", "add", "-q", str(tmp_path / "linked")], check=True)
    (tmp_path / "alias").symlink_to(main)
    for path in (main, main / ".git", tmp_path / "linked", tmp_path / "alias", tmp_path / "x" / ".." / "mini"):
        assert repository_identity(str(path)) == str(main), path
    assert repository_identity(main.as_uri()) == str(main)
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(main), str(bare)], check=True)
    subprocess.run(["git", "-C", str(bare), "worktree", "add", "-qb", "other", str(tmp_path / "of bare")], check=True)
    assert repository_identity(str(tmp_path / "of bare")) == str(bare)
    assert repository_identity(str(bare)) != repository_identity(str(main)), "a clone is a repository of its own"


def released(folder: Path, store: Store, run_id: str, version: str, url: str, *, baseline: str | None = None) -> None:
    bundle = accepted_bundle(
        folder / run_id, run_id=run_id, version=version, commit=run_id[-1] * 40, url=url, baseline=baseline
    )
    archive(bundle, store, model="sonic-lite", run_id=run_id)
    publish(store, bundle)


def test_the_first_release_binds_the_name(tmp_path: Path, store: Store) -> None:
    hold_owner(store, None, "sonic-lite", "https://git.example.org/acme/mini")
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini.git")
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert (found.repository, owner(store, found)) == (MINI, MINI)
    hold_owner(store, found, "sonic-lite", "git@git.example.org:acme/mini.git")
    said = f"the name 'sonic-lite' belongs to the repository {MINI}, and this one is git.example.org/eve/mini"
    with pytest.raises(UsageError, match=said) as caught:
        hold_owner(store, found, "sonic-lite", "https://git.example.org/eve/mini")
    assert "penstock store transfer sonic-lite --to https://git.example.org/eve/mini" in str(caught.value)
    with pytest.raises(UsageError, match="belongs to the repository"):
        released(tmp_path, store, "run-2", "1.1.0", "https://git.example.org/eve/mini", baseline="run-1")
    assert baseline(store, "sonic-lite") == found
    released(tmp_path, store, "run-3", "1.2.0", "git@git.example.org:acme/mini", baseline="run-1")


def test_in_a_store_from_before_the_name_belongs_to_where_its_release_came_from(tmp_path: Path, store: Store) -> None:
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini")
    seen = store.read_pointer("baselines/sonic-lite.json")
    assert seen is not None
    older = {key: value for key, value in seen.value.items() if key not in ("repository", "release", "transfer")}
    store.swap_pointer("baselines/sonic-lite.json", older, seen=seen)
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert (found.repository, owner(store, found)) == ("", MINI)
    with pytest.raises(UsageError, match="belongs to the repository"):
        released(tmp_path, store, "run-2", "1.1.0", "https://git.example.org/eve/mini", baseline="run-1")
    released(tmp_path, store, "run-3", "1.2.0", "git@git.example.org:acme/mini", baseline="run-1")
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert found.repository == MINI


def test_a_name_is_moved_on_record(tmp_path: Path, store: Store) -> None:
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini")
    at = datetime(2026, 1, 2, tzinfo=UTC)
    done = transfer(store, "sonic-lite", "git@new.example.org:mini", reason="moved", by="ada", now=lambda: at)
    assert done == Transfer(
        model="sonic-lite",
        number=1,
        before=MINI,
        after="new.example.org/mini",
        reason="moved",
        by="ada",
        time="2026-01-02T00:00:00+00:00",
    )
    assert transfer(store, "sonic-lite", "https://new.example.org/mini", reason="again", by="ada") is None
    with pytest.raises(UsageError, match=r"belongs to the repository new\.example\.org/mini"):
        released(tmp_path, store, "run-2", "1.1.0", "https://git.example.org/acme/mini", baseline="run-1")
    released(tmp_path, store, "run-3", "1.2.0", "https://new.example.org/mini", baseline="run-1")
    transfer(store, "sonic-lite", "https://git.example.org/acme/mini", reason="back", by="bob")
    keys = [entry.key for entry in store.list("transfers")]
    assert keys == ["transfers/sonic-lite/0001.json", "transfers/sonic-lite/0002.json"]
    store.get_file(keys[0], tmp_path / "first.json")
    assert read_model(tmp_path / "first.json", Transfer) == done


def test_a_transfer_that_is_killed_is_on_record_all_the_same(tmp_path: Path) -> None:
    class Killed(LocalStore):
        def swap_pointer(self, key: str, value: dict[str, object], *, seen: Pointer | None) -> bool:
            super().swap_pointer(key, value, seen=seen)
            raise KeyboardInterrupt

    store = LocalStore(tmp_path / "store")
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini")
    with pytest.raises(KeyboardInterrupt):
        transfer(Killed(tmp_path / "store"), "sonic-lite", "https://h/mini", reason="moved", by="ada")
    assert list(store.list("transfers")) == []
    released(tmp_path, store, "run-2", "1.1.0", "https://h/mini", baseline="run-1")
    assert [entry.key for entry in store.list("transfers")] == ["transfers/sonic-lite/0001.json"]


def test_a_transfer_while_a_run_is_published_stops_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini")

    class Overtaken(LocalStore):
        def swap_pointer(self, key: str, value: dict[str, object], *, seen: Pointer | None) -> bool:
            transfer(store, "sonic-lite", "https://h/mini", reason="moved", by="ada")
            return super().swap_pointer(key, value, seen=seen)

    with pytest.raises(UsageError, match="belongs to the repository h/mini"):
        released(
            tmp_path,
            Overtaken(tmp_path / "store"),
            "run-2",
            "1.1.0",
            "https://git.example.org/acme/mini",
            baseline="run-1",
        )
    with pytest.raises(SupersededError):
        released(tmp_path, store, "run-3", "1.1.0", "https://h/mini")


def test_what_cannot_be_moved(tmp_path: Path, store: Store) -> None:
    with pytest.raises(UsageError, match="no model 'sonic-lite' is released"):
        transfer(store, "sonic-lite", "https://h/mini", reason="moved", by="ada")
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini")
    with pytest.raises(UsageError, match="reason"):
        transfer(store, "sonic-lite", "https://h/mini", reason=" ", by="ada")
    with pytest.raises(UsageError, match="not the address of a repository"):
        transfer(store, "sonic-lite", "https://h", reason="moved", by="ada")
    for gone in (tmp_path / "gone", (tmp_path / "gone").as_uri()):
        with pytest.raises(UsageError, match="there is no repository at this path"):
            transfer(store, "sonic-lite", str(gone), reason="moved", by="ada")
    (tmp_path / "there").mkdir()
    assert transfer(store, "sonic-lite", str(tmp_path / "there"), reason="moved", by="ada") is not None
