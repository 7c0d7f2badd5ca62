"""The encoding of file names, by an image's own environment; the judgement of Python is compared with Python's."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from penstock.environment.locale_of import encoding_fault, stated_locale


@pytest.mark.parametrize(
    ("environment", "severity"),
    [
        ({"LANG": "C.UTF-8"}, None),
        ({"LANG": "zh_CN.utf8"}, None),
        ({"LANG": "POSIX", "LC_ALL": "en_US.UTF-8"}, None),
        ({"LANG": "de_DE.UTF-8@euro"}, None),
        ({}, "warning"),
        ({"LANG": "C"}, "warning"),
        ({"LC_ALL": "POSIX", "LANG": "C.UTF-8"}, "warning"),
        ({"LANG": "zh_CN.GBK", "PYTHONUTF8": "1"}, "warning"),
        ({"LANG": "zh_CN.GBK"}, "error"),
        ({"LANG": "C.UTF-8", "LC_ALL": "en_US.ISO-8859-1"}, "error"),
        ({"LANG": "de_DE"}, "error"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0"}, "error"),
        ({"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "error"),
    ],
)
def test_what_is_wrong(environment: dict[str, str], severity: str | None) -> None:
    found = encoding_fault(environment)
    assert (found and found[0]) == severity


def test_the_first_variable_that_is_set_counts() -> None:
    assert stated_locale({"LANG": "C", "LC_ALL": "", "LC_CTYPE": "C.UTF-8"}) == "LC_CTYPE=C.UTF-8"
    assert stated_locale({}) == ""


@pytest.mark.parametrize(
    ("environment", "encoding"),
    [
        ({}, "utf-8"),
        ({"LC_ALL": "C"}, "utf-8"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0"}, "ascii"),
        ({"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "ascii"),
    ],
)
def test_python_does_as_it_is_said(environment: dict[str, str], encoding: str) -> None:
    words = [sys.executable, "-SE" if not environment else "-S", "-c", "import sys; print(sys.getfilesystemencoding())"]
    said = subprocess.run(words, env={"PATH": os.defpath} | environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == encoding
    assert (encoding_fault(environment) or ("",))[0] == ("warning" if encoding == "utf-8" else "error")
