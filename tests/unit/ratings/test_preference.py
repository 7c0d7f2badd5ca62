"""The win share's error and the agreement, against other ways to compute them."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.ratings.preference import agreement, win_share

SCORES = st.dictionaries(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("vwxyz")), st.sampled_from([0.0, 0.5, 1.0]), min_size=1
)


def clustered(scores: dict[tuple[str, str], float], cluster: list[int]) -> float:
    """The variance as a sum over all pairs of ratings that share a cluster."""
    mean = sum(scores.values()) / len(scores)
    keys = list(scores)
    total = sum(
        (scores[one] - mean) * (scores[two] - mean)
        for one, two in itertools.product(keys, keys)
        if all(one[part] == two[part] for part in cluster)
    )
    groups = len({tuple(key[part] for part in cluster) for key in keys})
    return total * groups / (groups - 1) / len(scores) ** 2


@settings(max_examples=40)
@given(SCORES)
def test_the_error_is_that_of_pairs_that_share_a_rater_or_a_case(scores: dict[tuple[str, str], float]) -> None:
    found = win_share(scores)
    assert found.share == pytest.approx(sum(scores.values()) / len(scores))
    if found.raters < 2 or found.cases < 2:
        assert found.error is None
        return
    parts = clustered(scores, [0]), clustered(scores, [1]), clustered(scores, [0, 1])
    expected = max(parts[0] + parts[1] - parts[2], *parts)
    assert found.error is not None
    assert found.error**2 == pytest.approx(expected, abs=1e-12)
    assert found.freedom == found.raters + found.cases - 2


def test_answers_that_hang_together_are_worth_less() -> None:
    alone = {(f"r{r}", f"c{c}"): float((r + c) % 2) for r in range(8) for c in range(6)}
    by_rater = {(f"r{r}", f"c{c}"): float(r % 2) for r in range(8) for c in range(6)}
    loose, tight = win_share(alone), win_share(by_rater)
    assert loose.share == tight.share == 0.5
    assert loose.error is not None
    assert tight.error is not None
    assert tight.error > 2 * loose.error
    assert tight.error == pytest.approx(math.sqrt(0.25 / 7))  # as of eight values


@settings(max_examples=40)
@given(SCORES)
def test_alpha_is_that_of_all_pairs_of_values(scores: dict[tuple[str, str], float]) -> None:
    units: dict[str, list[float]] = {}
    for (_, case), score in scores.items():
        units.setdefault(case, []).append(score)
    pairable = [values for values in units.values() if len(values) > 1]
    everything = [value for values in pairable for value in values]
    count = len(everything)
    between = sum((one - two) ** 2 for one, two in itertools.permutations(everything, 2))
    if between == 0:
        assert agreement(scores) is None
        return
    within = sum(
        sum((one - two) ** 2 for one, two in itertools.permutations(values, 2)) / (len(values) - 1)
        for values in pairable
    )
    found = agreement(scores)
    assert found == pytest.approx(1 - (within / count) / (between / count / (count - 1)))
    assert found is not None
    assert found <= 1


def test_alpha_of_raters_who_agree_and_of_such_who_do_not() -> None:
    agreed = {(r, c): float(c in "vw") for r in "abc" for c in "vwxy"}
    assert agreement(agreed) == 1
    opposed = {(r, c): float(r == "a") for r in "ab" for c in "vwxy"}
    found = agreement(opposed)
    assert found is not None
    assert found < 0
    assert agreement({("a", "v"): 1.0}) is None


def test_krippendorffs_own_example() -> None:
    """Computing Krippendorff's Alpha-Reliability, section D: interval data of four observers, alpha 0.849."""
    table = {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    }
    scores = {
        (rater, str(unit)): float(value)
        for rater, values in table.items()
        for unit, value in enumerate(values)
        if value is not None
    }
    assert agreement(scores) == pytest.approx(0.849, abs=5e-4)
