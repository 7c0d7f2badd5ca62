"""Licences: SPDX where it is, a name where it is not, nothing guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.environment.licences import spdx_expression, stated_licences


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("MIT or (BSD-3-Clause and LicenseRef-Mine)", "MIT OR (BSD-3-Clause AND LicenseRef-Mine)"),
        ("GPL-2.0-or-later WITH Classpath-exception-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0"),
        ("MIT License", None),
        ("", None),
        ("MIT\nOR ISC", None),
        ("(" * 21 + "MIT" + ")" * 21, None),
        ("MIT OR " * 50 + "MIT", None),
        ("__import__('os')", None),
    ],
)
def test_expressions(text: str, expression: str | None) -> None:
    assert spdx_expression(text) == expression


@given(st.text(alphabet=st.sampled_from("() MITandorWITH-2.0+LicenseRef"), max_size=210))
def test_no_text_breaks_it(text: str) -> None:
    found = spdx_expression(text)
    assert found is None or spdx_expression(found) == found


@pytest.mark.parametrize(
    ("expression", "names", "stated"),
    [
        ("mit", ("MIT License",), [("expression", "MIT")]),
        ("", ("ISC",), [("expression", "ISC")]),
        ("", ("MIT", "ISC"), [("name", "MIT"), ("name", "ISC")]),
        ("OpenRAIL", (), [("name", "OpenRAIL")]),
        ("", ("a\x1b", "a\x1b", " "), [("name", r"a\x1b")]),
        ("", (), []),
    ],
)
def test_what_a_component_states(expression: str, names: tuple[str, ...], stated: list[tuple[str, str]]) -> None:
    found = [
        ("expression", each["expression"]) if "expression" in each else ("name", each["license"]["name"])
        for each in stated_licences(expression, names)
    ]
    assert found == stated
