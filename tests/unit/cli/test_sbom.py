"""``penstock sbom``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.environment.test_sbom import CONTRACT, FACTS, RUN
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.sbom_file import write_sbom
from penstock.cli.app import main
from penstock.cli.sbom import sbom
from penstock.environment.sbom import bill_of_materials
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore

BILL = bill_of_materials(RUN, CONTRACT, FACTS)


@pytest.fixture
def released(tmp_path: Path) -> list[str]:
    """``sonic-lite`` 1.0.0, in a store."""
    bundle, store = accepted_bundle(tmp_path / "bundle"), LocalStore(tmp_path / "store")
    write_sbom(bundle, BILL)
    archive(bundle, store, model="sonic-lite", run_id="run-1")
    publish(store, bundle)
    return ["--store", str(tmp_path / "store"), "--out", str(tmp_path / "runs")]


def test_of_a_release_in_a_store(released: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert sbom.__doc__
    assert main(["sbom", "1.0.0", *released, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == BILL
    assert main(["sbom", "sonic-lite-1.0.0", *released]) == 0
    said = capsys.readouterr()
    assert "weights/unet.pth" in said.out
    assert "Apache-2.0" in said.out
    assert said.err.startswith("9 components; ")


def test_of_a_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = accepted_bundle(tmp_path / "bundle")
    assert main(["sbom", str(bundle.path)]) == 2
    assert "this run has no bill of materials" in capsys.readouterr().err
    hostile = {"bomFormat": "CycloneDX", "components": [{"type": "file", "name": "\x1b[2Jx", "version": "[red]1"}]}
    write_sbom(bundle, hostile)
    assert main(["sbom", str(bundle.path)]) == 0
    said = capsys.readouterr().out
    assert r"\x1b[2Jx" in said
    assert "[red]1" in said
