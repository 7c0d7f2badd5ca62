"""A release that waits for people: they rate it blind in the deployed book, a run over its outputs publishes it.

The candidate is the release that the model's own rules stop, as a commit and by a policy that asks people. Its image,
outputs and measurements are those that the session has made, so that neither run needs the card.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from tests.e2e.evidence import current_elsewhere
from tests.e2e.facts import Facts
from tests.e2e.first_link import Book, book_of, wait_until_open
from tests.e2e.install import write_keys
from tests.e2e.joined import Joined
from tests.e2e.pulls import until
from tests.e2e.raters import Pair, Rater, by_liking, careless
from tests.e2e.repositories import RATED_POLICY, Repository
from tests.e2e.run import Run
from tests.e2e.session import WORSE, Session

from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.models import Manifest
from penstock.ratings.records import RATINGS_FILE, CountedRatings
from penstock.ratings.status import rating_status
from penstock.releases.baseline import baseline
from penstock.store.archive import fetch, run_key
from penstock.store.open import open_store
from penstock.store.store import Store

MODEL, WANTED = "sonic-lite", 10
CAREFUL = [Rater(f"{name}@example.org") for name in ("ann", "bea", "cal", "dee", "eli")]
"""To pass, it takes five."""
CARELESS = Rater("fay@example.org")


@dataclass(frozen=True)
class Stage:
    """A release that waits, beside one that is current, in a store of its own; and the book of that store."""

    session: Session
    store: Store
    released: str
    """The run of the current release."""
    book: Book
    waits: Run
    evidence: Bundle
    """Of the run that waits: its records alone."""

    @property
    def page(self) -> str:
        """The run's, for readers."""
        return f"/models/{MODEL}/runs/{self.waits.name}"

    @property
    def home(self) -> str:
        """Where the run is rated."""
        return f"/rate/{MODEL}/{self.waits.name}"

    def answers(self) -> dict[str, str | None]:
        """Key → SHA-256 of all that raters have said."""
        found = self.store.list(f"ratings/{MODEL}/{self.waits.name}/answers")
        return {entry.key: self.store.digest(entry.key) for entry in found}


@pytest.fixture(scope="module")
def stage(
    request: pytest.FixtureRequest,
    facts: Facts,
    session: Session,
    sonic_lite: Repository,
    joined: Joined | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """Its run has ended. Beside other tests the first release has been made by now."""
    if joined is None:
        request.getfixturevalue("first").must_be_green()
    folder = tmp_path_factory.mktemp("rated")
    store = open_store(f"{session.place.store}-rated", write_keys(facts, folder / "keys"))
    current = current_elsewhere(session.cluster.store, MODEL, store, folder, address=sonic_lite.url)
    tokens = "".join(rater.line for rater in (*CAREFUL, CARELESS))
    with book_of(session, store.uri, raters=tokens) as book:
        # as a commit: the image's tag of the version is what other tests look for
        run = session.release(sonic_lite, sonic_lite.commits[WORSE], store=store.uri, policy=RATED_POLICY)
        wait_until_open(session)
        run.wait().must_be_red()
        evidence = fetch(store, MODEL, run.name, folder / "waits", only=("run.json", "verdict.json"))
        made = Stage(session, store, current.run_id, book, run, evidence)
        until(lambda: book.get(made.page).is_success or None, f"{made.page} in the book", timeout_s=60)
        yield made


@pytest.fixture(scope="module")
def seen(stage: Stage) -> dict[str, list[Pair]]:
    """What each rater saw, all at once, of whom one does not look: every answer is given."""
    files = read_model(stage.evidence.manifest_file, Manifest).files
    look = by_liking({digest for name, digest in files.items() if name.startswith("outputs/")})
    with ThreadPoolExecutor() as all_of_them:
        given = {
            rater.name: all_of_them.submit(
                rater.rate, stage.book.url, stage.home, careless if rater is CARELESS else look
            )
            for rater in (CARELESS, *CAREFUL)
        }
    return {name: future.result() for name, future in given.items()}


@pytest.fixture(scope="module")
def again(stage: Stage, seen: dict[str, list[Pair]], facts: Facts) -> Run:
    """The run over its outputs, typed as docs/operations.md says; ended."""
    words = ["pipeline", "start", "release", "--use-pipelinerun", stage.waits.name]
    words += ["--param", f"regate={stage.waits.name}", "--output", "name"]
    said = facts.tkn("--namespace", stage.session.cluster.namespace, *words)
    return Run(stage.session.cluster, said.strip().splitlines()[-1].rpartition("/")[2], MODEL).wait()


@pytest.fixture(scope="module")
def published(stage: Stage, again: Run, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    again.must_be_green()
    return fetch(
        stage.store,
        MODEL,
        again.name,
        tmp_path_factory.mktemp("again"),
        only=("run.json", "verdict.json", "invocations.jsonl", RATINGS_FILE, "report/index.html"),
    )


def ratings_of(pairs: list[Pair]) -> int:
    return sum(not pair.is_catch for pair in pairs)


def test_a_release_waits_for_people_and_nothing_is_published(stage: Stage) -> None:
    assert stage.waits.results["verdict"] == "inconclusive"
    assert f"0 of {WANTED} ratings" in stage.waits.results["reason"]
    ended = [item for pod in stage.waits.pods("enforce") for item in pod.containers if not item.init]
    assert {item.exit_code for item in ended} == {3}
    assert "publish" in stage.waits.skipped
    verdict = stage.evidence.verdict()
    assert verdict.baseline == stage.released
    assert {rule.metric: rule.verdict for rule in verdict.rules} == {"size_error": "pass", "preference": "inconclusive"}
    current = baseline(stage.store, MODEL)
    assert current is not None
    assert current.run_id == stage.released


def test_raters_open_the_ratings_alone_and_readers_everything_else(stage: Stage) -> None:
    assert "inconclusive" in stage.book.get(stage.page).text
    assert [stage.book.get(place).status_code for place in ("/rate", stage.home)] == [401, 401]
    with CAREFUL[0].opened(stage.book.url) as browser:
        assert [browser.get(place).status_code for place in ("/", stage.page)] == [401, 401]
        assert f'href="{stage.home}"' in browser.get("/rate").text


def test_nothing_of_a_page_tells_which_is_which(stage: Stage, seen: dict[str, list[Pair]]) -> None:
    """Neither names the released run, nor its version; both clips come with the same headers but for their lengths."""
    for pair in (pair for pairs in seen.values() for pair in pairs):
        assert stage.released not in pair.page
        assert "1.0.0" not in pair.page
        left, right = (
            {name: value for name, value in clip.headers.items() if name not in ("content-length", "date")}
            for clip in pair.clips.values()
        )
        assert left == right
        assert "etag" not in left


def test_an_answer_counts_once_and_a_form_for_its_rater_alone(stage: Stage, seen: dict[str, list[Pair]]) -> None:
    before = stage.answers()
    assert len(before) == sum(map(len, seen.values()))
    ann, bea = CAREFUL[:2]
    for rater, forms, status in ((ann, ann, 200), (bea, ann, 403)):
        with rater.opened(stage.book.url) as browser:
            for answer in ("left", "same", "right"):
                sent = browser.post(stage.home, data=seen[forms.name][0].form | {"answer": answer})
                assert sent.status_code == status
                assert ("the first answer stays" in sent.text) is (status == 200)
    assert stage.answers() == before


def test_it_is_counted_who_looked(stage: Stage, seen: dict[str, list[Pair]]) -> None:
    """As ``penstock rate status`` shows it."""
    found = rating_status(stage.store, MODEL, stage.waits.name)
    states = {rater.rater: rater.state for rater in found.counted.raters}
    assert states == dict.fromkeys((rater.name for rater in CAREFUL), "counts") | {CARELESS.name: "disqualified"}
    assert found.counted.count.counted == sum(ratings_of(seen[rater.name]) for rater in CAREFUL) >= WANTED
    assert found.enough


def test_a_new_run_over_its_outputs_is_published(stage: Stage, again: Run, published: Bundle) -> None:
    assert set(again.skipped) == {"infer"}
    assert again.results["verdict"] == "pass"
    run = published.run()
    assert (run.regated_from, run.image) == (stage.waits.name, stage.evidence.run().image)
    current = baseline(stage.store, MODEL)
    assert current is not None
    assert (current.run_id, current.image) == (again.name, run.image)


def test_its_evidence_has_what_people_said(stage: Stage, seen: dict[str, list[Pair]], published: Bundle) -> None:
    counted = sum(ratings_of(seen[rater.name]) for rater in CAREFUL)
    (rule,) = (rule for rule in published.verdict().rules if rule.metric == "preference")
    # they liked the candidate's clips, on whichever side these were
    assert (rule.verdict, rule.candidate, rule.n) == ("pass", 1.0, counted)
    record = read_model(published.path / RATINGS_FILE, CountedRatings)
    assert (record.rated_run, record.baseline) == (stage.waits.name, stage.released)
    assert (record.count.raters, record.count.disqualified, record.broken) == (len(CAREFUL), 1, [])
    report = (published.report / "index.html").read_text(encoding="utf-8")
    assert stage.waits.name in report
    assert not [rater.name for rater in CAREFUL if rater.name in report], "raters have pseudonyms there"
    assert stage.store.size(f"{run_key(MODEL, stage.waits.name)}/{RATINGS_FILE}") is not None


def test_raters_are_not_asked_any_more(stage: Stage, published: Bundle) -> None:
    def gone() -> bool | None:
        with CAREFUL[0].opened(stage.book.url) as browser:
            return stage.home not in browser.get("/rate").text or None

    until(gone, "the run to be no more among those that wait", timeout_s=60)
