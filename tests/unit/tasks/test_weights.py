"""The step weights: files with the digests that the contract names, and which release is run again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import contract, text
from tests.unit.releases.signing_keys import key_pair
from tests.unit.tasks.step_folders import StepFolders

from penstock.bundle.models import WeightsFile
from penstock.bundle.rerun_bundle import is_measured_again
from penstock.releases.envelope import private_key
from penstock.releases.signed_weights import sign_weights

WEIGHTS = b"some weights"
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


def prepared(folders: StepFolders, sha256: str = SHA256, **changes: object) -> StepFolders:
    weights = [{"path": "weights/model.dat", "source": "lfs", "sha256": sha256}]
    folders.write_repository(penstock_yaml=text(contract(weights=weights, **changes)))
    (folders.source / "weights").mkdir()
    (folders.source / "weights" / "model.dat").write_bytes(WEIGHTS)
    folders.cloned(built=False)
    return folders


def test_verified_weights_are_recorded(folders: StepFolders) -> None:
    answer = prepared(folders).call("weights", f"--store={folders.store}")
    assert answer.code == 0
    assert (answer.results["released-run"], answer.results["released-commit"]) == ("", "")
    (file,) = folders.bundle.run().weights
    assert (file.path, file.sha256, file.bytes) == ("weights/model.dat", SHA256, len(WEIGHTS))
    assert len(answer.results["digest"]) == 64


def test_other_content_than_the_digest_is_refused(folders: StepFolders) -> None:
    answer = prepared(folders, sha256="0" * 64).call("weights")
    assert answer.code != 0
    assert "weights/model.dat" in answer.error
    assert folders.bundle.run().weights == []


def test_where_the_platform_names_keys_weights_must_be_signed(folders: StepFolders, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path / "pair")
    keys = tmp_path / "keys"
    keys.mkdir()
    prepared(folders)
    assert folders.call("weights", f"--weights-keys={keys}").code == 0
    (keys / "team.pub").write_bytes(public.read_bytes())
    answer = folders.call("weights", f"--weights-keys={keys}")
    assert answer.code == 2
    assert "is not signed, and this platform demands it" in answer.error
    weights = [{"path": "weights/model.dat", "source": "lfs", "sha256": SHA256, "signature": "weights.sig"}]
    (folders.source / "penstock.yaml").write_text(text(contract(weights=weights)))
    signature = folders.source / "weights.sig"
    signature.write_bytes(sign_weights(folders.source / "weights", private_key(private), signature=signature))
    answer = folders.call("weights", f"--weights-keys={keys}")
    assert answer.code == 0
    assert any(line["event"] == "signed" for line in answer.lines)


def test_the_record_says_where_the_contract_lets_it_serve(folders: StepFolders) -> None:
    assert prepared(folders, target="shop").call("weights").code == 0
    assert folders.bundle.run().target == "shop"


def test_name_of_another_repository_is_refused_before_anything_runs(folders: StepFolders) -> None:
    prepared(folders).release()
    run = folders.bundle.run()
    assert run.source is not None
    theirs = run.source.model_copy(update={"url": "https://elsewhere.example.org/tiny"})
    folders.bundle.update_run(run.model_copy(update={"source": theirs}))
    assert folders.call("weights", f"--store={folders.store}").code == 2


@pytest.mark.parametrize("released", [True, False])
def test_rerun_names_the_current_release_if_there_is_one(folders: StepFolders, released: bool) -> None:
    policy = contract()["policy"] | {"baseline": "rerun"}
    prepared(folders, policy=policy)
    if released:
        folders.release()
    answer = folders.call("weights", f"--store={folders.store}")
    assert answer.code == 0
    found = (answer.results["released-run"], answer.results["released-commit"])
    assert found == (("run-1", "c" * 40) if released else ("", ""))


def test_run_is_not_judged_again_without_a_store_or_beside_a_rerun(folders: StepFolders) -> None:
    policy = contract()["policy"] | {"baseline": "rerun"}
    prepared(folders, policy=policy)
    assert folders.call("weights", "--regate=run-0").code == 2
    folders.release()
    assert folders.call("weights", f"--store={folders.store}", "--regate=run-0").code == 2
    assert folders.bundle.run().regated_from is None


def test_outputs_of_the_current_release_are_brought_and_nothing_else_is_done(folders: StepFolders) -> None:
    prepared(folders).release()
    assert folders.call("weights", f"--store={folders.store}").code == 0
    before = folders.bundle.run()
    answer = folders.call("weights", f"--store={folders.store}", "--outputs=true")
    assert answer.code == 0
    assert (answer.results["released-run"], answer.results["stored"]) == ("run-1", "")
    assert is_measured_again(folders.baseline)
    assert folders.bundle.run() == before, "the record of this run's weights stays what it is"


def test_the_arithmetic_of_stored_values_is_told(folders: StepFolders) -> None:
    prepared(folders)
    assert folders.call("weights", f"--store={folders.store}").results["stored"] == ""
    folders.release(extractors={"lipsync": f"s@sha256:{'0' * 64}+bf16-openvino"})
    answer = folders.call("weights", f"--store={folders.store}")
    assert answer.results["stored"] == "lipsync=bf16-openvino"
    assert answer.results["arithmetic"] == "bf16-openvino"


def test_weights_that_are_given_take_the_place_of_the_contracts(
    folders: StepFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_LOCAL_RUN", "1")
    file, given = tmp_path / "new.dat", hashlib.sha256(b"given").hexdigest()
    file.write_bytes(b"given")
    prepared(folders)
    folders.bundle.update_run(folders.bundle.run().model_copy(update={"notes": "of the commit"}))
    for _ in range(2):  # a step that is tried again finds what it has done
        answer = folders.call("weights", f"--weights={file.as_uri()}#sha256={given}")
        assert answer.code == 0, answer.error
        run = folders.bundle.run()
        assert run.source is not None
        assert run.source.version == f"1.1.0+w{given[:8]}"
        assert [(one.path, one.sha256, one.source) for one in run.weights] == [
            ("weights/model.dat", given, file.as_uri())
        ]
        assert run.given_weights is not None
        assert (run.given_weights.replaces, run.notes) == (SHA256, "")
        assert (folders.source / "weights" / "model.dat").read_bytes() == b"given"
    assert (folders.cache / "weights" / given).read_bytes() == b"given"


def test_a_file_of_the_machine_is_nothing_for_a_pod(folders: StepFolders, tmp_path: Path) -> None:
    file = tmp_path / "new.dat"
    file.write_bytes(b"given")
    answer = prepared(folders).call("weights", f"--weights={file.as_uri()}#sha256={'0' * 64}")
    assert answer.code == 2
    assert "weights come from https://, s3:// and hf:// only" in answer.error


def test_a_contract_never_names_a_file_of_the_machine(
    folders: StepFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_LOCAL_RUN", "1")
    (tmp_path / "secret.dat").write_bytes(WEIGHTS)
    weights = [{"path": "weights/a.dat", "source": (tmp_path / "secret.dat").as_uri(), "sha256": SHA256}]
    folders.write_repository(penstock_yaml=text(contract(weights=weights)))
    folders.cloned(built=False)
    answer = folders.call("weights")
    assert answer.code == 2
    assert not (folders.source / "weights").exists()


def test_the_released_model_gets_the_weights_of_its_release(folders: StepFolders) -> None:
    """Its commit names others: they were given. Where they came from need not be asked: the cache has them."""
    given = hashlib.sha256(b"given").hexdigest()
    (folders.cache / "weights").mkdir()
    (folders.cache / "weights" / given).write_bytes(b"given")
    prepared(folders)
    released = WeightsFile(path="weights/model.dat", sha256=given, bytes=5, source="https://gone.invalid/w")
    folders.bundle.update_run(folders.bundle.run().model_copy(update={"weights": [released], "track": "rerun"}))
    assert folders.call("weights", "--released=true").code == 0
    assert (folders.source / "weights" / "model.dat").read_bytes() == b"given"


def test_a_run_of_the_current_release_is_begun_as_it_was_released(folders: StepFolders) -> None:
    folders.release()
    folders.begin_again()
    folders.bundle.run_file.unlink()
    before = {path: path.read_bytes() for path in folders.store.rglob("*") if path.is_file()}
    for _ in range(2):  # a step that is tried again finds what it has done
        answer = folders.call("weights", f"--store={folders.store}", "--watch=tiny", "--run-id=drift-1")
        assert answer.code == 0, answer.error
        assert answer.results["released-run"] == "run-1"
        assert answer.results["released-commit"] == "c" * 40
        assert answer.results["released-url"] == "https://git.example.org/tiny"
    run = folders.bundle.run()
    assert (run.run_id, run.track, run.model) == ("drift-1", "watch", "tiny")
    assert run.image == folders.baseline.run().image
    assert folders.baseline.run().run_id == "run-1"
    assert {path: path.read_bytes() for path in folders.store.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("model", "told"), [("other", "no release of 'other' is current"), ("../tiny", "cannot name a model")]
)
def test_what_is_not_released_cannot_be_watched(folders: StepFolders, model: str, told: str) -> None:
    folders.release()
    folders.bundle.run_file.unlink()
    answer = folders.call("weights", f"--store={folders.store}", f"--watch={model}", "--run-id=drift-1")
    assert answer.code == 2
    assert told in answer.error


def test_a_store_that_is_gone_is_told_under_the_models_name(folders: StepFolders) -> None:
    folders.bundle.run_file.unlink()
    assert folders.call("weights", "--store=/nowhere", "--watch=tiny", "--run-id=drift-1").code == 2
    assert folders.bundle.run().model == "tiny"
    assert folders.call("notify", "--status=Failed").results["summary"] == (
        "tiny: the release could not be run again (step weights)"
    )
