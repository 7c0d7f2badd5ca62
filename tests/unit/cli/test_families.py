"""``penstock families``."""

from __future__ import annotations

import json

import pytest

from penstock.cli.app import main
from penstock.cli.families import families
from penstock.families.registry import family_names


def test_every_family_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert families.__doc__
    assert main(["families"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in family_names())
    assert main(["families", "--json"]) == 0
    assert set(family_names()) <= set(str(json.loads(capsys.readouterr().out)).split("'"))
