"""The step publish: only a pass moves the pointer, and only over the release that was compared with."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from penstock_tasks.publish.entrypoint import main as publish_step
from tests.unit.releases.signing_keys import key_pair
from tests.unit.store.stored_bundle import accepted_bundle
from tests.unit.tasks.step_folders import TREE, StepFolders
from tests.unit.tracking.mlflow_server import mlflow_server

from penstock.bundle.sbom_file import sbom_sha256, write_sbom
from penstock.bundle.verdict_record import Verdict
from penstock.releases.attest import verify
from penstock.releases.baseline import baseline
from penstock.releases.envelope import public_key
from penstock.releases.history import history
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.open import open_store
from penstock.store.store import Store


@pytest.fixture
def archived(folders: StepFolders) -> StepFolders:
    folders.cloned()
    folders.measured()
    folders.bundle.write_verdict(Verdict(verdict="pass", level=0.05, rules=[], candidate="run-2"))
    archive(folders.bundle, open_store(folders.store), model="tiny", run_id="run-2")
    return folders


def current(folders: StepFolders) -> str | None:
    found = baseline(open_store(folders.store), "tiny")
    return found.run_id if found is not None else None


def test_pass_becomes_the_current_release(archived: StepFolders) -> None:
    answer = archived.call("publish", "--verdict=pass", f"--store={archived.store}")
    assert answer.code == 0
    assert answer.results["uri"].endswith("/published/tiny/1.1.0.json")
    assert answer.results["digest"] == f"sha256:{TREE}"
    assert current(archived) == "run-2"
    assert archived.call("publish", "--verdict=pass", f"--store={archived.store}").results == answer.results


@pytest.mark.parametrize("verdict", ["fail", "inconclusive", "", "PASS"])
def test_anything_but_a_pass_is_refused(archived: StepFolders, verdict: str) -> None:
    assert archived.call("publish", f"--verdict={verdict}", f"--store={archived.store}").code == 2
    assert current(archived) is None


def test_word_of_the_parameter_does_not_replace_the_verdict_in_the_bundle(folders: StepFolders) -> None:
    folders.cloned()
    folders.measured()
    folders.bundle.write_verdict(Verdict(verdict="fail", level=0.05, rules=[], candidate="run-2"))
    archive(folders.bundle, open_store(folders.store), model="tiny", run_id="run-2")
    assert folders.call("publish", "--verdict=pass", f"--store={folders.store}").code != 0
    assert current(folders) is None


def test_release_that_came_in_between_stays(archived: StepFolders) -> None:
    archived.release(version="1.0.5", run_id="run-9")
    assert archived.call("publish", "--verdict=pass", f"--store={archived.store}").code == 4
    assert current(archived) == "run-9"


MODEL = "sonic-lite"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "store")


@pytest.mark.parametrize(
    ("comparison", "here", "command"),
    [
        ("stored", True, "penstock run release --out {out} --regate late"),
        ("rerun", True, "penstock run release --out {out} --repo https://example.org/sonic-lite --revision v1.1.0"),
        ("stored", False, "tkn pipeline start release --use-pipelinerun late --param regate=late"),
        ("rerun", False, "tkn pipeline start release --use-pipelinerun late"),
    ],
)
def test_the_step_says_what_to_type(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str], comparison: str, here: bool, command: str
) -> None:
    first = accepted_bundle(tmp_path / "first", run_id="first")
    archive(first, store, model=MODEL, run_id="first")
    publish(store, first)
    folder = tmp_path / "out" / "runs" / "late"
    late = accepted_bundle(folder / "bundle", run_id="late", version="1.1.0", commit="d" * 40)
    late.write_verdict(Verdict.model_validate(late.verdict().model_dump() | {"comparison": comparison}))
    if here:
        (folder / "request.json").touch()
    archive(late, store, model=MODEL, run_id="late")
    capsys.readouterr()
    code = publish_step(["--verdict=pass", f"--store={tmp_path / 'store'}", f"--bundle={late.path}"])
    assert code == 4
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines() if '"event": "error"' in text]
    assert line["error"].endswith(command.format(out=tmp_path / "out"))


def test_with_a_key_the_verdict_is_signed(archived: StepFolders, tmp_path: Path) -> None:
    _, public = key_pair(tmp_path / "signing")
    arguments = ("--verdict=pass", f"--store={archived.store}", f"--signing-key={tmp_path / 'signing'}", "--by=mona")
    assert archived.call("publish", *arguments).code == 0
    store = open_store(archived.store)
    (proof,) = verify(store, f"sha256:{TREE}", public_key(public), today=date(2026, 1, 1))
    assert (proof.pair.model, proof.pair.version) == ("tiny", "1.1.0")
    assert history(store, "tiny").moves[0].by == "mona"
    # one that was killed before it signed makes up for it
    (Path(archived.store) / proof.key).unlink()
    assert archived.call("publish", *arguments).code == 0
    assert verify(store, f"sha256:{TREE}", public_key(public), today=date(2026, 1, 1))


def test_the_bill_of_materials_is_signed_with_it(folders: StepFolders, tmp_path: Path) -> None:
    folders.cloned()
    folders.measured()
    write_sbom(folders.bundle, {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []})
    folders.bundle.write_verdict(Verdict(verdict="pass", level=0.05, rules=[], candidate="run-2"))
    archive(folders.bundle, open_store(folders.store), model="tiny", run_id="run-2")
    _, public = key_pair(tmp_path / "signing")
    arguments = ("--verdict=pass", f"--store={folders.store}", f"--signing-key={tmp_path / 'signing'}")
    assert folders.call("publish", *arguments).code == 0
    (proof,) = verify(open_store(folders.store), f"sha256:{TREE}", public_key(public), today=date(2026, 1, 1))
    assert proof.sbom is not None
    assert proof.sbom.sha256 == proof.sbom_sha256 == sbom_sha256(folders.bundle)


def test_what_is_no_key_stops_the_step_before_anything_is_published(archived: StepFolders, tmp_path: Path) -> None:
    (tmp_path / "signing").mkdir()
    (tmp_path / "signing" / "penstock.key").write_text("no key")
    arguments = ("--verdict=pass", f"--store={archived.store}", f"--signing-key={tmp_path / 'signing'}")
    assert archived.call("publish", *arguments).code == 2
    assert current(archived) is None


def test_the_release_is_registered_in_mlflow(archived: StepFolders) -> None:
    folder = archived.folder / "mlflow"
    folder.mkdir()
    with mlflow_server() as server:
        (folder / "url").write_text(server.url)
        server.reply = (503, b"away")
        assert archived.call("publish", "--verdict=pass", f"--store={archived.store}", f"--mlflow={folder}").code == 0
        assert current(archived) == "run-2"
        server.reply = None
        assert archived.call("publish", "--verdict=pass", f"--store={archived.store}", f"--mlflow={folder}").code == 0
        assert server.aliases == {("tiny", "current"): "1"}
        assert server.models["tiny"][0]["tags"]["penstock.version"] == "1.1.0"
