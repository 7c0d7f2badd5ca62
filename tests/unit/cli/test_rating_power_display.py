"""Rules about people's ratings in ``penstock suite power``."""

from __future__ import annotations

import json

from penstock.cli.rating_power_display import HEADS, power_as_json, rating_rows
from penstock.contract.policy import Rule
from penstock.ratings.power import Chances, RatingPower, RatingWay, WayChances

RULE = Rule(metric="preference", min=0.35, ratings=40, slice="men")
EVEN = Chances(0.5, 0.46, 0.04, 0.1)


def power(*takes: int | None) -> RatingPower:
    ways = [WayChances(RatingWay(0.3, 0.0), EVEN, EVEN, EVEN, one) for one in takes]
    return RatingPower(2, RULE, 0.35, 8 if takes else 0, 40, 5, 0.2, ways)


def test_a_row() -> None:
    heads, row, same, nothing = rating_rows([power(70, None), power(70, 70), power()])
    assert heads == HEADS
    assert {len(row), len(same), len(nothing)} == {len(HEADS)}
    assert row[:4] == ("preference >= 0.35 of men", "8", "40 by 5", "50 / 50 %")
    assert row[-2:] == ("4 / 4 % (at 0.2)", "70 / none")
    assert same[-1] == "70"
    assert nothing[-1] == "no case"


def test_for_a_program() -> None:
    found = json.loads(json.dumps(power_as_json(power(70, None)), allow_nan=False))
    assert (found["rule"], found["metric"], found["slice"], found["minimum"]) == (2, "preference", "men", 0.35)
    assert [way["needed"] for way in found["ways"]] == [70, None]
    assert found["ways"][0]["equal"] == {"pass": 0.5, "inconclusive": 0.46, "fail": 0.04, "share_below": 0.1}
