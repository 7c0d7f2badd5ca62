"""What a run is refused for before anything runs."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, task

from penstock.foundation.errors import UsageError


def test_a_workspace_that_is_not_bound(run):
    ran = run(pipeline(task("a"), workspaces=[{"name": "w"}]))
    assert ran.result.reason == "InvalidWorkspaceBindings"
    with pytest.raises(UsageError, match="there is no directory"):
        run(pipeline(task("a"), workspaces=[{"name": "w"}]), workspaces={"w": ran.directory / "nothing"})
