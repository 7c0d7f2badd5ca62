"""Records of steps, and products of earlier runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import Products, begin, recorded
from penstock.foundation.errors import UsageError
from penstock.foundation.files import sha256_json


def test_another_runs_bundle_is_never_overwritten(bundle: Bundle) -> None:
    assert begin(bundle, run_id="run-1", track="release") == bundle.run()
    with pytest.raises(UsageError, match="belongs to run 'run-1'"):
        begin(bundle, run_id="run-2", track="release")


def test_a_step_that_fails_leaves_no_record(bundle: Bundle) -> None:
    with pytest.raises(RuntimeError), recorded(bundle, "infer"):
        raise RuntimeError
    assert bundle.run().steps == []
    for _ in range(2):
        with recorded(bundle, "infer") as note:
            note.note = "again"
    assert [(step.name, step.status, step.note) for step in bundle.run().steps] == [("infer", "done", "again")]


def test_products_come_back_for_the_same_inputs_only(bundle: Bundle, tmp_path: Path) -> None:
    cache, digest = tmp_path / "cache", sha256_json({"tree": "1"})
    (bundle.outputs / "a").mkdir(parents=True)
    (bundle.outputs / "a" / "output.mp4").write_bytes(b"video")
    bundle.invocations_file.write_text("{}\n")
    Products(cache, "infer", digest).keep(bundle, [Path("outputs"), Path("invocations.jsonl")])
    other = Bundle(tmp_path / "other")
    assert not Products(cache, "infer", sha256_json({"tree": "2"})).restore(other)
    assert Products(cache, "infer", digest).restore(other)
    assert (other.outputs / "a" / "output.mp4").read_bytes() == b"video"
    # a copy: what happens to the bundle does not reach the cache
    (other.outputs / "a" / "output.mp4").write_bytes(b"edited")
    third = Bundle(tmp_path / "third")
    assert Products(cache, "infer", digest).restore(third)
    assert (third.outputs / "a" / "output.mp4").read_bytes() == b"video"
