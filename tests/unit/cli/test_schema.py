"""``penstock schema``."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from penstock.cli.check import check
from penstock.cli.init import init as init_command
from penstock.cli.schema import schema
from penstock.foundation.errors import UsageError

runner = CliRunner()
app = typer.Typer()
for command in (init_command, check, schema):
    app.command()(command)


def test_schema(tmp_path: Path) -> None:
    titles = []
    for option in ([], ["--suite"], ["--policy"]):
        result = runner.invoke(app, ["schema", *option])
        content = json.loads(result.stdout)
        Draft202012Validator.check_schema(content)
        titles.append(content["title"])
    assert titles == ["penstock.yaml", "suite.yaml", "policy"]
    assert isinstance(runner.invoke(app, ["schema", "--suite", "--policy"]).exception, UsageError)
