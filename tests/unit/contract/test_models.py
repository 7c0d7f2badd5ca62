"""The contract's types: what people may write, and what is refused by its field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.contract.models import Contract, Suite
from penstock.foundation.errors import UsageError

COMMAND = {"argv": ["python", "m.py", "{output}"]}
GOOD: dict[str, Any] = {
    "version": 1,
    "name": "tiny",
    "family": "talking-head",
    "call": {"command": COMMAND},
    "suite": "suite",
    "policy": {"rules": [{"metric": "latency", "max": 1}]},
}
CASE = {"name": "a", "inputs": {"image": "a.png"}}


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"name": "Tiny Model"},
        {"suite": ""},
        {"call": {}},
        {"call": {"command": COMMAND, "timeout_s": 0}},
        {"call": {"command": COMMAND, "env": {"A=B": "c"}}},
        {"weights": [{"path": "w", "sha256": "abc", "source": "lfs"}]},
        {"surprise": 1},
    ],
)
def test_what_is_refused(change: dict[str, Any]) -> None:
    Contract.model_validate(GOOD)
    with pytest.raises((ValidationError, UsageError)):
        Contract.model_validate(GOOD | change)


def test_extractor_by_name_needs_no_file() -> None:
    file = {"path": "n.onnx", "sha256": "a" * 64, "source": "lfs"}
    contract = Contract.model_validate(GOOD | {"extractors": {"lipsync": file, "frechet": "portrait-features"}})
    assert [weights.path for weights in contract.extractor_files.values()] == ["n.onnx"]


def test_slice_of_a_suite() -> None:
    cases = [CASE, CASE | {"name": "b", "slices": ["fast"]}]
    suite = Suite.model_validate({"version": 1, "family": "talking-head", "cases": cases})
    assert suite.only("") == suite
    assert [case.name for case in suite.only("fast").cases] == ["b"]
    with pytest.raises(UsageError):
        suite.only("slow")


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".", "a\0b", "*"])
def test_name_of_a_case_is_the_name_of_a_folder(name: str) -> None:
    with pytest.raises((ValidationError, UsageError)):
        Suite.model_validate({"version": 1, "family": "talking-head", "cases": [CASE | {"name": name}]})
