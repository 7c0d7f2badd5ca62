"""Directories that tasks share, get fresh, or do not get."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, pipeline_run, step, task

from penstock.foundation.errors import UsageError


def uses(name: str, script: str, *, declared: dict | None = None, bound: dict | None = None, **fields):
    return task(
        name,
        script,
        spec_workspaces=[{"name": "w", **(declared or {})}],
        workspaces=[{"name": "w", **(bound or {})}],
        **fields,
    )


def test_a_directory_is_shared(run, tmp_path):
    (tmp_path / "w").mkdir()
    ran = run(
        pipeline(
            uses("a", "echo text > $(workspaces.w.path)/file; echo $(workspaces.w.path) $(workspaces.w.bound)"),
            uses("b", "cat $(workspaces.w.path)/file", runAfter=["a"]),
            workspaces=[{"name": "w"}],
        ),
        workspaces={"w": tmp_path / "w"},
    )
    assert ran.lines("a") == [f"{tmp_path / 'w'} true"]
    assert ran.lines("b") == ["text"]


@pytest.mark.slow
def test_an_empty_dir_is_fresh_for_every_task_and_a_claim_template_is_shared(run):
    tasks = [
        uses("a", "touch $(workspaces.w.path)/x; ls $(workspaces.w.path)"),
        uses("b", "ls $(workspaces.w.path) | wc -l; echo $(workspaces.w.claim)-", runAfter=["a"]),
    ]
    empty = pipeline_run(*tasks, workspaces=[{"name": "w"}], run={"workspaces": [{"name": "w", "emptyDir": {}}]})
    assert run(empty).lines("b") == ["0", "-"]
    template = {"name": "w", "volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}
    shared = pipeline_run(*tasks, workspaces=[{"name": "w"}], run={"workspaces": [template]})
    count, claim = run(shared, directory="second").lines("b")
    assert count == "1"
    assert claim.startswith("pvc-")


def test_sub_paths_with_values_in_them(run, tmp_path):
    (tmp_path / "w").mkdir()
    ran = run(
        pipeline(
            task("name", "printf dir > $(results.r.path)", results=["r"]),
            uses(
                "a",
                "touch $(workspaces.w.path)/x",
                bound={"subPath": "$(params.p)/$(tasks.name.results.r)"},
                params=[{"name": "q", "value": "$(tasks.name.results.r)"}],
            ),
            workspaces=[{"name": "w"}],
            params=[{"name": "p", "default": "top"}],
        ),
        workspaces={"w": tmp_path / "w"},
    )
    assert ran.result.succeeded
    assert (tmp_path / "w/top/dir/x").exists()


@pytest.mark.slow
def test_result_in_a_sub_path_counts_only_if_a_parameter_names_it(run, tmp_path):
    """As in Tekton 1.15: references are looked for in parameters, matrix and ``when``, then replaced everywhere."""
    (tmp_path / "w").mkdir()
    bound = {"subPath": "$(tasks.name.results.r)"}
    tasks = [
        task("name", "printf dir > $(results.r.path)", results=["r"]),
        uses("text", "true", bound=bound, runAfter=["name"]),
        uses(
            "value",
            "touch $(workspaces.w.path)/$(params.part)",
            bound=bound,
            spec_params=[{"name": "part"}, {"name": "id"}],
            params=[{"name": "id", "value": "$(tasks.name.results.r)"}],
            matrix={"params": [{"name": "part", "value": ["1", "2"]}]},
        ),
    ]
    ran = run(pipeline(*tasks, workspaces=[{"name": "w"}]), workspaces={"w": tmp_path / "w"})
    assert ran.result.succeeded
    found = sorted(path.relative_to(tmp_path / "w").as_posix() for path in (tmp_path / "w").rglob("*"))
    assert found == ["$(tasks.name.results.r)", "dir", "dir/1", "dir/2"]


def test_image_of_a_step_can_be_a_parameter_and_its_program_lie_in_a_workspace(run, tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "program").write_text("#!/bin/sh\necho $1\n")
    (tmp_path / "w" / "program").chmod(0o755)
    document = pipeline(
        task(
            "a",
            steps=[
                {
                    "image": "$(params.image)",
                    "command": ["$(workspaces.w.path)/program"],
                    "args": ["$(params.image)"],
                }
            ],
            spec_params=[{"name": "image"}],
            spec_workspaces=[{"name": "w", "readOnly": True}],
            params=[{"name": "image", "value": "registry:5000/m@sha256:ab"}],
            workspaces=[{"name": "w"}],
        ),
        workspaces=[{"name": "w"}],
    )
    ran = run(document, workspaces={"w": tmp_path / "w"})
    assert ran.lines("a") == ["registry:5000/m@sha256:ab"]


@pytest.mark.parametrize("sub_path", ["../out", "/etc", "link/x"])
def test_a_sub_path_stays_inside(run, tmp_path, sub_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w/link").symlink_to(tmp_path)
    document = pipeline(uses("a", "echo never", bound={"subPath": sub_path}), workspaces=[{"name": "w"}])
    ran = run(document, workspaces={"w": tmp_path / "w"})
    assert ran.lines("a") == []
    assert ran.reasons() == {"a": "CreateContainerConfigError"}


def test_an_optional_workspace_that_is_not_bound(run):
    ran = run(
        pipeline(
            uses("a", "echo [$(workspaces.w.bound)] [$(workspaces.w.path)]", declared={"optional": True}),
            task("b", "echo never", when=[{"input": "$(workspaces.w.bound)", "operator": "in", "values": ["true"]}]),
            workspaces=[{"name": "w", "optional": True}],
        )
    )
    assert ran.lines("a") == ["[false] []"]
    assert ran.skipped() == {"b": "When Expressions evaluated to false"}


def test_an_optional_workspace_for_a_task_that_needs_it(run):
    bound = {"workspace": "w"}
    ran = run(pipeline(uses("a", "true", bound=bound), workspaces=[{"name": "w", "optional": True}]))
    assert ran.result.reason == "RequiredWorkspaceMarkedOptional"


def test_workspaces_reach_tasks_that_are_written_inside(run, tmp_path):
    document = pipeline_run(task("a", "touch $(workspaces.w.path)/x"), workspaces=[{"name": "w"}])
    assert run(document, workspaces={"w": tmp_path}).result.succeeded
    assert (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("persistentVolumeClaim", {"claimName": "c"}),
        ("configMap", {"name": "c"}),
        ("secret", {"secretName": "c"}),
        ("projected", {"sources": [{"secret": {"name": "c"}}]}),
        ("csi", {"driver": "c"}),
    ],
)
def test_volumes_of_a_cluster_need_a_directory(run, tmp_path, kind, source):
    document = pipeline_run(
        uses("a", "echo $(workspaces.w.claim)-"),
        workspaces=[{"name": "w"}],
        run={"workspaces": [{"name": "w", kind: source}]},
    )
    with pytest.raises(UsageError, match=rf"spec\.workspaces\[0\]\.{kind}"):
        run(document)
    claim = "c" if kind == "persistentVolumeClaim" else ""
    assert run(document, workspaces={"w": tmp_path}).lines("a") == [f"{claim}-"]


def test_a_read_only_workspace_that_is_written_to(run, tmp_path):
    (tmp_path / "w").mkdir()
    read_only = {"readOnly": True}
    document = pipeline(uses("a", "ls $(workspaces.w.path)", declared=read_only), workspaces=[{"name": "w"}])
    assert run(document, workspaces={"w": tmp_path / "w"}).result.succeeded
    document = pipeline(uses("a", "touch $(workspaces.w.path)/x", declared=read_only), workspaces=[{"name": "w"}])
    ran = run(document, workspaces={"w": tmp_path / "w"}, directory="second")
    assert ran.result.task_runs[0].message == "the task changed the read-only workspace w"


def test_a_workspace_of_one_step_is_hidden_from_the_others(run, tmp_path):
    ran = run(
        pipeline(
            task(
                "a",
                steps=[
                    step("touch $(workspaces.w.path)/x", workspaces=[{"name": "w", "mountPath": "/mine"}]),
                    step("test ! -e $(workspaces.w.path)"),
                ],
                spec_workspaces=[{"name": "w"}],
                workspaces=[{"name": "w"}],
            ),
            workspaces=[{"name": "w"}],
        ),
        workspaces={"w": tmp_path},
    )
    assert ran.result.succeeded
