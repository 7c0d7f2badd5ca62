"""What all tests share."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Penstock is installed compiled, and the tests start it hundreds of times: where this machine's environment forbids to
# keep what was compiled, each of these programs would compile it again
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# a loaded machine is not a fault: speed is shown by `make bench`, never by a test. The same examples each time, so that
# a run says something of the change; `pytest --hypothesis-profile=search` looks for new ones
settings.register_profile("penstock", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("penstock")


# What is imported and collected stays to the end, a million objects. To look through it again and again for garbage, as
# Python does while they grow and at each full collection later, takes longer than many a room's tests
gc.disable()


def pytest_collection_finish() -> None:
    """From here on garbage is collected, but only what the tests themselves make is looked through."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for a process, a time limit or a socket."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real headless Chromium. One for all tests of a process: Playwright does not start a second time in it."""
    from tests.browser.chromium import started_chromium

    with started_chromium() as started:
        yield started
