"""``sbom.cdx.json`` as a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.sbom_file import SBOM, SbomShown, read_sbom, sbom_sha256, write_sbom
from penstock.foundation.errors import UsageError

DOCUMENT = {
    "bomFormat": "CycloneDX",
    "components": [
        {"type": "file", "name": "größe", "licenses": [{"expression": "MIT"}, {"license": {"name": "x"}}]},
        {"type": "machine-learning-model", "name": "m", "components": [{"type": "file", "name": "w"}]},
    ],
}


def test_written_and_read(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    assert sbom_sha256(bundle) is None
    write_sbom(bundle, DOCUMENT)
    assert read_sbom(bundle) == DOCUMENT
    assert sbom_sha256(bundle) == hashlib.sha256((tmp_path / SBOM).read_bytes()).hexdigest()
    first, second = SbomShown.model_validate(DOCUMENT).components
    assert [str(licence) for licence in first.licenses] == ["MIT", "x"]
    assert second.components[0].name == "w"


def test_a_run_without_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no bill of materials"):
        read_sbom(Bundle(tmp_path))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting"),
        ("[]", "not a bill of materials"),
        ('{"bomFormat": "SPDX", "components": []}', "bomFormat"),
        ('{"bomFormat": "CycloneDX"}', "components"),
        ('{"bomFormat": "CycloneDX", "components": [], "x": NaN}', "not a bill"),
    ],
)
def test_what_is_none(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / SBOM).write_text(text)
    with pytest.raises(UsageError, match=why):
        read_sbom(Bundle(tmp_path))
