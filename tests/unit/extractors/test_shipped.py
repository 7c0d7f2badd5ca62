"""The extractors that a contract names without a file."""

from __future__ import annotations

from pathlib import Path

import penstock_extractors
import pytest

from penstock.contract.models import Contract
from penstock.evaluation.networks import network_labels, open_networks
from penstock.extractors import shipped
from penstock.extractors.shipped import SHIPPED, shipped_file
from penstock.families.registry import stand_ins
from penstock.foundation.errors import WorldError
from penstock.foundation.files import sha256_file


def contract() -> Contract:
    return Contract.model_validate(
        {
            "version": 1,
            "name": "tiny",
            "family": "talking-head",
            "call": {"command": {"argv": ["x", "{output}"]}},
            "suite": "suite",
            "extractors": {"lipsync": "syncnet-compact", "frechet": "portrait-features"},
            "policy": {"rules": [{"metric": "latency", "max": 1}]},
        }
    )


def test_their_digests_are_those_of_the_files() -> None:
    folder = Path(next(iter(penstock_extractors.__path__)))
    assert {name: sha256_file(folder / f"{name}.onnx") for name in SHIPPED} == SHIPPED
    assert set(SHIPPED) == stand_ins() == set(shipped.STAND_INS.values())


def test_they_need_not_be_in_the_repository(tmp_path: Path) -> None:
    names = network_labels(open_networks(contract(), tmp_path))
    assert names == {
        "lipsync": f"syncnet-compact@sha256:{SHIPPED['syncnet-compact']}",
        "frechet": f"portrait-features@sha256:{SHIPPED['portrait-features']}",
    }


def test_another_file_under_the_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "syncnet-compact.onnx").write_bytes(b"other")
    monkeypatch.setattr(penstock_extractors, "__path__", [str(tmp_path)])
    with pytest.raises(WorldError, match="not the 'syncnet-compact' that comes with Penstock"):
        shipped_file("syncnet-compact")
    with pytest.raises(WorldError, match="has no extractor 'portrait-features'"):
        shipped_file("portrait-features")
