"""Weights that the platform's key has signed are released, with a bill of materials; others never reach the model."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import PENSTOCK, contract, files, published, text
from tests.unit.environment.cyclonedx_schema import schema_fault
from tests.unit.releases.signing_keys import key_pair
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.sbom_file import SBOM
from penstock.foundation.files import sha256_file
from penstock.releases.envelope import private_key
from penstock.releases.signed_weights import sign_weights

WEIGHTS = "weights/model.dat"


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PENSTOCK, *map(str, words)], capture_output=True, text=True, check=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """v1.0.0 is signed with the key in ``pair``; v1.0.1 has other weights under the same signature."""
    work = new_repository(tmp_path / "model")
    private, public = key_pair(tmp_path / "pair")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "team.pub").write_bytes(public.read_bytes())
    (tmp_path / "signed").mkdir()
    (tmp_path / "signed" / "model.dat").write_bytes(b"first")
    signature = sign_weights(tmp_path / "signed", private_key(private), signature=tmp_path / "x")
    for tag, content in (("v1.0.0", b"first"), ("v1.0.1", b"second")):
        entry = {
            "path": WEIGHTS,
            "sha256": hashlib.sha256(content).hexdigest(),
            "source": "lfs",
            "licence": "mit",
            "signature": "weights.sig",
        }
        changed = {WEIGHTS: content, "weights.sig": signature, "penstock.yaml": text(contract(weights=[entry]))}
        commit(work, files() | changed, tag)
        git(work, "tag", tag)
    return work


def test_signed_weights_are_released_and_others_are_not(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    release = ("run", "release", "--repo", repository, "--out", out, "--workspace", f"weights-keys={tmp_path / 'keys'}")
    ended = run(*release, "--revision", "v1.0.0", "--name", "first")
    assert ended.returncode == 0, ended.stderr
    archived = out / "store" / "runs" / "tiny" / "first" / SBOM
    bill = json.loads(archived.read_text(encoding="utf-8"))
    assert schema_fault(bill) is None
    (model,) = [part for part in bill["components"] if part["type"] == "machine-learning-model"]
    assert [(file["name"], file["licenses"][0]["expression"]) for file in model["components"]] == [(WEIGHTS, "MIT")]
    record = json.loads((out / "store" / "published" / "tiny" / "1.0.0.json").read_text(encoding="utf-8"))
    assert record["sbom_sha256"] == sha256_file(archived)
    shown = run("sbom", "1.0.0", "--out", out, "--json")
    assert json.loads(shown.stdout) == bill
    ended = run(*release, "--revision", "v1.0.1", "--name", "second")
    assert ended.returncode == 2
    assert f"the signature is not over '{WEIGHTS}'" in ended.stderr
    assert published(out) == ["1.0.0"]
    # outputs judged again: the bill of materials comes along
    ended = run(*release, "--revision", "v1.0.0", "--regate", "first", "--name", "again")
    assert ended.returncode == 0, ended.stderr
    again = json.loads((out / "store" / "runs" / "tiny" / "again" / SBOM).read_text(encoding="utf-8"))
    assert again == bill
