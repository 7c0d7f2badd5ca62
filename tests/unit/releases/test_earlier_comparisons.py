"""Earlier comparisons in a store: every candidate that was judged, published or not, beside its baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import MeasuredAgain, Outcome, Verdict
from penstock.releases.earlier_comparisons import earlier_comparisons
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.store import Store


def judged(
    folder: Path, store: Store, run_id: str, baseline: str | None, value: float, verdict: Outcome = "pass"
) -> Bundle:
    """An archived run that was compared with ``baseline``; accepted ones are published."""
    number = len(list(folder.iterdir()))
    bundle = accepted_bundle(folder / run_id, run_id=run_id, version=f"1.{number}.0", commit=f"{number:040x}")
    bundle.write_measurements([Measurement(case="a", metric="lse_d", value=value)])
    bundle.write_verdict(Verdict(verdict=verdict, baseline=baseline, level=0.05, rules=[]))
    archive(bundle, store, model="sonic-lite", run_id=run_id)
    if verdict == "pass":
        publish(store, bundle)
    return bundle


def values(measurements: object) -> list[float | None]:
    return [found.value for found in measurements]  # type: ignore[attr-defined]


def test_without_a_release_nothing_is_known(tmp_path: Path, store: Store) -> None:
    found = earlier_comparisons(store, "sonic-lite")
    assert (found.released, found.pairs) == (None, ())


@pytest.mark.slow
def test_candidates_stand_beside_what_they_were_compared_with(tmp_path: Path, store: Store) -> None:
    judged(tmp_path, store, "one", None, 7.0)
    judged(tmp_path, store, "two", "one", 7.5, "inconclusive")
    judged(tmp_path, store, "three", "one", 6.5)
    judged(tmp_path, store, "four", "three", 9.0, "fail")
    found = earlier_comparisons(store, "sonic-lite")
    assert values(found.released) == [6.5]
    # those with the current release come first
    assert [(values(before), values(after)) for before, after in found.pairs] == [
        ([6.5], [9.0]),
        ([7.0], [6.5]),
        ([7.0], [7.5]),
    ]


AGAIN = MeasuredAgain(metrics=["lse_d"], stored={"lipsync": "s+bf16-openvino"}, measured={"lipsync": "s"})


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"comparison": "rerun"}, {"measured_again": AGAIN}], ids=str)
def test_what_was_measured_beside_it_is_what_it_was_compared_with(
    tmp_path: Path, store: Store, more: dict[str, Any]
) -> None:
    judged(tmp_path, store, "one", None, 7.0)
    bundle = accepted_bundle(tmp_path / "two", run_id="two")
    bundle.write_measurements([Measurement(case="a", metric="lse_d", value=7.4)])
    (bundle.path / "baseline").mkdir()
    Bundle(bundle.path / "baseline").write_measurements([Measurement(case="a", metric="lse_d", value=7.2)])
    bundle.write_verdict(Verdict(verdict="fail", baseline="one", level=0.05, rules=[], **more))
    archive(bundle, store, model="sonic-lite", run_id="two")
    ((before, after),) = earlier_comparisons(store, "sonic-lite").pairs
    assert (values(before), values(after)) == ([7.2], [7.4])


def test_a_run_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    from penstock.store.local import LocalStore

    store = LocalStore(tmp_path / "kept")
    runs = tmp_path / "runs"
    runs.mkdir()
    for run_id, baseline, value in (("one", None, 7.0), ("two", "one", 7.1), ("three", "two", 7.2)):
        judged(runs, store, run_id, baseline, value)
    for name in ("two/measurements.jsonl", "three/verdict.json"):
        file = tmp_path / "kept/runs/sonic-lite" / name
        file.chmod(0o600)
        file.write_text("{", encoding="utf-8")
    found = earlier_comparisons(store, "sonic-lite")
    assert values(found.released) == [7.2]
    assert list(found.pairs) == []
