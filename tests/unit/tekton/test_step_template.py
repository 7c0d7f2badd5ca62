"""The step template, merged as Kubernetes merges."""

from __future__ import annotations

from tests.unit.tekton.documents import pipeline, task


def test_step_template_and_working_directory(run, tmp_path):
    (tmp_path / "w").mkdir()
    ran = run(
        pipeline(
            task(
                "a",
                steps=[
                    {"command": ["sh", "-c", "pwd; echo $A$B"], "env": [{"name": "B", "value": "own"}]},
                    {"command": ["sh", "-c", "pwd"], "workingDir": "$(workspaces.w.path)/new/dir"},
                ],
                stepTemplate={
                    "image": "i",
                    "workingDir": str(tmp_path),
                    "env": [{"name": "A", "value": "t"}, {"name": "B", "value": "t"}],
                },
                spec_workspaces=[{"name": "w"}],
                workspaces=[{"name": "w"}],
            ),
            workspaces=[{"name": "w"}],
        ),
        workspaces={"w": tmp_path / "w"},
    )
    assert ran.lines("a") == [str(tmp_path), "town", str(tmp_path / "w/new/dir")]
