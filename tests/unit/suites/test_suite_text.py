"""Cases added to a text that people wrote."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError
from penstock.suites.suite_text import with_cases

TEXT = """\
# made by hand
version: 1
family: matting
cases:
  # the first
  - name: a
    inputs: {image: a.png}  # a portrait
    slices: [hair,
             glass]

  - {name: b, inputs: {image: b.png}, truth: b-matte.png}
# what follows
reference: reference  # for FID
"""
NEW = [{"name": "c", "inputs": {"image": "ü c.png"}, "truth": "c-matte.png"}]
LICENCE = {"licence": "MIT", "origin": "Ann"}


def test_what_stands_there_stays() -> None:
    text = with_cases(TEXT, NEW, {})
    added = "  - name: c\n    inputs: {image: ü c.png}\n    truth: c-matte.png\n"
    head, tail = TEXT[: TEXT.index("# what follows")], TEXT[TEXT.index("# what follows") :]
    assert text == head + added + tail


def test_licences_are_begun_and_go_on() -> None:
    first = with_cases(TEXT, NEW, {"ü c.png": LICENCE})
    assert first.endswith("licences:\n  ü c.png: {licence: MIT, origin: Ann}\n")
    second = yaml.safe_load(with_cases(first, [{"name": "d", "inputs": {"image": "d.png"}}], {"d.png": LICENCE}))
    assert second["licences"] == {"ü c.png": LICENCE, "d.png": LICENCE}
    assert [case["name"] for case in second["cases"]] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("text", ["cases: [{name: a}]\n", "cases:\n- name: a\nlicences: {a: {}}\n", "version: 1\n"])
def test_what_cannot_be_added_to(text: str) -> None:
    with pytest.raises(UsageError):
        with_cases(text, NEW, {"ü c.png": LICENCE})


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
CASES = st.lists(
    st.fixed_dictionaries(
        {"name": WORDS, "inputs": st.dictionaries(WORDS.filter(bool), WORDS, max_size=2)},
        optional={"slices": st.lists(WORDS, max_size=3), "note": st.text("ab \n", max_size=9)},
    ),
    min_size=1,
    max_size=3,
)


@given(CASES, CASES, st.sampled_from([True, False, None]), st.booleans())
def test_it_reads_as_both_together(
    before: list[dict[str, Any]], new: list[dict[str, Any]], flow: bool | None, last: bool
) -> None:
    if flow is None:
        written = yaml.safe_dump({"cases": before}, sort_keys=False, allow_unicode=True, default_flow_style=None)
    else:
        written = "cases:\n" + "".join(_item(one, flow) for one in before)
    text = f"version: 1\n{written}" if last else f"{written}version: 1\n"
    assert yaml.safe_load(with_cases(text, new, {})) == {"version": 1, "cases": before + new}


def _item(case: dict[str, Any], flow: bool) -> str:
    return yaml.safe_dump([case], sort_keys=False, allow_unicode=True, default_flow_style=None if flow else False)
