"""Results of tasks in the inputs of others."""

from __future__ import annotations

import json

from tests.unit.tekton.documents import pipeline, step, task


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
