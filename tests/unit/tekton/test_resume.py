"""Going on with a run: what succeeded is kept, what failed is run again, what changed is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.tekton.documents import pipeline, step, task

from penstock.foundation.errors import UsageError


def counted(folder: Path, name: str, then: str = "") -> dict[str, object]:
    return task(name, f"echo x >> {folder}/{name}; {then}")


def runs(folder: Path, name: str) -> int:
    path = folder / name
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.slow
def test_only_what_did_not_succeed_is_run_again(run, tmp_path: Path) -> None:
    from penstock.tekton import resume

    assert resume.state_to_start.__doc__
    second = counted(tmp_path, "b", f"test -e {tmp_path}/go") | {"runAfter": ["a"]}
    document = pipeline(counted(tmp_path, "a"), second, finally_=[counted(tmp_path, "end")])
    assert run(document).result.status == "False"
    (tmp_path / "go").touch()
    assert run(document, resume=True).result.status == "True"
    # the final task is told how the others ended, so that it runs again
    assert [runs(tmp_path, name) for name in ("a", "b", "end")] == [1, 2, 2]
    assert run(document, resume=True).result.status == "True"
    assert [runs(tmp_path, name) for name in ("a", "b", "end")] == [1, 2, 2]


def test_changed_pipeline_is_another_run(run, tmp_path: Path) -> None:
    run(pipeline(counted(tmp_path, "a", "false")))
    with pytest.raises(UsageError):
        run(pipeline(counted(tmp_path, "a", "true")), resume=True)
    assert runs(tmp_path, "a") == 1
    state = json.loads((tmp_path / "run" / "state.json").read_text())
    assert state["finished"]["status"] == "False"
    assert step("true")
