"""What a later run needs to know of outputs that it takes over, so that it is not compared with another card's."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.machine import this_machine
from penstock.bundle.models import Inference, ShardRecord
from penstock.bundle.shards import Shard, write_shard_record
from penstock.bundle.steps import begin, utc_now
from penstock.evaluation.collect import collect
from penstock.evaluation.infer import infer
from penstock.evaluation.plan import plan
from penstock.foundation.files import regular_files
from penstock.gating.comparable import gpu_models

H200 = this_machine().model_copy(update={"gpu": "NVIDIA H200, 550.54.15"})


@pytest.mark.slow
def test_the_machine_that_made_them_comes_along(repository, tmp_path: Path) -> None:
    """As on a cluster: only the step infer has a card."""
    contract, suite, cache = repository.contract(), repository.suite("a"), tmp_path / "cache"
    whole = Shard.parse("1/1")
    runs: list[Bundle] = []
    for name in ("first", "second"):
        bundle = Bundle(tmp_path / name)
        begin(bundle, run_id=name, track="release")
        planned = plan(contract, suite, repository.path, bundle, cache=cache)
        if not planned.unchanged:
            shard = whole.bundle(bundle)
            infer(contract, suite, repository.path, shard)
            now = utc_now("milliseconds")
            write_shard_record(shard, ShardRecord(shard="1/1", cases=1, started=now, ended=now, machine=H200))
        collect(suite, bundle, cache=cache)
        runs.append(bundle)
    first, second = (bundle.run() for bundle in runs)
    assert isinstance(second.inference, Inference)
    assert second.inference.unchanged
    assert second.machine is not None
    assert second.machine.gpu == this_machine().gpu
    assert second.inference.machine is not None
    assert second.inference.machine.gpu == H200.gpu
    assert gpu_models(first) == gpu_models(second) == {"NVIDIA H200"}
    assert not [path for path in regular_files(runs[1].path) if "made-on" in path.name], "no file of the bundle"


def test_parameters_are_recorded_with_the_presets_defaults(repository, bundle: Bundle) -> None:
    begin(bundle, run_id="r", track="release")
    contract = repository.contract(parameters={"inference_steps": 10})
    plan(contract, repository.suite("a"), repository.path, bundle, cache=None)
    run = bundle.run()
    assert run.parameters == contract.call.parameters
    assert run.parameters["inference_steps"] == 10
    assert run.schema_version == 2
