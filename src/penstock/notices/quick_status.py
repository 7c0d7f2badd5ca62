"""The status of the commit that a run on the track verify was of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure
from penstock.notices.commit_status import CommitStatus
from penstock.notices.notice import NoticeLink
from penstock.notices.quick_notice import quick_state
from penstock.report.old_verdicts import read_verdict

_ADDRESS = re.compile(r"^\S+://\S+: ")
REPORT = "report"
"""The link that a status leads to."""


def run_status(bundle: Bundle, status: str, said: str, links: Sequence[NoticeLink] = ()) -> CommitStatus:
    """The status of a run's commit, however far the run came.

    Args:
        bundle: the run's.
        status: Tekton's aggregate status of the tasks; ``Failed``: it broke.
        said: the headline of a run without a verdict.
        links: the first that is called ``report``, else the first, is where the status leads.
    """
    url = next((link.url for link in links if link.label == REPORT), links[0].url if links else "")
    if bundle.verdict_file.exists() and status != "Failed":
        state, words = quick_state(bundle.run(), read_verdict(bundle))
        return CommitStatus(state, words, url)
    return CommitStatus("error", _fault(bundle, status) or said, url)


def _fault(bundle: Bundle, status: str) -> str:
    """``clone: it cannot be merged …``: the step and its reason alone, because a status has room for one short line."""
    failure = first_failure(bundle) if status == "Failed" else None
    # the repository's address stands above the pull request
    return f"{failure.step}: {_ADDRESS.sub('', failure.error)}" if failure is not None else ""
