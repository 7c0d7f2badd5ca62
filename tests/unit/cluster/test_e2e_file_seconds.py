"""What an end-to-end run prints of its times."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e.conftest import pytest_terminal_summary
from tests.e2e.file_seconds import WAYS, seconds_by_file, summary

E2E = Path(__file__).parents[2] / "e2e"


@dataclass(frozen=True)
class Part:
    nodeid: str
    duration: float


PARTS = [
    Part("tests/e2e/test_canary.py::test_one", 40.0),  # setup
    Part("tests/e2e/test_canary.py::test_one", 50.0),
    Part("tests/e2e/test_release.py::test_two[a::b]", 100.0),
    Part("tests/e2e/test_canary.py::test_three", 30.5),
    Part("tests/e2e/test_targets.py::test_four", 9.0),
]


def test_a_files_seconds_are_those_of_all_parts_of_its_tests() -> None:
    assert list(seconds_by_file(PARTS).items()) == [
        ("test_canary", 120.5),
        ("test_release", 100.0),
        ("test_targets", 9.0),
    ]


def test_what_brings_releases_to_users_is_added_up() -> None:
    assert [re.split(r" s  ", line.strip()) for line in summary(PARTS)] == [
        ["120", "test_canary"],
        ["100", "test_release"],
        ["9", "test_targets"],
        ["230", "together"],
        ["130", "from the verdict to users, in 2 files; at most 960"],
    ]


def test_what_brings_a_change_to_peoples_eyes_is_added_up_beside() -> None:
    parts = [*PARTS, Part("tests/e2e/test_pulls.py::test_five", 200.0), Part("tests/e2e/test_nightly.py::test_six", 60)]
    assert [line.strip() for line in summary(parts)[-2:]] == [
        "130 s  from the verdict to users, in 2 files; at most 960",
        "260 s  from a pull request to people's eyes, in 2 files; at most 1200",
    ]


def test_nothing_is_said_of_them_where_none_ran() -> None:
    assert [line.split()[-1] for line in summary(PARTS[2:3])] == ["test_release", "together"]


def test_each_of_them_is_there() -> None:
    assert [name for _, names, _ in WAYS for name in names if not (E2E / f"{name}.py").is_file()] == []


def test_an_end_to_end_run_prints_it(pytestconfig: pytest.Config) -> None:
    """The hook of the tests' conftest.py, with a reporter of pytest's own."""
    told = io.StringIO()
    reporter = pytest.TerminalReporter(pytestconfig, told)
    reporter.stats = {"passed": PARTS[1:3], "": PARTS[:1], "failed": PARTS[3:], "deselected": [object()]}
    pytest_terminal_summary(reporter)
    assert [line.split()[-1] for line in told.getvalue().splitlines()[-5:]] == [
        *("test_canary", "test_release", "test_targets", "together", "960"),
    ]
