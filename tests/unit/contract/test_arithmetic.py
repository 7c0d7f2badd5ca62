"""How a network was computed stands in its label."""

from __future__ import annotations

import pytest

from penstock.bundle.models import Run
from penstock.contract.arithmetic import (
    arithmetic_by_role,
    arithmetic_in,
    computed_otherwise,
    digest_in,
    extractor_label,
    known_arithmetic,
    without_arithmetic,
)
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


def test_the_network_is_the_same_however_it_was_computed() -> None:
    f32, bf16 = (extractor_label("a+b", DIGEST, arithmetic) for arithmetic in ("f32", "bf16-openvino"))
    assert without_arithmetic(bf16) == without_arithmetic(f32) == f32
    assert without_arithmetic(f"other@sha256:{DIGEST}+fp8-tpu") == f"other@sha256:{DIGEST}"


def test_which_networks_of_a_run_were_computed_otherwise_than_is_stored() -> None:
    stored = arithmetic_by_role({"lipsync": f"s@sha256:{DIGEST}+bf16-openvino", "frechet": f"f@sha256:{DIGEST}"})
    assert stored == "frechet=f32,lipsync=bf16-openvino"
    here = {"lipsync": f"s@sha256:{DIGEST}", "frechet": f"f@sha256:{DIGEST}", "new": f"n@sha256:{DIGEST}+f32-cuda"}
    assert computed_otherwise(stored, here) == ["lipsync"]
    assert computed_otherwise(stored, {"frechet": f"f@sha256:{DIGEST}+fp8-tpu"}) == ["frechet"]
    assert computed_otherwise(arithmetic_by_role(here), here) == []
    assert computed_otherwise(arithmetic_by_role({}), here) == []
