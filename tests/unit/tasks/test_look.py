"""The step look: what is released, and whether an image has passed; nothing is changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.unit.cli.test_verify import stand_in_registry
from tests.unit.releases.released_runs import released
from tests.unit.releases.signing_keys import key_pair
from tests.unit.releases.test_provenance import STATEMENT
from tests.unit.targets.promotions import MODEL, publish_with_image
from tests.unit.tasks.step_folders import Answer, StepFolders

from penstock.releases.acts import withdraw
from penstock.releases.envelope import private_key, sign, write_envelope
from penstock.store.local import LocalStore

IMAGE = f"registry.example.org/sonic@sha256:{'0' * 64}"


@pytest.fixture
def store(folders: StepFolders) -> LocalStore:
    """1.0.0 has an image and is signed."""
    found = LocalStore(folders.store)
    private, public = key_pair(folders.folder / "signing")
    (folders.folder / "keys").mkdir()
    (folders.folder / "keys" / "penstock.pub").write_bytes(public.read_bytes())
    publish_with_image(folders.folder, found, 0, key=private, target=None)
    return found


def look(folders: StepFolders, what: str, *more: str) -> Answer:
    return folders.call("look", f"--what={what}", f"--store={folders.store}", *more)


def verified(folders: StepFolders, *more: str, image: str = IMAGE) -> Answer:
    return look(folders, "verify", f"--image={image}", f"--verdict-keys={folders.folder / 'keys'}", *more)


def test_which_releases_there_are(folders: StepFolders, store: LocalStore) -> None:
    publish_with_image(folders.folder, store, 1, before="run-0", target=None)
    publish_with_image(folders.folder, store, 2, before="run-1", target="studio")
    withdraw(store, MODEL, "1.0.0", reason="data", by="ann")
    answer = look(folders, "releases", f"--model={MODEL}")
    image = f"registry.example.org/sonic@sha256:{'1' * 64}"
    assert answer.results == {"current": "1.1.0", "image": image, "found": '["1.2.0", "1.1.0"]'}
    said = [(line["version"], line["state"]) for line in answer.lines if line["event"] == "release"]
    assert said == [("1.2.0", "waits"), ("1.1.0", "current"), ("1.0.0", "withdrawn")]


@pytest.mark.slow
def test_more_than_a_result_holds(folders: StepFolders) -> None:
    store, before = LocalStore(folders.store), None
    for number in range(6):
        version, run = f"1.{number}.0-{'x' * 80}", f"run-{number}"
        released(folders.folder, store, run, version, "https://git.example.org/a", baseline=before)
        before = run
    found = json.loads(look(folders, "releases", f"--model={MODEL}").results["found"])
    assert [one[:5] for one in found] == ["1.5.0", "1.4.0", "1.3.0", "1.2.0"], "the newest"


def test_an_image_that_has_passed(folders: StepFolders, store: LocalStore) -> None:
    assert verified(folders).results == {"current": "", "image": IMAGE, "found": '["sonic-lite 1.0.0"]'}
    other = verified(folders, image=f"r/m@sha256:{'f' * 64}")
    assert other.code == 1
    assert "penstock.pub: the image sha256:ffff" in other.error
    _, public = key_pair(folders.folder / "other")
    (folders.folder / "keys" / "new.pub").write_bytes(public.read_bytes())
    assert verified(folders).code == 0, "of two keys one is enough"
    (folders.folder / "keys" / "penstock.pub").unlink()
    assert verified(folders).code == 1
    assert store.uri


def test_and_who_has_built_it(
    folders: StepFolders, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = key_pair(tmp_path / "builder")
    keys = tmp_path / "builders"
    keys.mkdir()
    (keys / "builder.pub").write_bytes(public.read_bytes())
    text = json.dumps(STATEMENT).replace("a" * 64, "0" * 64)
    for commit, code in (("e" * 40, 1), ("0" * 40, 0)):
        beside = write_envelope(sign(text.replace("c" * 40, commit).encode(), private_key(private)))
        monkeypatch.setenv("PATH", f"{stand_in_registry(tmp_path, beside)}{os.pathsep}{os.environ['PATH']}")
        assert verified(folders, f"--provenance-keys={keys}").code == code
    bare = verified(folders, f"--provenance-keys={keys}", image=f"sha256:{'0' * 64}")
    assert (bare.code, "its address is needed" in bare.error) == (2, True)
    assert store.uri


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--what=promote"], "there is no 'promote'"),
        (["--what=releases"], "no model is named"),
        (["--what=verify", "--image=sonic:1.0.0"], "an image is named by its digest"),
        (["--what=verify", f"--image={IMAGE}"], "no key is given"),
        (["--what=releases", "--model=none"], "none"),
    ],
)
def test_what_is_not_said(folders: StepFolders, store: LocalStore, given: list[str], said: str) -> None:
    answer = folders.call("look", *given, f"--store={store.uri}")
    assert (answer.code, said in answer.error) == (2, True)
