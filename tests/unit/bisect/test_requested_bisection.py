"""What ``penstock bisect`` is asked for."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from tests.pipeline.pipeline_runs import contract, files, text
from tests.unit.sources.source_servers import commit, new_repository

from penstock.bisect.bisection import Watcher
from penstock.bisect.question import Question
from penstock.bisect.requested_bisection import Options, carry_out
from penstock.foundation.errors import PenstockError
from penstock.suites.suite_files import digest_of, listed


@pytest.mark.slow
def test_repository_without_a_contract_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = new_repository(tmp_path / "model")
    first = commit(path, {"a": "1"})
    second = commit(path, {"a": "2"})
    options = Options(repo=str(path), good=first, bad=second, metric="sharpness", out=tmp_path / "out")
    with pytest.raises(PenstockError, match=r"penstock\.yaml"):
        carry_out(options, watching=lambda _: nullcontext(Watcher()))
    assert not list(tmp_path.glob("out/runs/*"))


class AskedError(Exception):
    """The bad commit's suite could be read, and commits would be run now."""


def asked(_question: Question) -> NoReturn:
    raise AskedError


@pytest.mark.slow
def test_the_bad_commits_suite_is_brought_from_elsewhere(tmp_path: Path) -> None:
    path, bound = new_repository(tmp_path / "model"), tmp_path / "bound"
    bound.mkdir()
    for name, content in files().items():
        if name.startswith("suite/"):
            (bound / Path(name).name).write_bytes(content if isinstance(content, bytes) else content.encode())
    address = f"workspace://suite#sha256={digest_of(listed(bound))}"
    first = commit(path, {"penstock.yaml": text(contract(suite=address))})
    second = commit(path, {"a": "2"})
    options = Options(repo=str(path), good=first, bad=second, metric="sharpness", out=tmp_path / "out")
    with pytest.raises(PenstockError, match="binds no suite"):
        carry_out(options, watching=asked)
    with pytest.raises(AskedError):
        carry_out(replace(options, workspaces=(f"suite={bound}",)), watching=asked)
    assert len(list((tmp_path / "out" / "bisect" / "references").glob("*/.penstock/suite/suite.yaml"))) == 1
