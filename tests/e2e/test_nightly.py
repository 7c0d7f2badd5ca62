"""A branch at night: the CronJob's Job has it verified, and the release book shows it.

One run of the short suite, whose image is there: the branch is what was released. Adds some 60 s.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.e2e.facts import Facts
from tests.e2e.install import write_keys
from tests.e2e.joined import Joined
from tests.e2e.nights import Nights, branch_at_night
from tests.e2e.repositories import Repository
from tests.e2e.run import Run
from tests.e2e.session import GOOD, Session

from penstock.bundle.directory import parse_model
from penstock.bundle.verdict_record import Verdict
from penstock.store.pull_key import pull_key

MAX_RECORD_BYTES = 4 << 20


@pytest.fixture(scope="module")
def said(
    request: pytest.FixtureRequest, session: Session, sonic_lite: Repository, joined: Joined | None
) -> list[dict[str, str]]:
    """What the Job said."""
    if joined is None:  # beside other tests there is a release by now
        request.getfixturevalue("first").must_be_green()
    nights = Nights(session.cluster, session.id)
    with nights.planned({f"main-{session.id}": branch_at_night(session, sonic_lite)}):
        return nights.start("branch")


@pytest.fixture(scope="module")
def run(session: Session, sonic_lite: Repository, said: list[dict[str, str]], tell: Callable[[str], None]) -> Run:
    """The run that it has started, ended."""
    found = Nights(session.cluster, session.id).runs(said, sonic_lite.model)
    assert found.keys() == {f"main-{session.id}"}, said
    ended = found[f"main-{session.id}"].wait()
    tell(f"{ended.name} took {ended.seconds:.0f} s")
    return ended


@pytest.fixture(scope="module")
def book(facts: Facts, session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where ``penstock serve`` shows the session's store."""
    with served_here(session.place.store, write_keys(facts, tmp_path_factory.mktemp("keys"))) as url:
        yield url


@contextmanager
def served_here(store: str, keys: Path) -> Iterator[str]:
    """``penstock serve`` on this machine, as somebody starts it who has the store's keys; ended at the end."""
    program = str(Path(sys.executable).with_name("penstock"))
    command = [program, "serve", "--store", store, "--store-credentials", str(keys), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            where = re.search(r"http://\S+", line)
            assert where is not None, f"the book has not begun: {line}"
            yield where[0]
        finally:
            process.terminate()


def test_the_branch_is_verified(run: Run, sonic_lite: Repository) -> None:
    run.must_be_green()
    assert run.manifest["spec"]["pipelineRef"]["name"] == "verify"
    assert run.results["commit"] == sonic_lite.commits[GOOD], "the branch main"
    assert run.results["verdict"] == "pass"


def test_its_evidence_is_in_the_store_and_names_the_release(run: Run, session: Session) -> None:
    kept = pull_key(run.model, run.name)
    content = session.cluster.store.read(f"{kept}/verdict.json", MAX_RECORD_BYTES)
    verdict = parse_model(content, Verdict, where=kept)
    assert (verdict.verdict, verdict.cases) == ("pass", "smoke")
    assert verdict.baseline
    assert verdict.baseline != run.name
    assert session.cluster.store.size(f"{kept}/report/index.html")


def test_the_book_has_it_among_the_runs(run: Run, sonic_lite: Repository, book: str) -> None:
    page = httpx.get(f"{book}models/{run.model}/runs", timeout=60, trust_env=False)
    assert page.status_code == 200, page.text
    (row,) = [row for row in re.findall(r"<tr>.*?</tr>", page.text, re.DOTALL) if run.name in row]
    words = re.sub(r"<[^>]*>", " ", row).replace(run.name, "").split()
    assert {"accepted", sonic_lite.commits[GOOD][:12], "verify"} <= set(words), words
    assert "pull" not in words, words
    shown = httpx.get(f"{book}models/{run.model}/runs/{run.name}", timeout=60, trust_env=False)
    assert shown.status_code == 200, shown.text
    assert "report/index.html" in shown.text
