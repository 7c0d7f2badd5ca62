"""In which encoding the programs of an image name files, by its own environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from penstock.bundle.environment_record import Severity

VARIABLES = ("LC_ALL", "LC_CTYPE", "LANG")
"""The first of them that is set counts (setlocale(3))."""
_UTF8 = re.compile(r"utf-?8\Z", re.IGNORECASE)
_PLAIN = ("", "C", "POSIX")


def stated_locale(environment: Mapping[str, str]) -> str:
    """``LANG=C.UTF-8``; empty: no variable says anything."""
    name = next((name for name in VARIABLES if environment.get(name)), None)
    return "" if name is None else f"{name}={environment[name]}"


def encoding_fault(environment: Mapping[str, str]) -> tuple[Severity, str] | None:
    """What is wrong with it; ``None``: it is UTF-8.

    Without a locale (or with ``C``), Python takes UTF-8 since 3.7 (PEP 538, PEP 540) unless it is told not to; other
    programs take ASCII. So that is a warning.
    """
    stated = stated_locale(environment)
    value = stated.partition("=")[2]
    encoding = value.partition("@")[0].partition(".")[2]
    if _UTF8.match(encoding):
        return None
    if environment.get("PYTHONUTF8") == "1":
        return ("warning", f"{stated or 'no locale'}, and only Python is told to use UTF-8 (PYTHONUTF8=1)")
    if value in _PLAIN:
        told = f"{stated} is ASCII" if value else "the image sets no locale, so that it is ASCII"
        if environment.get("PYTHONUTF8") == "0" and (
            environment.get("PYTHONCOERCECLOCALE") == "0" or stated[:7] == "LC_ALL="
        ):
            return (
                "error",
                f"{told}, and Python is told to keep to it (PYTHONUTF8=0): files cannot be named in Chinese",
            )
        return ("warning", f"{told}: Python takes UTF-8 all the same, other programs cannot name files in Chinese")
    if not encoding:
        return (
            "error",
            f"{stated} names no encoding: most systems take ISO-8859-1, and files cannot be named in Chinese",
        )
    return ("error", f"{stated} is not UTF-8: files that others named in UTF-8 are not found")
