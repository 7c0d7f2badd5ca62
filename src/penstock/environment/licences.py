"""Licences as packages and contracts state them: SPDX expressions where they are some, else names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock.foundation.errors import one_line

MAX_EXPRESSION = 200
MAX_PARENTHESES = 20


def spdx_expression(text: str) -> str | None:
    """An SPDX expression in its canonical form, ``MIT OR Apache-2.0``; ``None``: the text is none.

    Source: PEP 639 and the list of SPDX, both as ``packaging`` has them.
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    # packaging has Python's own parser read it, which may not be given more than a licence has
    if not 0 < len(text) <= MAX_EXPRESSION or text.count("(") > MAX_PARENTHESES or not text.isprintable():
        return None
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return None


def stated_licences(expression: str, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A component's ``licenses`` in CycloneDX 1.6: one expression, or a list of names; empty: nothing is stated.

    Nothing is guessed: a name that is no SPDX expression stays a name.

    Args:
        expression: what is meant as one, not checked.
        names: what is stated otherwise.
    """
    for text in (expression, *(names if len(names) == 1 else ())):
        if (found := spdx_expression(text)) is not None:
            return [{"expression": found, "acknowledgement": "declared"}]
    plain = dict.fromkeys(one_line(text)[:MAX_EXPRESSION] for text in (expression, *names) if text.strip())
    return [{"license": {"name": name, "acknowledgement": "declared"}} for name in plain]
