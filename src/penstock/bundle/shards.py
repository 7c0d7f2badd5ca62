"""Shards: parts of a suite that are put to models of their own at the same time, each in a directory of its own.

A shard fills ``shards/1-of-2/`` as an unsharded run fills the bundle: ``outputs/``, ``invocations.jsonl``, ``logs/``,
and ``shard.json`` with its times. So no two of them ever write the same file, and none writes what other steps read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from penstock.bundle.directory import Bundle, read_model, write_model
from penstock.bundle.models import ShardRecord
from penstock.foundation.errors import UsageError

MAX_SHARDS = 64
"""Their names are a result of the step *plan*, and results are small."""
_TEXT = re.compile(r"([1-9][0-9]?)/([1-9][0-9]?)")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """Part ``number`` of ``of`` (from 1)."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``1/2``.

        Raises:
            UsageError: it is no such text.
        """
        match = _TEXT.fullmatch(text)
        if match is None or int(match[1]) > int(match[2]) or int(match[2]) > MAX_SHARDS:
            raise UsageError(f"'{text[:40]}' is not a shard", where="--shard", todo="Example: 1/2, the first of two.")
        return cls(int(match[1]), int(match[2]))

    def of_all(self, items: Sequence[Item]) -> list[Item]:
        """Every ``of``-th item, so that no shard gets all of the long cases that stand together."""
        return list(items[self.number - 1 :: self.of])

    def bundle(self, bundle: Bundle) -> Bundle:
        """Where the shard puts what it makes."""
        return Bundle(shards_folder(bundle) / f"{self.number}-of-{self.of}")


def split(count: int, cases: int) -> list[Shard]:
    """``count`` shards, or as many as there are cases.

    Raises:
        UsageError: there cannot be so many.
    """
    if not 1 <= count <= MAX_SHARDS:
        raise UsageError(f"{count} shards cannot be", where="--shards", todo=f"Choose 1 to {MAX_SHARDS}.")
    number = max(1, min(count, cases))
    return [Shard(index, number) for index in range(1, number + 1)]


def shards_folder(bundle: Bundle) -> Path:
    """Where the shards lie until they are merged."""
    return bundle.path / "shards"


def shard_record(shard: Bundle) -> ShardRecord | None:
    """What is known of a shard; ``None`` before it was started."""
    file = shard.path / "shard.json"
    return read_model(file, ShardRecord) if file.exists() else None


def write_shard_record(shard: Bundle, record: ShardRecord) -> None:
    """Replace what is known of a shard."""
    write_model(shard.path / "shard.json", record)
