"""A file of comparisons, with and without identities."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.families.face.comparisons import write_comparisons

from penstock.families.face.pair_file import read_pairs
from penstock.foundation.errors import UsageError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pairs.csv"


def test_pairs_with_identities(file: Path) -> None:
    pairs, owners = read_pairs(write_comparisons(file))
    assert (len(pairs.genuine), len(pairs.impostor)) == (48, 1080)
    assert owners is not None
    assert (owners.pairs.identities, owners.impostors) == (16, 120)


def test_pairs_without(file: Path) -> None:
    pairs, owners = read_pairs(write_comparisons(file, identities=False))
    assert (len(pairs.genuine), owners) == (48, None)


@pytest.mark.parametrize(
    ("content", "place", "what"),
    [
        ("score,same,identity_a\n1,1,a\n", ":1", "there is a column 'identity_a', and its partner is missing"),
        ("score,same\n1,1\n0.5,1\n", "", "there are no impostor pairs (same = 0)"),
        ("score,same\n1,0\n", "", "there are no genuine pairs (same = 1)"),
        (
            "score,same,identity_a,identity_b\n1,1,a,a\n0,0,a,b\n1,1,a,b\n",
            ":4",
            "same is 1, and the identities are 'a' and 'b'",
        ),
        (
            "score,same,identity_a,identity_b\n1,1,a,a\n0,0,a,b\n1,0,b,b\n",
            ":4",
            "same is 0, and the identities are 'b' and 'b'",
        ),
    ],
)
def test_what_does_not_fit_together(file: Path, content: str, place: str, what: str) -> None:
    file.write_text(content)
    with pytest.raises(UsageError) as caught:
        read_pairs(file)
    assert str(caught.value).startswith(f"{file}{place}: {what}")
