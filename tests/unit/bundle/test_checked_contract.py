"""The contract and the suite are read from YAML once, by *check*; what it leaves is compared with the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from penstock_tasks.check import entrypoint as check

from penstock.bundle import checked_contract
from penstock.bundle.checked_contract import keep_checked, read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.steps import begin
from penstock.contract.load import load_contract, load_suite
from penstock.foundation.errors import UsageError

CONTRACT = """\
version: 1
name: tiny
family: talking-head
call:
  preset: sonic
  http: {argv: [python, service.py, "{port}"], fields: &fields {seed: 7}}
  parameters: *fields
suite: suite
policy:
  level: 0.05
  rules:
    - {metric: latency, max: 100, margin: 5%}
    - {metric: jitter, slice: fast, margin: 0.1, severity: warn}
"""
SUITE = """\
version: 1
family: talking-head
cases:
  - {name: one, inputs: {image: face.png, audio: speech.wav}, slices: [fast], face_box: [0, 0, 0.5, 1]}
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    (path / "suite").mkdir(parents=True)
    (path / "penstock.yaml").write_text(CONTRACT, encoding="utf-8")
    (path / "suite" / "suite.yaml").write_text(SUITE, encoding="utf-8")
    (path / "suite" / "face.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    (path / "suite" / "speech.wav").write_bytes(b"RIFF\x40\0\0\0WAVEfmt " + bytes(64))
    return path


@pytest.fixture
def bundle(source: Path, tmp_path: Path) -> Bundle:
    """As the step *check* leaves it."""
    bundle = Bundle(tmp_path / "bundle")
    begin(bundle, run_id="r", track="release")
    assert check.main([f"--source={source}", f"--bundle={bundle.path}"]) == 0
    return bundle


@pytest.fixture
def yaml_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which YAML is read from here on."""
    read: list[str] = []

    def counted(name: str) -> None:
        real = getattr(checked_contract, name)

        def called(*arguments: Any) -> Any:
            read.append(name)
            return real(*arguments)

        monkeypatch.setattr(checked_contract, name, called)

    counted("load_contract")
    counted("load_suite")
    return read


def test_later_steps_read_the_same_contract_and_suite_and_no_yaml(
    source: Path, bundle: Bundle, yaml_reads: list[str]
) -> None:
    checked = read_checked(bundle, source)
    contract = load_contract(source)
    assert checked.contract == contract
    assert [rule.model_fields_set for rule in checked.contract.policy.rules] == [
        rule.model_fields_set for rule in contract.policy.rules
    ]
    assert checked.suite() == load_suite(source, contract)
    assert type(checked.suite().cases[0]) is type(load_suite(source, contract).cases[0])
    assert yaml_reads == []


@pytest.mark.parametrize("file", ["penstock.yaml", "suite/suite.yaml"])
def test_files_that_have_changed_since_are_read_themselves(
    source: Path, bundle: Bundle, yaml_reads: list[str], file: str
) -> None:
    path = source / file
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert read_checked(bundle, source).suite().cases[0].name == "one"
    assert yaml_reads == ["load_contract", "load_suite"]


def test_a_bundle_of_an_older_version_has_none(source: Path, bundle: Bundle, yaml_reads: list[str]) -> None:
    bundle.contract_file.unlink()
    assert read_checked(bundle, source).contract.name == "tiny"
    assert yaml_reads == ["load_contract"]


def test_a_file_that_leaves_the_repository_is_the_yaml_s_own_error(source: Path, bundle: Bundle) -> None:
    moved = source.parent / "elsewhere.yaml"
    (source / "penstock.yaml").rename(moved)
    (source / "penstock.yaml").symlink_to(moved)
    with pytest.raises(UsageError):
        read_checked(bundle, source)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"contract": {"name": 7}}, "not a valid record"),
        ({"contract": []}, "not a valid record"),
        ({"schema_version": 99}, "newer Penstock"),
        ({"sources": None}, "not a valid record"),
    ],
)
def test_what_was_edited_is_refused(source: Path, bundle: Bundle, change: dict[str, Any], words: str) -> None:
    content = json.loads(bundle.contract_file.read_text(encoding="utf-8"))
    if isinstance(change.get("contract"), dict):
        change = {"contract": content["contract"] | change["contract"]}
    bundle.contract_file.write_text(json.dumps(content | change), encoding="utf-8")
    with pytest.raises(UsageError, match=words):
        read_checked(bundle, source)


def test_a_suite_of_another_kind_is_refused(source: Path, bundle: Bundle) -> None:
    content = json.loads(bundle.contract_file.read_text(encoding="utf-8"))
    content["suite"]["cases"][0]["face_box"] = "all of it"
    bundle.contract_file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UsageError, match=r"contract\.json: not a valid record: cases\.0\.face_box"):
        read_checked(bundle, source).suite()


def test_what_could_not_be_read_back_is_not_written(
    source: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked_contract, "MAX_RECORD_BYTES", 100)
    content = json.loads(bundle.contract_file.read_text(encoding="utf-8"))
    keep_checked(bundle, source, content["contract"], content["suite"])
    assert not bundle.contract_file.exists()


def test_a_contract_with_a_fault_leaves_nothing(source: Path, tmp_path: Path) -> None:
    (source / "penstock.yaml").write_text(CONTRACT.replace("suite: suite", "suite: none"), encoding="utf-8")
    bundle = Bundle(tmp_path / "faulty")
    begin(bundle, run_id="r", track="release")
    assert check.main([f"--source={source}", f"--bundle={bundle.path}"]) == 2
    assert not bundle.contract_file.exists()
