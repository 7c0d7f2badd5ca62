"""Whether a release's verdict still stands, by its archived evidence."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.unit.releases.test_attestation import WAIVED
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.verdict_record import Outcome, RuleResult, Verdict, WaiverRecord
from penstock.foundation.errors import ExitCode, WorldError
from penstock.releases.acts import promote, roll_back
from penstock.releases.baseline import Release, baseline, published
from penstock.releases.release import publish
from penstock.releases.standing_verdict import VoidVerdictError, hold_standing
from penstock.store.archive import archive
from penstock.store.local import LocalStore

MODEL = "sonic-lite"
LAST, AFTER = date(2026, 3, 1), date(2026, 3, 2)


def waived(expires: str = "2026-03-01", verdict: Outcome = "fail") -> RuleResult:
    waiver = WaiverRecord(reason="new camera", author="ann", expires=expires)
    return WAIVED.model_copy(update={"waiver": waiver, "verdict": verdict})


def released(
    folder: Path, store: LocalStore, *rules: RuleResult, number: int = 0, before: str | None = None
) -> Release:
    """``1.NUMBER.0``, without a target."""
    run_id = f"run-{number}"
    bundle = accepted_bundle(
        folder / run_id, run_id=run_id, version=f"1.{number}.0", commit=str(number) * 40, baseline=before
    )
    bundle.write_verdict(Verdict(verdict="pass", baseline=before, level=0.05, rules=list(rules)))
    archive(bundle, store, model=MODEL, run_id=run_id)
    publish(store, bundle)
    release = published(store, MODEL, f"1.{number}.0")
    assert release is not None
    return release


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def test_a_waiver_holds_to_the_end_of_its_last_day(tmp_path: Path, store: LocalStore) -> None:
    release = released(tmp_path, store, waived("2027-01-01"), waived())
    hold_standing(store, release, LAST)
    with pytest.raises(VoidVerdictError) as caught:
        hold_standing(store, release, AFTER)
    assert caught.value.exit_code == ExitCode.REJECTED
    assert caught.value.where == "sonic-lite 1.0.0"
    assert caught.value.what.endswith("the waiver of 'lse_d' by ann ended on 2026-03-01")


def test_a_rule_that_held_needs_no_waiver(tmp_path: Path, store: LocalStore) -> None:
    hold_standing(store, released(tmp_path, store, waived(verdict="pass")), AFTER)
    hold_standing(store, released(tmp_path, store, number=1, before="run-0"), AFTER)


@pytest.mark.parametrize("verdict", ["fail", "inconclusive"])
def test_evidence_of_a_rejection_under_a_release(tmp_path: Path, store: LocalStore, verdict: Outcome) -> None:
    release = released(tmp_path, store)
    rejected = accepted_bundle(tmp_path / "run-9", run_id="run-9", verdict=verdict)
    digest = archive(rejected, store, model=MODEL, run_id="run-9").manifest_sha256
    with pytest.raises(VoidVerdictError, match=f"its verdict is '{verdict}'"):
        hold_standing(store, release.model_copy(update={"run_id": "run-9", "manifest_sha256": digest}), LAST)


def test_a_waiver_without_a_date(tmp_path: Path, store: LocalStore) -> None:
    with pytest.raises(WorldError, match="archived verdict is damaged"):
        hold_standing(store, released(tmp_path, store, waived("soon")), LAST)


def test_evidence_that_was_changed_or_is_gone(tmp_path: Path, store: LocalStore) -> None:
    release = released(tmp_path, store, waived())
    evidence = tmp_path / "store" / "runs" / MODEL / "run-0"
    file = evidence / "verdict.json"
    file.chmod(0o600)
    file.write_text(file.read_text().replace("2026-03-01", "2099-03-01"))
    with pytest.raises(WorldError):
        hold_standing(store, release, AFTER)
    shutil.rmtree(evidence)
    with pytest.raises(WorldError, match="no such run"):
        hold_standing(store, release, AFTER)


def test_a_promotion_without_a_target_asks_too_and_a_rollback_does_not(tmp_path: Path, store: LocalStore) -> None:
    released(tmp_path, store, waived())
    released(tmp_path, store, number=1, before="run-0")
    later = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with pytest.raises(VoidVerdictError):
        promote(store, MODEL, "1.0.0", reason="go", now=lambda: later)
    assert roll_back(store, MODEL, reason="flicker", now=lambda: later).move is not None
    now = baseline(store, MODEL)
    assert now is not None
    assert now.version == "1.0.0"
    assert promote(store, MODEL, "1.0.0", reason="go", now=lambda: later).move is None, "it is current: nothing to do"
