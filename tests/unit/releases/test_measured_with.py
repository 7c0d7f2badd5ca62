"""What *measure* follows: the policy's arithmetic, or the current release's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.contract.policy import Policy
from penstock.foundation.errors import WorldError
from penstock.releases.measured_with import MeasuredWith, measured_with
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
    ("extractors", "expected", "stored"),
    [
        ({"lipsync": BF16}, "bf16-openvino", "lipsync=bf16-openvino"),
        ({"lipsync": F32}, "f32", "lipsync=f32"),
        ({"lipsync": BF16, "frechet": F32}, "", "frechet=f32,lipsync=bf16-openvino"),
        ({}, "", ""),
    ],
)
def test_it_is_the_current_releases(tmp_path: Path, extractors: dict[str, str], expected: str, stored: str) -> None:
    store = released(tmp_path, extractors)
    assert measured_with(STORED, store, MODEL) == MeasuredWith(expected, stored)
    assert measured_with(RERUN, store, MODEL) == MeasuredWith(expected), "both sides are measured in this run"


def test_before_the_first_release_and_without_a_store_there_is_none(tmp_path: Path) -> None:
    assert measured_with(STORED, LocalStore(tmp_path / "store"), MODEL) == MeasuredWith()
    assert measured_with(STORED, None, MODEL) == MeasuredWith()


def test_the_policy_has_the_first_word(tmp_path: Path) -> None:
    store = released(tmp_path, {"lipsync": BF16})
    pinned, beside = (policy.model_copy(update={"arithmetic": "f32"}) for policy in (STORED, RERUN))
    assert measured_with(pinned, store, MODEL) == MeasuredWith("f32", "lipsync=bf16-openvino")
    assert measured_with(pinned, None, MODEL) == MeasuredWith("f32")
    assert measured_with(beside, store, MODEL) == MeasuredWith("f32")


def test_values_as_the_policy_asks_for_them_are_never_measured_again_in_another_way(tmp_path: Path) -> None:
    """The gate would refuse the candidate's."""
    pinned = STORED.model_copy(update={"arithmetic": "bf16-openvino"})
    assert measured_with(pinned, released(tmp_path, {"lipsync": BF16}), MODEL) == MeasuredWith("bf16-openvino")


def test_a_release_that_cannot_be_read_stops_only_what_compares_with_it(tmp_path: Path) -> None:
    store = released(tmp_path, {"lipsync": BF16})
    (run,) = (tmp_path / "store").rglob("run.json")
    run.chmod(0o644)
    run.write_text("{}", encoding="utf-8")
    with pytest.raises(WorldError):
        measured_with(STORED, store, MODEL)
    assert measured_with(RERUN, store, MODEL) == MeasuredWith()
