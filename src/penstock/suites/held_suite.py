"""Whether a suite from elsewhere is still what was brought, before a model is put to it."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.models import Run
from penstock.contract.suite_sources import FOLDER, suite_source
from penstock.foundation.errors import UsageError
from penstock.suites.suite_files import digest_of, listed


def hold_provided(run: Run, suite: str, directory: Path) -> None:
    """Check that a suite from elsewhere is still what was brought: checks of the repository have run since.

    Args:
        run: of the bundle, which says what was brought.
        suite: the contract's field of that name.
        directory: the repository's files.

    Raises:
        UsageError: it is another.
    """
    if suite_source(suite) is None:
        return
    if run.suite_from is None or digest_of(listed(directory / FOLDER)) != run.suite_from.files:
        raise UsageError(
            "the suite's files are not those that were brought",
            where=suite,
            todo="Start a new run; if it says so again, a check of the repository changes them.",
        )
