"""A repository's own check: where it may write, and who else can reach that."""

from __future__ import annotations

import tempfile
import textwrap
from pathlib import Path

import pytest

from penstock.contract.models import Check
from penstock.invocation import repository_check
from penstock.invocation.repository_check import run_check


@pytest.mark.slow
def test_what_a_check_leaves_is_closed_to_other_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens all directories that it can; those that stand among other users' stay closed."""
    for name in ("source", "logs", "temporary"):
        (tmp_path / name).mkdir()
    text = """
        import os
        scratch = os.path.dirname(os.environ["TMPDIR"])
        open(scratch + "/program", "w").close()
        for path in (os.path.dirname(scratch), scratch, scratch + "/program"):
            try:
                os.chmod(path, 0o755)
            except OSError:
                pass
    """
    (tmp_path / "source" / "check.py").write_text(textwrap.dedent(text), encoding="utf-8")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    seen: list[tuple[int, int]] = []
    discard = repository_check.discard_tree

    def look_and_discard(path: Path) -> None:
        (program,) = path.rglob("program")
        seen.append((path.stat().st_mode & 0o777, program.parent.stat().st_mode & 0o777))
        discard(path)

    monkeypatch.setattr(repository_check, "discard_tree", look_and_discard)
    run_check(Check(name="open", argv=["python", "check.py"]), tmp_path / "source", tmp_path / "logs")
    assert seen == [(0o700, 0o755)]
    assert not list((tmp_path / "temporary").iterdir())
