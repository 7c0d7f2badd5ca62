"""The EER of what the service itself says of pairs."""

from __future__ import annotations

import pytest
from tests.unit.families.face.answers import compared, pair, seen

from penstock.families.face.pair_values import pair_values

CASES = [pair(f"same-{n}", True) for n in range(4)] + [pair(f"other-{n}", False) for n in range(4)]
SAID = [compared(0.9), compared(0.8), compared(0.6), compared(0.3), *map(compared, (0.7, 0.5, 0.2, 0.1))]


def test_rates_of_the_listed_pairs() -> None:
    (line,) = pair_values(CASES, SAID)
    assert (line.metric, line.case, line.value, line.error) == ("pair_eer", "*", 0.25, None)


def test_what_is_refused_or_failed_is_not_accepted() -> None:
    refused = [compared(0.9, refused=True), *SAID[1:]]
    (line,) = pair_values(CASES, refused)
    assert (line.value or 0) > 0.25
    (failed,) = pair_values(CASES, [seen(None), *SAID[1:]])
    assert failed.value == line.value
    assert "'same-0'" in str(failed.error)


def test_resamples_where_all_say_who_they_are() -> None:
    people = [f"p{n}" for n in range(14)]
    cases = [pair(f"s{name}", True, [name, name]) for name in people]
    cases += [pair(f"d{n}", False, [people[n], people[n - 1]]) for n in range(14)]
    said = [compared(0.5 + 0.03 * n) for n in range(14)] + [compared(0.05 * n) for n in range(14)]
    (line,) = pair_values(cases, said)
    assert line.resamples is not None
    assert (line.resamples.cases, len(line.resamples.values)) == (14, 1000)
    assert line.value == pytest.approx(2 / 14, abs=0.08)


def test_no_pairs_of_one_kind() -> None:
    (none,) = pair_values([], [])
    assert not none.applies
    (line,) = pair_values(CASES[:4], SAID[:4])
    assert line.error == "the suite has no pairs of different people"
    (line,) = pair_values(CASES[4:], SAID[4:])
    assert line.error == "the suite has no pairs of the same person"


def test_pairs_that_should_be_refused_are_not_held_against_it() -> None:
    odd = pair("odd", True).model_copy(update={"ood": "blur"})
    (line,) = pair_values([*CASES, odd], [*SAID, compared(None, refused=True)])
    assert line.value == 0.25


@pytest.mark.parametrize("least", [0.0, -1e300, -(2.0**60)])
def test_a_refused_pair_is_below_whatever_is_said(least: float) -> None:
    cases = [pair(f"{kind}-{n}", kind == "same") for kind in ("same", "other") for n in range(10)]
    said = [compared(None, refused=True)] * 5 + [compared(1.0)] * 5 + [compared(least)] * 10
    (line,) = pair_values(cases, said)
    assert line.value == 0.5  # half of the genuine pairs are lost, and no impostor lies as low as they do


@pytest.mark.parametrize("stretch", [1.0, 1e-300, 1e300])
def test_only_the_order_of_what_is_said_counts(stretch: float) -> None:
    (line,) = pair_values(CASES, [compared(answer.features.similarity * stretch) for answer in SAID])
    assert line.value == 0.25
