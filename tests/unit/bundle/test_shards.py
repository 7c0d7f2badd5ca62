"""Shards: every case is in one, and texts that are none."""

from __future__ import annotations

import pytest

from penstock.bundle.shards import Shard, split
from penstock.foundation.errors import UsageError


@pytest.mark.parametrize(("shards", "cases", "sizes"), [(1, 5, [5]), (2, 5, [3, 2]), (3, 5, [2, 2, 1]), (9, 2, [1, 1])])
def test_every_case_is_in_one_shard(shards: int, cases: int, sizes: list[int]) -> None:
    names = [f"case-{index}" for index in range(cases)]
    parts = [part.of_all(names) for part in split(shards, cases)]
    assert [len(part) for part in parts] == sizes
    assert sorted(name for part in parts for name in part) == names


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/65", "01/2", "1/2/3", "-1/2", "1/2\n", "a/b"])
def test_texts_that_are_no_shard(text: str) -> None:
    with pytest.raises(UsageError, match="is not a shard"):
        Shard.parse(text)
    assert str(Shard.parse("2/3")) == "2/3"
