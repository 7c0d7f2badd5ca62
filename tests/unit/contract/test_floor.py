"""The platform's floor: what is one, where it lies, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.gating.floor_verdicts import EASY, judge, values

from penstock.contract.floor import floor_in, load_floor
from penstock.foundation.errors import UsageError


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"rules": []}, "rules"),
        ({"rules": [EASY], "waivers": []}, "waivers"),
        ({"rules": [EASY], "baseline": "rerun"}, "baseline"),
        ({"rules": [EASY], "min_cases": 0}, "min_cases"),
        ({"rules": [EASY | {"min_cases": True}]}, r"rules\[0\]\.min_cases"),
        ({"rules": [{"metric": "lse_d"}]}, "has no min, max, margin or worst"),
    ],
)
def test_what_is_no_floor(tmp_path: Path, content: dict[str, Any], said: str) -> None:
    file = tmp_path / "floor.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(UsageError, match=said):
        load_floor(file)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"metric": "lse_dd", "margin": 0.1}, r"policy floor\.rules\[0\]\.metric: unknown metric 'lse_dd'"),
        ({"metric": "lse_d", "margin": "2 sd"}, r"policy floor\.rules\[0\]\.margin"),
    ],
)
def test_a_floor_that_cannot_be_applied(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        judge({"rules": [rule]}, {"rules": [EASY]}, values("lse_d", 1.0))


def test_a_floor_under_a_wrong_name_is_not_passed_over(tmp_path: Path) -> None:
    assert floor_in(None) is None
    (tmp_path / "floor.yaml").touch()
    (tmp_path / "..data").touch()
    with pytest.raises(UsageError, match=r"there is no policy-floor\.yaml.*It holds floor\.yaml: name the key"):
        floor_in(tmp_path)
    (tmp_path / "policy-floor.yaml").touch()
    assert floor_in(tmp_path) == tmp_path / "policy-floor.yaml"
