"""The cluster, what is installed on it, and the runs that several tests look at.

The runs begin together where that is honest: the large one first, the first release while that one is under way (both
want the one card), everything that needs a released baseline when the first release has ended.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.e2e.api import Api
from tests.e2e.events import Event, Listener
from tests.e2e.facts import Facts, read_facts
from tests.e2e.file_seconds import summary
from tests.e2e.install import NAMESPACE, Installed, Place, install, write_keys
from tests.e2e.joined import Joined
from tests.e2e.local import LocalRun, run_here
from tests.e2e.outside import Outside
from tests.e2e.pods import Pod, Recorder
from tests.e2e.repositories import PARTS, Repository, put_part, put_sonic_lite, put_sonic_scout
from tests.e2e.run import Cluster, Run, remove_old_runs
from tests.e2e.scout import looking_for
from tests.e2e.session import GOOD, HEARD_BY, WORSE, Campaign, Plan, Session, write_result

from penstock.store.open import open_store

TEST_TIMEOUT_S = 3600
BESIDE = {
    "canary": ("test_canary", "test_canary_in_git", "test_probes"),
    "delivery": ("test_admission", "test_one_card", "test_promoted", "test_targets"),
    "merge": ("test_gitea", "test_nightly", "test_pulls", "test_rated", "test_served", "test_suites"),
}
"""Marker → files: canaries, the rest of what comes after the verdict, and what comes before a merge. They ask for no
release of a model, and mostly wait: each marker has a process of its own in ``make e2e``."""
PART_OF = {"cutouts": "rmbg-lite", "faces": "face-lite", "signs": "recognition-lite"}
"""Fixture → the reference model whose releases it gives."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test waits for runs that others look at, too: its limit is that of several runs."""
    for item in items:
        item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S))
        for marker, files in BESIDE.items():
            if item.path.stem in files:
                item.add_marker(marker)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How long each file took, at the end of each run."""
    found = [part for parts in terminalreporter.stats.values() for part in parts if hasattr(part, "duration")]
    terminalreporter.write_sep("=", "seconds a file, with what its tests waited for")
    for line in summary(found):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def facts() -> Facts:
    """Where the cluster is."""
    return read_facts()


@pytest.fixture(scope="session")
def joined() -> Joined | None:
    """The session of the tests beside these, where there are any."""
    return Joined.given()


@pytest.fixture(scope="session")
def session_id(joined: Joined | None) -> str:
    """A name that no other session has: releases, images and products of earlier ones are out of the way."""
    return joined.id if joined else f"{datetime.now(UTC):%m%d-%H%M%S}-{secrets.token_hex(2)}"


@pytest.fixture(scope="session")
def place(facts: Facts, session_id: str) -> Place:
    """This session's own part of the store and of the registry."""
    store, registry = f"s3://{facts.s3.bucket}/e2e-{session_id}", f"{facts.registry}/e2e-{session_id}"
    return Place(store, registry, repositories=(f"{facts.git}/", f"{facts.gitea}/"))


@pytest.fixture(scope="session")
def installed(facts: Facts, place: Place, session_id: str, joined: Joined | None) -> Installed:
    """Penstock, installed on the cluster."""
    if joined:
        return joined.installed
    made = install(facts, place)
    Joined(session_id, made).write()
    return made


@pytest.fixture(scope="session")
def api(facts: Facts, joined: Joined | None) -> Iterator[Api]:
    """The API server, in Penstock's namespace."""
    opened = Api(facts.kubeconfig, NAMESPACE)
    if not joined:
        remove_old_runs(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Writes a line to the terminal, with the time since the beginning."""
    terminal = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    began = time.monotonic()

    def write(text: str) -> None:
        if terminal is not None:
            terminal.write_line(f"    [{time.monotonic() - began:5.0f} s] {text}")

    return write


@pytest.fixture(scope="session")
def recorder(api: Api, installed: Installed, tell: Callable[[str], None]) -> Iterator[Recorder]:
    """Watches the pods, and tells the terminal how they go."""
    began, told = datetime.now(UTC), set[tuple[str, str]]()

    def news(pod: Pod) -> None:
        state = "deleted" if pod.deleted else pod.phase
        if pod.task and pod.created >= began and (pod.uid, state) not in told:
            told.add((pod.uid, state))
            tell(f"{pod.run}: {pod.task}: {state}")

    with Recorder(api, news) as watching:
        yield watching


@pytest.fixture(scope="session")
def session(
    facts: Facts,
    api: Api,
    session_id: str,
    place: Place,
    installed: Installed,
    recorder: Recorder,
    tmp_path_factory: pytest.TempPathFactory,
) -> Session:
    """What every test shares."""
    store = open_store(place.store, write_keys(facts, tmp_path_factory.mktemp("keys")))
    return Session(session_id, place, Cluster(facts, api, recorder, store), installed)


@pytest.fixture(scope="session")
def sonic_lite(facts: Facts, session: Session) -> Repository:
    """The reference model, with its releases."""
    return put_sonic_lite(facts, session.id)


@pytest.fixture(scope="session")
def outside() -> Iterator[Outside]:
    """An address that is neither the cluster's nor private, with somebody listening."""
    with Outside() as place:
        yield place


@pytest.fixture(scope="session")
def sonic_scout(facts: Facts, session: Session, installed: Installed, outside: Outside) -> Repository:
    """The model that looks about where it runs."""
    return put_sonic_scout(facts, session.id, looking_for(facts, installed, outside))


@pytest.fixture(scope="session")
def campaign(
    request: pytest.FixtureRequest,
    facts: Facts,
    session: Session,
    sonic_lite: Repository,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Campaign]:
    """The runs that the collected tests ask for, all under way."""
    wanted = [name for item in request.session.items for name in getattr(item, "fixturenames", ())]
    both = "scout" in wanted
    parts = {asked: put_part(facts, session.id, model) for asked, model in PART_OF.items() if asked in wanted}
    if both:
        repository: Repository = request.getfixturevalue("sonic_scout")

    def first(*large: Run) -> Run:
        for run in large:  # it comes to the card while the large one holds it
            run.wait_for_task("weights")
        return session.release(sonic_lite, GOOD).wait()

    def here() -> dict[str, LocalRun]:
        out = tmp_path_factory.mktemp("here")
        return {tag: run_here(sonic_lite, tag, out) for tag in (GOOD, WORSE)}

    def verified() -> Run:
        """What a push to main starts, by way of a signed event."""
        listener = Listener.find(session.cluster)
        event = Event.load("github-push-main", "push", sonic_lite, sonic_lite.commits[GOOD])
        started = listener.wait_started(listener.send(event, session.installed.webhooks["github"]))
        return Run(session.cluster, started["metadata"]["name"], sonic_lite.model).wait()

    def released(asked: str) -> dict[str, Run]:
        """A model's first release, then the bad ones at once; when these are judged, the better one."""
        repository, part = parts[asked], PARTS[PART_OF[asked]]
        done = {part.first: session.release(repository, part.first).wait()}
        started = {tag: session.release(repository, tag) for tag in part.bad}
        for run in started.values():
            run.wait_for_task("report")
        if part.better:
            started[part.better] = session.release(repository, part.better)
        return done | {tag: run.wait() for tag, run in started.items()}

    plan: Plan = {
        "scout_started": ((), lambda: session.release(repository, GOOD)),
        "scout": (("scout_started",), lambda run: run.wait()),
        "first": (("scout_started",) if both else (), first),
        "worse": (("first",), lambda _: session.release(sonic_lite, WORSE, transcriber=HEARD_BY).wait()),
        "again": (("first",), lambda _: session.release(sonic_lite, GOOD).wait()),
        "sharded": (("first",), lambda _: session.release(sonic_lite, GOOD, shards="2", reuse="false").wait()),
        "verified": ((), verified),
        "here": ((), here),
        "cutouts": (("first",) if "first" in wanted else (), lambda *_: released("cutouts")),
        "faces": (("cutouts",) if "cutouts" in wanted else (), lambda *_: released("faces")),
        # beside the faces: each has the card while its service is under load, so none is under load beside another
        "signs": (("cutouts",) if "cutouts" in wanted else (), lambda *_: released("signs")),
    }
    runs = Campaign(plan)
    for name in plan:
        if name in wanted:
            runs.begin(name)
    runs.when_ended(lambda: Joined(session.id, session.installed, released=True).write())
    yield runs
    found = [run for left in runs.close() for run in (left.values() if isinstance(left, dict) else (left,))]
    ended = {run.name: run for run in found if isinstance(run, Run) and run.manifest}
    write_result("runs", {name: {"seconds": run.seconds, "pods": run.times()} for name, run in ended.items()})


@pytest.fixture(scope="session")
def first(campaign: Campaign) -> Run:
    """The release of v1.0.0, ended; the first one of this session's store."""
    found: Run = campaign["first"]
    return found


@pytest.fixture(scope="session")
def worse(campaign: Campaign) -> Run:
    """The release of v1.1.0 after it, ended."""
    found: Run = campaign["worse"]
    return found


@pytest.fixture(scope="session")
def again(campaign: Campaign) -> Run:
    """v1.0.0 once more, ended."""
    found: Run = campaign["again"]
    return found


@pytest.fixture(scope="session")
def sharded(campaign: Campaign) -> Run:
    """v1.0.0 once more in two shards, everything done anew, ended."""
    found: Run = campaign["sharded"]
    return found


@pytest.fixture(scope="session")
def verified(campaign: Campaign) -> Run:
    """The verification that an event started, ended."""
    found: Run = campaign["verified"]
    return found


@pytest.fixture(scope="session")
def scout(campaign: Campaign) -> Run:
    """The release of the model that looks about, with a long inference, ended."""
    found: Run = campaign["scout"]
    return found


@pytest.fixture(scope="session")
def cutouts(campaign: Campaign) -> dict[str, Run]:
    """Releases of rmbg-lite: tag → the run, ended."""
    found: dict[str, Run] = campaign["cutouts"]
    return found


@pytest.fixture(scope="session")
def faces(campaign: Campaign) -> dict[str, Run]:
    """Releases of face-lite: tag → the run, ended."""
    found: dict[str, Run] = campaign["faces"]
    return found


@pytest.fixture(scope="session")
def signs(campaign: Campaign) -> dict[str, Run]:
    """Releases of recognition-lite: tag → the run, ended."""
    found: dict[str, Run] = campaign["signs"]
    return found


@pytest.fixture(scope="session")
def here(campaign: Campaign) -> dict[str, LocalRun]:
    """Both releases run on this machine without a cluster: tag → what came out."""
    found: dict[str, LocalRun] = campaign["here"]
    return found


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where bundles are fetched to."""
    return tmp_path_factory.mktemp("bundles")
