"""From a release that waits for ratings to one that is published: whole runs, the book between them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.pipeline.pipeline_runs import PENSTOCK, Penstock, archived, contract, published, release, text
from tests.unit.ratings.made_ratings import prefers
from tests.unit.sources.source_servers import git

from penstock.book.rating_desk import RatingDesk
from penstock.book.shelf import Shelf
from penstock.ratings.records import RATINGS_FILE
from penstock.store.open import open_store

RATERS = [f"rater-{number}" for number in range(5)]


def rate_all(desk: RatingDesk, run: str, rater: str) -> None:
    while (found := desk.next_pair("tiny", run, rater)) is not None:
        assert desk.answer("tiny", run, rater, found.position, prefers(True)(found.turn), "")


def test_a_release_waits_for_ratings_and_is_published_when_they_are_there(released: Penstock, tmp_path: Path) -> None:
    repository = tmp_path / "rated"
    shutil.copytree(released.repository, repository)
    git(repository, "checkout", "-q", "main")
    rules = [*contract()["policy"]["rules"], {"metric": "preference", "min": 0.35, "ratings": 10}]
    release(repository, "v1.0.7", {"penstock.yaml": text(contract(policy={"rules": rules}))})
    words = ["--to", str(repository), "--reason", "a copy", "--store", str(released.out / "store")]
    assert released.ended([PENSTOCK, "store", "transfer", "tiny", *words], "").code == 0
    rated = Penstock(repository, released.out)

    waits = rated.run("v1.0.7", "waits")
    assert waits.code == 3, waits.stderr
    assert "0 of 10 ratings" in waits.stdout
    assert published(released.out) == ["1.0.0"]

    store = open_store(str(released.out / "store"))
    desk = RatingDesk(Shelf(store))
    assert [run.card.run_id for run in desk.waiting("ann")] == ["waits"]
    for rater in RATERS[:2]:
        rate_all(desk, "waits", rater)
    early = rated.run("v1.0.7", "early", "--regate", "waits")
    assert early.code == 3, early.stderr
    assert "4 of 10 ratings" in early.stdout

    for rater in RATERS[2:]:
        rate_all(desk, "waits", rater)
    # the second is judged again, and the ratings are still those of the first
    there = rated.run("v1.0.7", "there", "--regate", "early")
    assert there.code == 0, there.stderr
    assert published(released.out) == ["1.0.0", "1.0.7"]
    evidence = archived(there)
    assert (evidence.path / RATINGS_FILE).exists()
    (rule,) = [rule for rule in evidence.verdict().rules if rule.metric == "preference"]
    assert (rule.verdict, rule.candidate, rule.n) == ("pass", 1.0, 10)
    report = (there.bundle.report / "index.html").read_text(encoding="utf-8")
    assert "5 raters, none disqualified by catch pairs" in report
    assert "rated under the run <bdi>waits</bdi>" in report
    assert RATERS[0] not in report  # people are named by pseudonyms
    assert RatingDesk(Shelf(store)).waiting("ann") == []
