"""What is refused before a released model is run again; runs themselves are in tests/pipeline/test_drift.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.local_run.scheduled_watch import ScheduledWatch, run_again
from penstock.store.local import LocalStore
from penstock.tekton.run_json import OnEvent


def never() -> OnEvent:
    raise AssertionError("a pipeline was run")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"params": ("revision=v2",)}, "'revision' is set by the release"),
        ({"params": ("image=x",)}, "'image' is set by the release"),
        ({"workspaces": ("work=.",)}, "'work' is set by --out"),
        ({}, "no release of 'm' is current"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(
    tmp_path: Path, more: dict[str, tuple[str, ...]], words: str
) -> None:
    watch = ScheduledWatch("m", out=tmp_path / "out", **more)  # type: ignore[arg-type]
    (tmp_path / "store").mkdir()
    with pytest.raises(UsageError, match=words):
        run_again(watch, LocalStore(tmp_path / "store"), listening=never, say=str)  # type: ignore[arg-type]
