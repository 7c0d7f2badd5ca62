"""``model_version.txt``: what is accepted, and where it disagrees with the contract."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.unit.contract.conftest import WEIGHTS, Write
from tests.unit.contract.found_faults import DIRECTIONS, faults, only

from penstock.contract.check import check_repository
from penstock.contract.model_version import read_model_version

SHA = hashlib.sha256(WEIGHTS).hexdigest()
GOOD = f"MODEL_NAME=little\nWEIGHT_SHA256={SHA}\nRELEASE_NOTES=Softer hair\n"


def written(root: Path, text: str | bytes) -> Path:
    content = text if isinstance(text, bytes) else text.encode()
    (root / "model_version.txt").write_bytes(content)
    return root


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        f'# of the hair team\n\n MODEL_NAME = \'Little\'\nWEIGHT_SHA256="{SHA.upper()}"\nRELEASE_NOTES = "Softer hair"',
    ],
)
def test_what_is_accepted(repository: Write, text: str) -> None:
    report = check_repository(written(repository(), text), metrics=DIRECTIONS)
    assert [str(fault) for fault in report.faults] == []
    assert report.version is not None
    assert report.version.notes == "Softer hair"


def test_notes_need_not_be_there_and_the_file_neither(repository: Write) -> None:
    root = repository()
    assert read_model_version(root) is None
    version = read_model_version(written(root, GOOD.replace("RELEASE_NOTES=Softer hair\n", "")))
    assert version is not None
    assert (version.notes, version.faults) == ("", [])


def test_a_name_as_people_write_it_is_the_contracts(repository: Write) -> None:
    root = repository(contract=("name: little", "name: rmbg-1-4"))
    assert faults(written(root, GOOD.replace("little", "RMBG-1.4"))) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            GOOD.replace(SHA, "ab" * 32),
            f"model_version.txt:2: WEIGHT_SHA256: the digest is {'ab' * 32}, and the contract says {SHA} "
            "(penstock.yaml:6: weights[0].sha256)",
        ),
        (
            GOOD.replace("little", "large"),
            "model_version.txt:1: MODEL_NAME: 'large' is not the model that the contract names: 'little' "
            "(penstock.yaml:2: name)",
        ),
        (GOOD.replace(SHA, SHA[:-1]), "model_version.txt:2: WEIGHT_SHA256: must be 64 hexadecimal digits"),
        (GOOD.replace(f"WEIGHT_SHA256={SHA}\n", ""), "model_version.txt:1: WEIGHT_SHA256: the field is missing"),
        (GOOD.replace("little", ""), "model_version.txt:1: MODEL_NAME: the value is empty"),
        (
            GOOD.replace("RELEASE_NOTES", "RELEASE_NOTE"),
            "model_version.txt:3: there is no field 'RELEASE_NOTE'. Did you",
        ),
        (GOOD + "MODEL_NAME=little\n", "model_version.txt:4: MODEL_NAME: 'MODEL_NAME' is there twice, first in line 1"),
        (GOOD + "and more\n", "model_version.txt:4: 'and more' is not NAME=VALUE"),
        (GOOD.replace("Softer hair", "x" * 4001), "RELEASE_NOTES: the notes have 4001 characters, more than 4000"),
        (GOOD.encode("utf-16"), "model_version.txt:1: the file is not UTF-8"),
    ],
)
def test_what_is_refused_has_file_and_line(repository: Write, text: str | bytes, fault: str) -> None:
    assert fault in faults(written(repository(), text))[0]


def test_of_several_weights_the_first_counts(repository: Write) -> None:
    second = "    source: lfs\n  - path: weights/other.onnx\n    sha256: " + hashlib.sha256(b"2").hexdigest()
    root = repository(contract=("    source: lfs", f"{second}\n    source: lfs"))
    (root / "weights/other.onnx").write_bytes(b"2")
    assert faults(written(root, GOOD)) == []


def test_a_link_or_a_huge_file_is_not_read(repository: Write, tmp_path: Path) -> None:
    root = repository()
    (root / "model_version.txt").symlink_to("/etc/hostname")
    assert "is a symbolic link" in only(root)
    (root / "model_version.txt").unlink()
    with (root / "model_version.txt").open("wb") as file:
        file.truncate(1 << 20)
    assert only(root).startswith("model_version.txt:1")
