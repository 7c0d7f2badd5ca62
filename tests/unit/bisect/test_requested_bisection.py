"""What ``penstock bisect`` is asked for."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from tests.unit.sources.source_servers import commit, new_repository

from penstock.bisect.bisection import Watcher
from penstock.bisect.requested_bisection import Options, carry_out
from penstock.foundation.errors import PenstockError


@pytest.mark.slow
def test_repository_without_a_contract_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = new_repository(tmp_path / "model")
    first = commit(path, {"a": "1"})
    second = commit(path, {"a": "2"})
    options = Options(repo=str(path), good=first, bad=second, metric="sharpness", out=tmp_path / "out")
    with pytest.raises(PenstockError, match=r"penstock\.yaml"):
        carry_out(options, watching=lambda _: nullcontext(Watcher()))
    assert not list(tmp_path.glob("out/runs/*"))
