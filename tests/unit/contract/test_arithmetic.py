"""How a network was computed stands in its label."""

from __future__ import annotations

import pytest

from penstock.bundle.models import Run
from penstock.contract.arithmetic import arithmetic_in, digest_in, extractor_label, known_arithmetic
from penstock.gating.comparable import differences

DIGEST = "ab" * 32


def test_f32_is_the_label_of_all_older_bundles() -> None:
    assert extractor_label("syncnet", DIGEST, "f32") == f"syncnet@sha256:{DIGEST}"
    assert extractor_label("syncnet", DIGEST, "bf16-openvino") == f"syncnet@sha256:{DIGEST}+bf16-openvino"


@pytest.mark.parametrize("arithmetic", ["f32", "f32-openvino", "f32-cuda", "bf16-openvino"])
def test_a_label_says_both_parts_again(arithmetic) -> None:
    label = extractor_label("syncnet", DIGEST, arithmetic)
    assert (digest_in(label), arithmetic_in(label)) == (DIGEST, arithmetic)
    assert known_arithmetic(arithmetic_in(label)) == arithmetic


def test_an_arithmetic_of_a_later_version_is_another_one() -> None:
    label = f"syncnet@sha256:{DIGEST}+fp8-tpu"
    assert digest_in(label) == DIGEST
    assert arithmetic_in(label) == "fp8-tpu"
    assert known_arithmetic("fp8-tpu") is None


def test_runs_in_another_arithmetic_are_not_compared() -> None:
    ours, theirs = (
        Run(penstock="1", run_id="r", extractors={"lipsync": extractor_label("s", DIGEST, arithmetic)})
        for arithmetic in ("bf16-openvino", "f32")
    )
    assert [found.what for found in differences(ours, theirs)] == ["extractor 'lipsync'"]
    assert not list(differences(ours, ours))
