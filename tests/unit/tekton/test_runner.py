"""Order, results, params, contexts: what a pipeline does when nothing goes wrong."""

from __future__ import annotations

import json

import pytest
from tests.unit.tekton.documents import a_task, pipeline, pipeline_run, step, task


def test_a_pipeline_of_one_task_succeeds(run):
    ran = run(pipeline(task("a", "echo hello")))
    assert (ran.result.status, ran.result.reason) == ("True", "Succeeded")
    assert ran.result.message == "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0"
    assert ran.lines("a") == ["hello"]
    record = ran.result.task_runs[0]
    assert (record.name, record.exit_code, record.message) == ("r-a", 0, "All Steps have completed executing")
    assert (ran.directory / record.steps[0].log).read_text() == "hello\n"


def test_run_after_and_results_order_tasks(run, tmp_path):
    order = tmp_path / "order"
    ran = run(
        pipeline(
            task(
                "c",
                f"echo c $(params.v) >> {order}",
                spec_params=[{"name": "v"}],
                params=[{"name": "v", "value": "$(tasks.b.results.out)"}],
            ),
            task("b", f"echo b >> {order}; printf B > $(results.out.path)", results=["out"], runAfter=["a"]),
            task("a", f"echo a >> {order}"),
        )
    )
    assert ran.result.succeeded
    assert order.read_text().split("\n") == ["a", "b", "c B", ""]


def test_independent_tasks_run_at_the_same_time(run, tmp_path):
    meet = "touch {0}/{1}; while [ ! -e {0}/{2} ]; do sleep 0.01; done"
    ran = run(pipeline(task("a", meet.format(tmp_path, "a", "b")), task("b", meet.format(tmp_path, "b", "a"))))
    assert ran.result.succeeded


def test_max_parallel_holds_tasks_back(run, tmp_path):
    alone = f"mkdir {tmp_path}/busy; sleep 0.05; rmdir {tmp_path}/busy"
    ran = run(pipeline(*(task(f"t{number}", alone) for number in range(4))), max_parallel=1)
    assert ran.result.succeeded


def test_array_and_object_results(run):
    ran = run(
        pipeline(
            task(
                "make",
                """printf '["x","y z"]' > $(results.list.path); printf '{"k":"v"}' > $(results.map.path)""",
                results=[
                    {"name": "list", "type": "array"},
                    {"name": "map", "type": "object", "properties": {"k": {"type": "string"}}},
                ],
            ),
            task(
                "use",
                steps=[step(command=["printf", "%s\\n"], args=["$(params.all[*])", "$(params.one)", "$(params.key)"])],
                spec_params=[{"name": "all", "type": "array"}, {"name": "one"}, {"name": "key"}],
                params=[
                    {"name": "all", "value": ["$(tasks.make.results.list[*])"]},
                    {"name": "one", "value": "$(tasks.make.results.list[1])"},
                    {"name": "key", "value": "$(tasks.make.results.map.k)"},
                ],
            ),
            results=[
                {"name": "list", "value": "$(tasks.make.results.list[*])"},
                {"name": "map", "value": "$(tasks.make.results.map[*])"},
                {"name": "text", "value": "$(tasks.make.results.list[0])-$(tasks.make.results.map.k)"},
            ],
        )
    )
    assert ran.lines("use") == ["x", "y z", "y z", "v"]
    assert ran.result.results == [("list", ["x", "y z"]), ("map", {"k": "v"}), ("text", "x-v")]


def test_results_keep_their_newline_and_are_json(run):
    ran = run(
        pipeline(
            task("a", "echo hi > $(results.r.path)", results=["r"]),
            results=[{"name": "out", "value": "$(tasks.a.results.r)"}],
        )
    )
    data = json.loads(json.dumps(ran.result.to_json()))
    assert data["results"] == [{"name": "out", "value": "hi\n"}]
    assert data["taskRuns"][0]["results"] == [{"name": "r", "type": "string", "value": "hi\n"}]
    assert {"pipeline": "p", "name": "r", "status": "True", "reason": "Succeeded"}.items() <= data.items()


def test_params_of_every_notation(run):
    ran = run(
        pipeline_run(
            task(
                "a",
                steps=[
                    step(
                        command=["printf", "%s\\n"],
                        args=[
                            "$(params.s)",
                            '$(params["s"])',
                            "$(params['s'])",
                            "$(params.a[1])",
                            "$(params.a[*])",
                            "$(params.o.k)",
                        ],
                    )
                ],
            ),
            params=[
                {"name": "s", "default": "$(params.base)/x"},
                {"name": "base", "default": "root"},
                {"name": "a", "type": "array", "default": ["1"]},
                {"name": "o", "type": "object", "properties": {"k": {}}, "default": {"k": "d"}},
            ],
            run={"params": [{"name": "a", "value": ["p", "q"]}]},
        ),
        params={"o": "k:given"},
    )
    assert ran.lines("a") == ["root/x", "root/x", "root/x", "q", "p", "q", "given"]


@pytest.mark.parametrize(("given", "text"), [("a,b", "a b"), ('["x","y, z"]', "x y, z")])
def test_an_array_from_a_command_line(run, given, text):
    document = pipeline(
        task("a", steps=[step(command=["echo"], args=["$(params.list[*])"])]),
        params=[{"name": "list", "type": "array"}],
    )
    assert run(document, params={"list": given}).lines("a") == [text]


def test_task_params_hide_pipeline_params(run):
    ran = run(
        pipeline(
            task("a", "echo $(params.x) $(params.y)", spec_params=[{"name": "x", "default": "task"}]),
            task("b", "echo $(params.x)", params=[{"name": "x", "value": "given $(params.y)"}]),
            params=[{"name": "x", "default": "pipeline"}, {"name": "y", "default": "Y"}],
        )
    )
    # in a task without params of its own, the pipeline's come first: Tekton puts them in before the task's defaults
    assert ran.lines("a") == ["pipeline Y"]
    assert ran.lines("b") == ["given Y"]


def test_contexts(run):
    ran = run(
        pipeline(
            task(
                "a",
                "echo $(context.pipelineRun.name) $(context.pipeline.name) $(context.taskRun.name) "
                "$(context.task.name) $(context.taskRun.namespace) $(context.task.retry-count) $(params.n)",
                spec_params=[{"name": "n"}],
                params=[{"name": "n", "value": "$(context.pipelineTask.retries)"}],
                retries=2,
            ),
            {"name": "b", "taskRef": {"name": "other"}},
        ),
        a_task("other", step("echo $(context.task.name) $(context.taskRun.name)")),
    )
    assert ran.lines("a") == ["r p r-a r-a default 0 2"]
    assert ran.lines("b") == ["other r-b"]


def test_values_never_pass_through_a_shell(run, tmp_path):
    hostile = f"; touch {tmp_path}/owned; $(touch {tmp_path}/owned) `touch {tmp_path}/owned`"
    document = pipeline(task("a", steps=[step(command=["printf", "%s"], args=["$(params.x)"])]), params=[{"name": "x"}])
    ran = run(document, params={"x": hostile})
    assert ran.lines("a") == [hostile]
    assert not (tmp_path / "owned").exists()


def test_kubernetes_expands_variables_and_dollars(run):
    ran = run(
        pipeline(
            task(
                "a",
                steps=[
                    step(
                        command=["printf", "%s\\n"],
                        args=["$(A)", "$(B)", "$$(A)", "$$", "$(NOPE)", "$(PATH)"],
                        env=[{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}],
                    )
                ],
            ),
            task("b", 'echo "$$" | grep -q "^[0-9]*$"; echo "$A"', stepTemplate={"env": [{"name": "A", "value": "t"}]}),
        )
    )
    assert ran.lines("a") == ["1", "12", "$(A)", "$", "$(NOPE)", "$(PATH)"]
    assert ran.lines("b") == ["t"]


def test_scripts_with_and_without_shebang(run):
    ran = run(
        pipeline(
            task("plain", "false; echo not reached", onError="continue"),
            task(
                "sh", "#!/bin/sh\nfalse\necho reached $1", steps=[step("#!/bin/sh\nfalse\necho reached $1", args=["x"])]
            ),
        )
    )
    assert ran.lines("plain") == []
    assert ran.lines("sh") == ["reached x"]


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


def test_each_step_starts_in_an_empty_directory(run):
    steps = [step("touch here; ls"), step("ls | wc -l")]
    assert run(pipeline(task("a", steps=steps))).lines("a") == ["here", "0"]


def test_step_results_and_exit_codes_reach_later_steps(run):
    ran = run(
        pipeline(
            task(
                "a",
                steps=[
                    step(
                        'printf v > $(step.results.r.path); printf \'["p","q"]\' > $(step.results.l.path); exit 3',
                        name="one",
                        results=[{"name": "r"}, {"name": "l", "type": "array"}],
                        onError="continue",
                    ),
                    step(
                        command=["printf", "%s\\n"],
                        args=["$(steps.one.results.r)", "$(steps.one.results.l[*])", "$(steps.one.results.l[1])"],
                    ),
                    step("cat $(steps.step-one.exitCode.path)"),
                    step(
                        "echo never",
                        when=[{"input": "$(steps.one.results.r)", "operator": "notin", "values": ["v"]}],
                    ),
                ],
                results=[{"name": "out", "value": "$(steps.one.results.r)"}],
            ),
            results=[{"name": "out", "value": "$(tasks.a.results.out)"}],
        )
    )
    assert ran.lines("a")[:5] == ["v", "p", "q", "q", "3"]
    assert "never" not in ran.lines("a")
    assert ran.result.results == [("out", "v")]
    record = ran.result.task_runs[0]
    assert [(item.reason, item.exit_code) for item in record.steps] == [
        ("Continued", 3),
        ("Completed", 0),
        ("Completed", 0),
        ("Skipped", 0),
    ]


def test_long_names_are_cut_like_tekton(run):
    ran = run(pipeline(task("t" * 60)), name="n" * 40)
    name = ran.result.task_runs[0].name
    assert len(name) == 63
    assert name.startswith("n" * 31)
