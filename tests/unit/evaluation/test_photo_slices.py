"""Which photos are in which slice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penstock.evaluation.photo_slices import read_slices
from penstock.foundation.errors import UsageError


def read(tmp_path: Path, text: str) -> dict[str, list[str]]:
    (tmp_path / "slices.yaml").write_text(text, encoding="utf-8")
    return dict(read_slices(tmp_path / "slices.yaml", ["anna", "bob"]))


def test_a_photo_may_be_in_several_slices_and_is_named_with_or_without_its_suffix(tmp_path: Path) -> None:
    assert read(tmp_path, "hair: [anna.jpg, bob, bob]\nshadow: [anna]\n") == {
        "anna": ["hair", "shadow"],
        "bob": ["hair"],
    }


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("- hair\n", "must be a mapping"),
        ("hair: anna\n", r"slices.yaml:1.*must be a list of photos"),
        ("hair: [anna]\nshadow: [bop]\n", r"slices.yaml:2.*there is no photo 'bop'. Did you mean 'bob'"),
        ("hair: [12]\n", "there is no photo '12'. Quote numbers"),
        ("hair: [anna]\n'': [anna]\n", r"slices.yaml:2.*not a slice's name"),
        ("hair: [anna]\n'  ': [anna]\n", r"slices.yaml:2:.*the slice's name '  ' is blank"),
        ('"\\u200b\\u00a0": [anna]\n', r"slices.yaml:1:.*the slice's name '\\u200b\\xa0' is blank"),
        ("hair: [anna]\nempty: []\n", r"slices.yaml:2: empty: the slice has no photos"),
        (f"{'h' * 101}: [anna]\n", "this is not a slice's name"),
    ],
)
def test_faults_have_their_line(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text)
    assert re.search(match, str(caught.value)), str(caught.value)
