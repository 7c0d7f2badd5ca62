"""What an evaluation keeps, names and refuses; whole ones are in ``tests/unit/cli/test_evaluate.py``."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.evaluation.photo_folders import photo_folders

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import UsageError
from penstock.local_run.evaluation_sides import BASELINE, CANDIDATE, Answering
from penstock.local_run.requested_evaluation import EvaluationRequest, evaluate

pytestmark = pytest.mark.usefixtures("one_worker")


def request(root: Path, out: Path | None, **sides: Answering) -> EvaluationRequest:
    return EvaluationRequest(root / "photos", {"truth": [root / "mattes"]}, sides, out=out)


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def test_nothing_half_made_is_left_of_one_that_was_refused(tmp_path: Path) -> None:
    photo_folders(tmp_path)
    (tmp_path / "new" / "bob.png").unlink()
    (tmp_path / "results").mkdir()
    with pytest.raises(UsageError, match="bob: there is no answer of this name"):
        evaluate(request(tmp_path, tmp_path / "results" / "one", candidate=Answering(tmp_path / "new")), quiet)
    assert not list((tmp_path / "results").iterdir())


@pytest.mark.slow
def test_an_empty_directory_may_be_there_and_a_file_may_not(tmp_path: Path) -> None:
    photo_folders(tmp_path)
    out = tmp_path / "results"
    out.mkdir()
    evaluate(request(tmp_path, out, candidate=Answering(tmp_path / "new")), quiet)
    assert sorted(path.name for path in out.iterdir()) == ["candidate", "index.html"]
    with pytest.raises(UsageError, match="there is something already"):
        evaluate(request(tmp_path, tmp_path / "slices.yaml", candidate=Answering(tmp_path / "new")), quiet)


@pytest.mark.slow
def test_two_folders_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    photo_folders(tmp_path)
    (tmp_path / "before").mkdir()
    (tmp_path / "old").rename(tmp_path / "before" / "new")
    sides = {CANDIDATE: Answering(tmp_path / "new"), BASELINE: Answering(tmp_path / "before" / "new")}
    heard: list[tuple[str, int, int]] = []
    found = evaluate(request(tmp_path, tmp_path / "out", **sides), lambda *what: heard.append(what))
    names = [Bundle(tmp_path / "out" / side).run().run_id for side in (CANDIDATE, BASELINE)]
    assert names == [str(tmp_path / "new"), str(tmp_path / "before" / "new")]
    assert found.about.metrics[0].metric == "mae"
    assert (f"{tmp_path / 'new'}: measured", 3, 3) in heard
