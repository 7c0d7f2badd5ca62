"""``penstock init``, ``check`` and ``schema``, called as a shell calls them."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from penstock.cli.check import check
from penstock.cli.init import init as init_command
from penstock.cli.schema import schema

runner = CliRunner()
app = typer.Typer()
for command in (init_command, check, schema):
    app.command()(command)
PNG = b"\x89PNG\r\n\x1a\n and so on"
WAV = b"RIFF\x24\0\0\0WAVEfmt "


def init(directory: Path, *more: str) -> str:
    result = runner.invoke(app, ["init", "--family", "talking-head", str(directory), *more], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout
