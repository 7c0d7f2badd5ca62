"""``penstock schema``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.unit.cli.contract_commands import app, runner

from penstock.foundation.errors import UsageError


@pytest.mark.slow
def test_schema(tmp_path: Path) -> None:
    titles = []
    for option in ([], ["--suite"], ["--policy"]):
        result = runner.invoke(app, ["schema", *option])
        content = json.loads(result.stdout)
        Draft202012Validator.check_schema(content)
        titles.append(content["title"])
    assert titles == ["penstock.yaml", "suite.yaml", "policy"]
    assert isinstance(runner.invoke(app, ["schema", "--suite", "--policy"]).exception, UsageError)
