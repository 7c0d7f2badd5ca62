"""``penstock suite digest``, ``push`` and ``fetch``, and what then reads the suite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.suites.repository import case, write_repository
from typer.testing import CliRunner, Result

from penstock.cli.app import application
from penstock.foundation.errors import UsageError
from penstock.suites.suite_files import digest_of, listed

runner = CliRunner()
app = application(["suite"])


def call(*arguments: str) -> Result:
    return runner.invoke(app, ["suite", *arguments])


@pytest.fixture
def moved(tmp_path: Path) -> tuple[Path, Path, str]:
    """A repository, its suite, which lies beside it, and that one's digest."""
    root = write_repository(tmp_path / "model", [case("a"), case("b", "picture-1.png")])
    suite = (root / "suite").rename(tmp_path / "assets")
    digest = call("digest", str(suite)).stdout.strip()
    contract = root / "penstock.yaml"
    contract.write_text(contract.read_text().replace("suite: suite", f"suite: workspace://suite#sha256={digest}"))
    return root, suite, digest


def test_a_suite_that_was_brought_is_linted_like_any_other(moved: tuple[Path, Path, str], tmp_path: Path) -> None:
    root, suite, digest = moved
    assert digest == digest_of(listed(suite))
    missing = call("lint", str(root))
    assert isinstance(missing.exception, UsageError)
    assert "not here yet" in str(missing.exception)
    brought = call("fetch", str(root), "--from", str(suite), "--out", str(tmp_path / "runs"))
    assert brought.stdout == f"brought workspace://suite#sha256={digest}, files sha256:{digest}\n"
    assert call("lint", str(root)).stdout.endswith("2 cases, 2 files: 0 faults, 1 warning\n")
    again = call("fetch", str(root), "--out", str(tmp_path / "runs"), "--json")
    assert json.loads(again.stdout) == {"address": f"workspace://suite#sha256={digest}", "files": digest}


def test_cases_are_added_where_the_suite_lies(moved: tuple[Path, Path, str], tmp_path: Path) -> None:
    root, suite, _ = moved
    assert call("fetch", str(root), "--from", str(suite), "--out", str(tmp_path / "runs")).exit_code == 0
    refused = call("add", str(suite / "picture-2.png"), "--repository", str(root))
    assert "does not lie in this repository" in str(refused.exception)


def test_what_is_refused(moved: tuple[Path, Path, str], tmp_path: Path) -> None:
    _, suite, digest = moved
    assert json.loads(call("digest", str(suite), "--json").stdout) == {"sha256": digest, "files": 9}
    own = write_repository(tmp_path / "own", [case("a")])
    assert "the suite lies in the repository" in str(call("fetch", str(own)).exception)
    assert "not a place for a suite" in str(call("push", str(suite), "ftp://example.org").exception)
