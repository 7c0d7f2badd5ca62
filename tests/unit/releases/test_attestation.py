"""What is signed of a verdict, and how it is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.releases.attested import published_release

from penstock.bundle.models import BuiltElsewhere, Image
from penstock.bundle.verdict_record import RuleResult, WaiverRecord
from penstock.releases.attestation import attestation_key, read_statement, statement
from penstock.store.store import check_key

WAIVED = RuleResult(
    metric="lse_d",
    slice="side",
    verdict="fail",
    reason="rose",
    baseline=1.0,
    candidate=2.0,
    change=1.0,
    interval=None,
    limit="no more than +5 %",
    n=20,
    waiver=WaiverRecord(reason="new camera", author="ann", expires="2026-12-31"),
)


def test_the_statement_is_a_verification_summary(tmp_path: Path) -> None:
    release, bundle = published_release(tmp_path)
    verdict = bundle.verdict()
    over = WAIVED.model_copy(update={"waiver": WAIVED.waiver and WAIVED.waiver.model_copy(update={"expired": True})})
    held = WAIVED.model_copy(update={"verdict": "pass"})
    verdict = verdict.model_copy(update={"rules": [WAIVED, over, held]})
    release = release.model_copy(update={"use_onnx": False})
    signed = statement(release, bundle.run(), verdict, evidence="s3://b/runs/m/run-1", time="2026-01-02T00:00:00+00:00")
    whole = json.loads(signed)
    assert whole["_type"] == "https://in-toto.io/Statement/v1"
    assert whole["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert whole["subject"] == [{"name": "https://example.org/sonic-lite@" + "c" * 40, "digest": {"sha256": "a" * 64}}]
    predicate = whole["predicate"]
    assert (predicate["verificationResult"], predicate["timeVerified"]) == ("PASSED", "2026-01-02T00:00:00+00:00")
    evidence = {"uri": "s3://b/runs/m/run-1/manifest.json", "digest": {"sha256": release.manifest_sha256}}
    assert predicate["inputAttestations"] == [evidence]
    with_sbom = release.model_copy(update={"sbom_sha256": "e" * 64})
    whole = json.loads(statement(with_sbom, bundle.run(), verdict, evidence="s3://b/runs/m/run-1", time="t"))
    bill = {"uri": "s3://b/runs/m/run-1/sbom.cdx.json", "digest": {"sha256": "e" * 64}}
    assert whole["predicate"]["inputAttestations"] == [evidence, bill]
    assert predicate["policy"]["digest"] == {"gitCommit": "c" * 40}
    pair = predicate["penstock"]
    assert pair["weights"] == [{"path": "w.onnx", "sha256": "b" * 64}]
    assert (pair["use_onnx"], pair["version"], pair["run"]) == (False, "1.0.0", "run-1")
    assert [(rule["metric"], rule["slice"], rule["expires"]) for rule in pair["waived"]] == [
        ("lse_d", "side", "2026-12-31")
    ]
    assert read_statement(whole).predicate.penstock.model_dump(mode="json") == pair
    again = statement(release, bundle.run(), verdict, evidence="s3://b/runs/m/run-1", time="2026-01-02T00:00:00+00:00")
    assert signed == again


def test_who_built_the_image_and_who_signed_the_weights(tmp_path: Path) -> None:
    release, bundle = published_release(tmp_path)
    given = BuiltElsewhere(given=f"r/m@sha256:{'d' * 64}", compared=3)
    image = Image(kind="image", url="r/m", digest=f"sha256:{'d' * 64}", elsewhere=given)
    signed = [file.model_copy(update={"signed_by": "5" * 64}) for file in release.weights]
    told = release.model_copy(update={"image": image, "weights": signed})
    whole = json.loads(statement(told, bundle.run(), bundle.verdict(), evidence="s3://b/runs/m/run-1", time="t"))
    pair = read_statement(whole).predicate.penstock
    assert (pair.elsewhere, pair.weights[0].signed_by) == (given, "5" * 64)
    before = json.loads(statement(release, bundle.run(), bundle.verdict(), evidence="s3://b/runs/m/run-1", time="t"))
    assert "elsewhere" not in before["predicate"]["penstock"], "as older versions signed it"
    assert read_statement(before).predicate.penstock.elsewhere is None


def test_one_image_may_be_released_with_several_weights(tmp_path: Path) -> None:
    release, _ = published_release(tmp_path)
    image = Image(kind="image", url="r/m", digest=f"sha256:{'d' * 64}")
    first = release.model_copy(update={"image": image})
    second = first.model_copy(update={"version": "1.0.0+w12345678"})
    key = "0123456789abcdef" * 4
    assert attestation_key(first, key) == f"attestations/sha256-{'d' * 64}/sonic-lite@1.0.0.0123456789ab.json"
    assert (
        attestation_key(second, key) == f"attestations/sha256-{'d' * 64}/sonic-lite@1.0.0+w12345678.0123456789ab.json"
    )
    # a version may be as long as a part of a key; what is made of it is no longer
    long = [attestation_key(first.model_copy(update={"version": "v" * 190 + last}), key) for last in "ab"]
    assert len(set(long)) == 2
    assert all(check_key(place) for place in long)


@pytest.mark.parametrize("change", [{"_type": "x"}, {"predicateType": "https://slsa.dev/provenance/v1"}])
def test_what_is_no_verdict(tmp_path: Path, change: dict[str, str]) -> None:
    release, bundle = published_release(tmp_path)
    whole = json.loads(statement(release, bundle.run(), bundle.verdict(), evidence="e", time="t"))
    with pytest.raises(ValueError, match="no verification summary"):
        read_statement(whole | change)
    with pytest.raises(ValueError, match="it is no verdict: predicate"):
        read_statement({name: value for name, value in whole.items() if name != "predicate"})
