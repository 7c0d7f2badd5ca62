"""What people do with a canary is in the log, and moves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.releases.released_runs import released

from penstock.foundation.errors import UsageError
from penstock.notices.release_notice import act_notice
from penstock.releases.acts import Act, roll_back
from penstock.releases.baseline import current_release
from penstock.releases.canary_log import log_canary_act
from penstock.releases.history import history
from penstock.store.local import LocalStore

URL = "https://git.example.org/acme/mini"


@pytest.mark.slow
def test_it_is_written_and_the_current_release_stays(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    for number, before in enumerate([None, "run-0"]):
        released(tmp_path, store, f"run-{number}", f"1.{number}.0", URL, baseline=before)
    entry = log_canary_act(store, "sonic-lite", "1.1.0", "canary aborted", reason="green faces", by="bob")
    assert (entry.number, entry.run_id, entry.before, entry.by) == (3, "run-1", "1.1.0", "bob")
    roll_back(store, "sonic-lite", reason="flicker", by="ann")
    found = history(store, "sonic-lite")
    assert [move.kind for move in found.moves] == ["published", "published", "canary aborted", "rolled back"]
    assert found.current.current_version == "1.0.0"
    current = current_release(store, "sonic-lite")
    assert current is not None
    assert act_notice(Act(entry, current.baseline)) is None, "people are told what the promotion comes to"


def test_what_is_not_published_has_no_canary(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no version '1\.1\.0' of 'sonic-lite' is published"):
        log_canary_act(LocalStore(tmp_path / "store"), "sonic-lite", "1.1.0", "canary paused", reason="x")
