"""How the released model runs beside the candidate: under its conditions, in turns or in blocks."""

from __future__ import annotations

import pytest

from penstock.bundle.models import Image
from penstock.bundle.shards import MAX_SHARDS, Shard, split
from penstock.evaluation.rerun_plan import called_alike, halves, how, parts_for
from penstock.foundation.errors import UsageError, WorldError

PROCESS = Image(kind="process", digest="sha256:1")
IMAGE = Image(kind="image", url="r/x", digest="sha256:2")


def test_conditions_are_the_candidates_and_the_way_of_calling_its_own(repository) -> None:
    ours = repository.contract(parameters={"steps": 9}, warmup=3)
    theirs = repository.contract(mode="old", parameters={"steps": 1}).model_copy(update={"suite": "elsewhere"})
    alike = called_alike(ours, theirs)
    assert (alike.call.parameters, alike.call.warmup, alike.suite) == ({"steps": 9}, 3, ours.suite)
    assert alike.call.env == {"MODE": "old"}
    with pytest.raises(WorldError):
        called_alike(ours, theirs.model_copy(update={"family": "matting"}))


def test_how_they_run_beside_each_other() -> None:
    assert [how(PROCESS, None, 5), how(PROCESS, IMAGE, 5)] == ["turns", "turns"]
    assert [how(IMAGE, IMAGE, 5), how(IMAGE, IMAGE, 1)] == ["blocks", "block"]
    for released in (None, PROCESS):
        with pytest.raises(WorldError):
            how(IMAGE, released, 5)


def test_parts() -> None:
    assert [parts_for("turns", 4), parts_for("blocks", 4), parts_for("", 4)] == [1, 8, 4]
    assert parts_for("blocks", MAX_SHARDS // 2) == MAX_SHARDS
    for shards in (0, MAX_SHARDS // 2 + 1):
        with pytest.raises(UsageError):
            parts_for("blocks", shards)


def test_each_shard_is_in_one_block() -> None:
    shards = split(4, 9)
    blocks = halves("blocks", shards)
    assert [str(shard) for shard in blocks.first] == ["1/4", "2/4"]
    assert [str(shard) for shard in blocks.second] == ["3/4", "4/4"]
    assert halves("", shards).second == halves("block", [Shard(1, 1)]).second == ()
