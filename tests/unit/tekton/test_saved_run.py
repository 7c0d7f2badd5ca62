"""What a run keeps so that it can go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.tekton.test_run_json import RECORD

from penstock.foundation.errors import UsageError
from penstock.tekton.saved_run import RunState, changed_inputs, digest, load_state, locked

STATE = RunState("r", "uid", {"pipeline": "1"}, "now", {RECORD.name: RECORD}, {"status": "False"})


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    assert load_state(tmp_path) is None
    STATE.save(tmp_path)
    assert load_state(tmp_path) == STATE


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 2}', '{"version": 1}', "null", "[" * 9999])
def test_what_is_not_ours_is_refused_and_never_a_bug(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    with pytest.raises(UsageError):
        load_state(tmp_path)


def test_inputs_that_differ_are_named() -> None:
    assert changed_inputs({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == ["b", "c"]
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1})


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "run"), pytest.raises(UsageError), locked(tmp_path / "run"):
        pass
    with locked(tmp_path / "run"):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(UsageError), locked(tmp_path / "file"):
        pass
