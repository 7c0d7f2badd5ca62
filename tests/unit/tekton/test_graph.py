"""Which task waits for which."""

from __future__ import annotations

from tests.unit.tekton.documents import pipeline, task


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
