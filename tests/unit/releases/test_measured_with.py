"""What *measure* follows: the policy's arithmetic, or the current release's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.contract.policy import Policy
from penstock.foundation.errors import WorldError
from penstock.releases.measured_with import arithmetic_to_follow
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore

MODEL = "sonic-lite"
RULES = [{"metric": "lse_d", "margin": 0.1}]
STORED, RERUN = (Policy.model_validate({"rules": RULES, "baseline": name}) for name in ("stored", "rerun"))
BF16, F32 = f"a@sha256:{'0' * 64}+bf16-openvino", f"b@sha256:{'1' * 64}"


def released(tmp_path: Path, extractors: dict[str, str]) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    bundle = accepted_bundle(tmp_path / "bundle")
    bundle.update_run(bundle.run().model_copy(update={"extractors": extractors}))
    archive(bundle, store, model=MODEL, run_id="run-1")
    publish(store, bundle)
    return store


@pytest.mark.parametrize(
    ("extractors", "expected"),
    [
        ({"lipsync": BF16}, "bf16-openvino"),
        ({"lipsync": F32}, "f32"),
        ({"lipsync": BF16, "frechet": F32}, ""),
        ({}, ""),
    ],
)
def test_it_is_the_current_releases(tmp_path: Path, extractors: dict[str, str], expected: str) -> None:
    store = released(tmp_path, extractors)
    assert arithmetic_to_follow(STORED, store, MODEL) == expected
    assert arithmetic_to_follow(RERUN, store, MODEL) == expected


def test_before_the_first_release_and_without_a_store_there_is_none(tmp_path: Path) -> None:
    assert arithmetic_to_follow(STORED, LocalStore(tmp_path / "store"), MODEL) == ""
    assert arithmetic_to_follow(STORED, None, MODEL) == ""


def test_the_policy_has_the_first_word(tmp_path: Path) -> None:
    store = released(tmp_path, {"lipsync": BF16})
    pinned = STORED.model_copy(update={"arithmetic": "f32"})
    assert arithmetic_to_follow(pinned, store, MODEL) == "f32"
    assert arithmetic_to_follow(pinned, None, MODEL) == "f32"


def test_a_release_that_cannot_be_read_stops_only_what_compares_with_it(tmp_path: Path) -> None:
    store = released(tmp_path, {"lipsync": BF16})
    (run,) = (tmp_path / "store").rglob("run.json")
    run.chmod(0o644)
    run.write_text("{}", encoding="utf-8")
    with pytest.raises(WorldError):
        arithmetic_to_follow(STORED, store, MODEL)
    assert arithmetic_to_follow(RERUN, store, MODEL) == ""
