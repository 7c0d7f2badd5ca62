"""Two runs that did not come about in the same way are not compared; what cannot move a value forbids nothing."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.bundle.models import Inference, Machine, Run, ShardRecord, SuiteOrigin, SuiteRecord
from penstock.foundation.errors import UsageError
from penstock.gating.comparable import check_comparable, gpu_models, notes

H200 = "NVIDIA H200, 550.54.15"
LIPSYNC = "syncnet-compact@sha256:" + "0" * 64


def machine(gpu: str = "", **more: Any) -> Machine:
    fixed = {"system": "Linux 6.1", "processor": "x", "cores": 2, "memory_bytes": 1, "python": "3.11.2"}
    return Machine.model_validate(fixed | {"gpu": gpu} | more)


def shards(*gpus: str) -> list[ShardRecord]:
    count = len(gpus)
    return [
        ShardRecord(shard=f"{place}/{count}", cases=1, started="2026-01-01T00:00:00Z", machine=machine(gpu))
        for place, gpu in enumerate(gpus, 1)
    ]


def run(**changes: Any) -> Run:
    fixed: dict[str, Any] = {
        "penstock": "0.1.0",
        "run_id": "r",
        "model": "sonic",
        "suite": SuiteRecord(digest="a" * 64, cases=8),
        "machine": machine(),
        "extractors": {"lipsync": LIPSYNC},
        "parameters": {"inference_steps": 25, "lip_sync_align": True},
    }
    return Run.model_validate(fixed | changes)


def refused(candidate: Run, baseline: Run) -> str:
    with pytest.raises(UsageError) as caught:
        check_comparable(candidate, baseline)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            {"suite": SuiteRecord(digest="b" * 64, cases=9)},
            "suite: 9 cases, sha256:bbbbbbbbbbbb in the candidate, 8 cases, sha256:aaaaaaaaaaaa in the baseline",
        ),
        (
            {
                "suite": SuiteRecord(digest="b" * 64, cases=9),
                "suite_from": SuiteOrigin(address="s3://a/b#sha256=c", files="c"),
            },
            "suite: 9 cases, sha256:bbbbbbbbbbbb from s3://a/b#sha256=c in the candidate, 8 cases",
        ),
        (
            {"extractors": {"lipsync": "syncnet_v2@sha256:1"}},
            f"extractor 'lipsync': syncnet_v2@sha256:1 in the candidate, {LIPSYNC} in the baseline",
        ),
        ({"machine": machine(H200)}, "GPU model: NVIDIA H200 in the candidate, no GPU in the baseline"),
        (
            {"parameters": {"inference_steps": 10, "lip_sync_align": True}},
            "parameter 'inference_steps': 10 in the candidate, 25 in the baseline",
        ),
        ({"parameters": {"inference_steps": 25}}, "parameter 'lip_sync_align': not set in the candidate, True in the"),
        (
            {"parameters": {"inference_steps": 25, "lip_sync_align": True, "seed": 1}},
            "parameter 'seed': 1 in the candidate, not set in the baseline",
        ),
        ({"parameters": {}}, "parameter 'inference_steps': not set in the candidate, 25 in the baseline"),
    ],
)
def test_each_thing_that_differs_is_named_with_both_values(change: dict[str, Any], wanted: str) -> None:
    text = refused(run(**change), run())
    assert wanted in text
    assert "'baseline: rerun'" in text
    assert "cannot be compared" in refused(run(), run(**change))


def test_all_that_differs_is_said_at_once() -> None:
    other = run(suite=SuiteRecord(digest="b", cases=8), machine=machine(H200), parameters={str(n): n for n in range(9)})
    text = refused(other, run())
    assert "suite: " in text
    assert "GPU model: " in text
    assert "and 8 more" in text


def test_another_card_is_refused_another_driver_is_not() -> None:
    assert "NVIDIA A100 in the candidate, NVIDIA H200" in refused(
        run(machine=machine("NVIDIA A100, 550.54.15")), run(machine=machine(H200))
    )
    newer = run(machine=machine("NVIDIA H200, 570.1"))
    check_comparable(newer, run(machine=machine(H200)))
    assert "The drivers of the GPU differ: NVIDIA H200, 570.1 and NVIDIA H200, 550.54.15." in notes(
        newer, run(machine=machine(H200))
    )


@pytest.mark.parametrize(
    "change",
    [
        {"machine": machine(processor="y", cores=64)},
        {"machine": machine(system="Linux 6.12", python="3.11.9", versions={"numpy": "2.3"})},
        {"inference": Inference(unchanged=False, parts=["1/2", "2/2"], shards=shards("", ""))},
        {"inference": Inference(unchanged=True, parts=["1/1"])},
        {"track": "verify", "penstock": "0.2.0", "run_id": "other"},
        {"extractors": {"lipsync": LIPSYNC, "frechet": "new@sha256:1"}},
        {"extractors": {}},
    ],
)
def test_what_cannot_move_a_value_forbids_nothing(change: dict[str, Any]) -> None:
    check_comparable(run(**change), run())
    check_comparable(run(), run(**change))


def test_without_a_record_there_is_nothing_to_hold() -> None:
    for one, other in ((None, None), (run(), None), (None, run())):
        check_comparable(one, other)
        assert notes(one, other) == []
    bare = Run(penstock="0", run_id="r", schema_version=1)
    check_comparable(run(machine=machine(H200)), bare)
    assert "Not recorded by both, and so not held: suite, GPU model, parameters." in notes(run(), bare)


def test_an_older_record_knows_no_parameters() -> None:
    check_comparable(run(), run(schema_version=1, parameters={}))
    assert "'inference_steps': 25" in refused(run(), run(parameters={}))
    assert "'inference_steps': 25" in refused(run(), run(schema_version=1, parameters={"inference_steps": 5}))


def test_the_card_is_that_of_the_shards() -> None:
    """On a cluster only the step infer has a card; two cards of two models are no one model."""
    fresh = Inference(unchanged=False, parts=["1/2", "2/2"], shards=shards(H200, H200))
    assert gpu_models(run(machine=machine(H200), inference=fresh)) == {"NVIDIA H200"}
    mixed = Inference(unchanged=False, parts=["1/2", "2/2"], shards=shards(H200, "NVIDIA A100, 1.2"))
    text = refused(run(machine=machine(H200), inference=mixed), run(machine=machine(H200), inference=fresh))
    assert "NVIDIA A100 and NVIDIA H200 in the candidate, NVIDIA H200 in the baseline" in text


def test_outputs_of_an_earlier_run_were_made_where_it_ran() -> None:
    """This run's own machine need not have a card: then it says nothing about the outputs."""
    kept = run(inference=Inference(unchanged=True, parts=["1/1"], machine=machine(H200)))
    check_comparable(kept, run(machine=machine(H200)))
    assert "NVIDIA H200 in the candidate, no GPU in the baseline" in refused(kept, run())
    here = run(inference=Inference(unchanged=True, parts=["1/1"], machine=machine()))
    assert "no GPU in the candidate" in refused(here, run(machine=machine(H200)))
    unknown = run(inference=Inference(unchanged=True, parts=["1/1"]))
    check_comparable(unknown, run(machine=machine(H200)))
    assert "Not recorded by both, and so not held: GPU model." in notes(unknown, run(machine=machine(H200)))


def test_a_reader_is_told_of_other_machines() -> None:
    (told,) = notes(run(machine=machine(processor="y")), run())
    assert told == (
        "The runs were on different machines, y (2 cores) and x (2 cores): real_time_factor, latency, peak_memory, "
        "gpu_memory, load_p50_ms, load_p95_ms, load_p99_ms, throughput, saturated_p50_ms, saturated_p95_ms, "
        "saturated_p99_ms, startup_s measure them, too."
    )
    assert notes(run(), run()) == []
    assert notes(run(model="other", penstock="9"), run()) == [
        "Measured by Penstock 9 and 0.1.0.",
        "These are two models: other and sonic.",
    ]
