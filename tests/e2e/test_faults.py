"""What goes wrong on a real cluster: lost pods, a registry and an S3 server that are away, a full volume.

Each run ends as a success that was tried again, or red with a cause that a person understands; the store holds no half
of anything. All runs are under way at the same time, on what the first release has left in the caches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cluster.settings import Settings
from tests.e2e import faults
from tests.e2e.faults import Where
from tests.e2e.faults_servers import REGISTRY_PORTS, S3, Registry
from tests.e2e.install import CLAIM, apply, claim, secret, store_keys
from tests.e2e.repositories import Repository
from tests.e2e.run import Run
from tests.e2e.session import GOOD, Campaign, Plan, Session, write_result
from tests.e2e.test_same_verdict import differences, rule_differences

from penstock.store.open import open_store
from penstock.store.store import Store

TASKS = (
    "clone",
    "check",
    "weights",
    "build",
    "plan",
    "infer",
    "collect",
    "measure",
    "gate",
    "report",
    "archive",
    "publish",
)
FINALLY = ("notify", "enforce")
AT_WORK = ("build", "infer", "measure")
"""Steps that take long enough to be met at their work."""
FORCED = ("gate", "report")
SMALL_CLASS, SMALL_CLAIM = "penstock-small", "penstock-full"
OUTAGE_SECRET = "penstock-store-faults"


@dataclass(frozen=True)
class Harm:
    """One run with what was done to it."""

    run: Run
    where: Where
    store: Store


@pytest.fixture(scope="module")
def cluster_settings() -> Settings:
    return Settings.from_environment()


@pytest.fixture(scope="module")
def s3(cluster_settings: Settings) -> Iterator[S3]:
    """The S3 server that goes down."""
    server = S3.start(cluster_settings)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def registries(cluster_settings: Settings) -> Iterator[list[Registry]]:
    """The registries that go down: one comes back, one does not."""
    servers = [Registry.start(cluster_settings, port) for port in REGISTRY_PORTS]
    yield servers
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def small_claim(session: Session) -> Iterator[str]:
    """A volume with room for the repository, not for an image."""
    facts = session.cluster.facts

    def remove() -> None:
        here = ("--namespace", session.cluster.namespace, "--ignore-not-found")
        # a claim is in use as long as there are pods with it, also ended ones
        runs = ("pipelinerun", "--selector", f"{faults.CLAIM_LABEL}={SMALL_CLAIM}")
        facts.kubectl("delete", *runs, "--cascade=foreground", *here)
        facts.kubectl("delete", "persistentvolumeclaim", SMALL_CLAIM, *here)

    remove()  # of a session that was killed: there is one such volume
    apply(facts, [claim(SMALL_CLAIM, size="32Mi", storage_class=SMALL_CLASS)])
    yield SMALL_CLAIM
    remove()


@pytest.fixture(scope="module")
def harmed(
    s3: S3,
    registries: list[Registry],
    small_claim: str,
    session: Session,
    sonic_lite: Repository,
    first: Run,
    tmp_path_factory: pytest.TempPathFactory,
    tell: Callable[[str], None],
) -> Iterator[Campaign]:
    """All runs, under way."""
    first.must_be_green()
    cluster, place = session.cluster, session.place

    def start(name: str, where: Where, **params: str) -> Run:
        return faults.release(cluster, sonic_lite, GOOD, where, f"{name}-{session.id}", **params)

    def own(name: str, *, at: str = CLAIM, registry: str = "") -> Where:
        """A part of the store and of the registry for one run, so that nothing was released there before."""
        return Where(f"{place.store}-{name}", registry or f"{place.registry}-{name}", at)

    def of(where: Where, run: Run) -> Harm:
        keys = tmp_path_factory.mktemp("keys")
        for key, value in store_keys(cluster.facts).items():
            (keys / key).write_text(value, encoding="utf-8")
        return Harm(run.wait(), where, open_store(where.store, keys))

    def lost() -> Harm:
        where = own("lost")
        run = start("lost", where, reuse="false")
        faults.lose_pods(run, (*TASKS, *FINALLY), at_work=AT_WORK, forced=FORCED)
        return of(where, run)

    def besieged() -> Harm:
        """One task never gets to its end."""
        where = own("besieged")
        run = start("besieged", where)
        faults.lose_all_pods(run, "build")
        return of(where, run)

    def outage() -> Harm:
        """The registry goes away during the push, the S3 server during the archive; each comes back."""
        registry, access = registries[0], s3.access
        where = Where(f"s3://{access.bucket}/outage", registry.address, CLAIM, OUTAGE_SECRET)
        keys = {
            "AWS_ACCESS_KEY_ID": access.access_key,
            "AWS_SECRET_ACCESS_KEY": access.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": access.endpoint,
        }
        apply(cluster.facts, [secret(OUTAGE_SECRET, keys)])
        run = start("outage", where)
        run.wait_for_pod("build")
        registry.wait_for_an_upload(timeout_s=3000)
        registry.kill()
        tell(f"{run.name}: the registry is away")
        faults.wait_for_log(run, "build", "the registry cannot be reached: pushing again")
        registry.start_again()
        run.wait_for_task("archive")
        s3.wait_for_an_upload(f"outage/runs/{sonic_lite.model}/{run.name}", timeout_s=300)
        s3.kill()
        tell(f"{run.name}: the S3 server is away")
        faults.wait_for_failed_pods(run, "archive")
        s3.start_again()
        folder = tmp_path_factory.mktemp("outage-keys")
        for key, value in keys.items():
            (folder / key).write_text(value, encoding="utf-8")
        return Harm(run.wait(), where, open_store(where.store, folder))

    def cut_off() -> Harm:
        """The registry goes away during the push, and stays away."""
        where = own("cut-off", registry=registries[1].address)
        run = start("cut-off", where)
        run.wait_for_pod("build")
        registries[1].wait_for_an_upload(timeout_s=3000)
        registries[1].kill()
        return of(where, run)

    def full() -> Harm:
        where = own("full", at=small_claim)
        return of(where, start("full", where))

    plan: Plan = {name: ((), function) for name, function in _named(lost, besieged, outage, cut_off, full).items()}
    campaign = Campaign(plan)
    for name in plan:
        campaign.begin(name)
    yield campaign
    ended = [harm.run for harm in campaign.close()]
    write_result("faults", {run.name: {"seconds": run.seconds, "ended": run.message} for run in ended})


def _named(*functions: Callable[[], Harm]) -> dict[str, Callable[[], Harm]]:
    return {function.__name__: function for function in functions}


def cause(run: Run) -> str:
    """What ``tkn pr describe`` says of a red run, in one line."""
    described = " ".join(run.must_be_red().describe().split())
    said = str(run.results.get("summary", ""))
    assert said, f"the run says nothing of its end: {described}"
    assert " ".join(said.split()) in described
    return said


def test_a_run_that_loses_each_pod_once_ends_well(harmed: Campaign) -> None:
    run: Run = harmed["lost"].run.must_be_green()
    assert run.results["verdict"] == "pass"
    every = (*TASKS, "enforce")
    assert {task: faults.tries(run, task) >= 2 for task in every} == dict.fromkeys(every, True)
    # a pod that ends when it is told to is a failed try; one that is gone at once is made anew within the same try
    assert all(faults.retries(run, task) <= 1 for task in every)
    assert any(faults.retries(run, task) for task in every)


def test_a_lost_message_turns_no_run_red(harmed: Campaign) -> None:
    """Whether people are told changes nothing about how a run ends."""
    run: Run = harmed["lost"].run.must_be_green()
    (first_pod, *_) = run.pods("notify")
    assert first_pod.deleted


def test_its_measurements_and_its_verdict_are_those_of_a_calm_run(
    harmed: Campaign, first: Run, bundles: Path, tmp_path: Path
) -> None:
    run: Run = harmed["lost"].run
    ours = faults.fetch(harmed["lost"].store, run.model, run.name, tmp_path)
    calm = first.bundle(bundles / "calm")
    assert differences(ours.measurements(), calm.measurements()) == []
    assert ours.verdict().verdict == calm.verdict().verdict == "pass"
    assert rule_differences(ours.verdict().rules, calm.verdict().rules) == []


@pytest.mark.parametrize("name", ["lost", "outage"])
def test_one_release_came_of_it_and_the_store_is_whole(name: str, harmed: Campaign, tmp_path: Path) -> None:
    harm: Harm = harmed[name]
    assert faults.archived(harm.store, harm.run.model) == [harm.run.name]
    assert faults.published(harm.store, harm.run.model) == [f"published/{harm.run.model}/1.0.0.json"]
    assert faults.unsound(harm.store, harm.run.model, tmp_path) == []


@pytest.mark.parametrize("name", ["besieged", "cut_off", "full"])
def test_nothing_came_of_a_run_that_broke(name: str, harmed: Campaign, tmp_path: Path) -> None:
    harm: Harm = harmed[name]
    harm.run.must_be_red()
    assert list(harm.store.list("")) == []
    assert faults.unsound(harm.store, harm.run.model, tmp_path) == []


def test_a_registry_and_an_s3_server_that_come_back_are_waited_for(harmed: Campaign) -> None:
    run: Run = harmed["outage"].run.must_be_green()
    assert "the registry cannot be reached: pushing again" in run.log("build")
    assert "S3 cannot be reached" in run.log("archive")
    assert 1 <= faults.retries(run, "archive") <= 2
    assert run.results["verdict"] == "pass"


def test_a_task_whose_pods_are_all_lost_is_red_and_says_so(harmed: Campaign) -> None:
    """In the step's own words, if it had the time for them; else in those of the message."""
    run: Run = harmed["besieged"].run
    said = cause(run)
    assert "broke in the step build" in said or "The last step that finished was 'weights'" in said
    assert "pod was deleted or evicted" in said
    assert faults.tries(run, "build") >= 2


def test_a_registry_that_stays_away_is_named(harmed: Campaign) -> None:
    run: Run = harmed["cut_off"].run
    said = cause(run)
    assert "broke in the step build" in said
    assert "the image cannot be pushed: the registry cannot be reached" in said
    assert "Check that the registry runs" in said
    assert faults.retries(run, "build") == 1


def test_a_full_volume_is_named(harmed: Campaign) -> None:
    said = cause(harmed["full"].run)
    assert "broke in the step build" in said
    assert "no space is left on the disk. Free space, or use a larger volume, and run it again." in said


def test_an_unsound_store_is_seen(harmed: Campaign, tmp_path: Path) -> None:
    """Take a file of the evidence, then the evidence: both are missed."""
    harm: Harm = harmed["lost"]
    model, run = harm.run.model, harm.run.name
    store = open_store(tmp_path / "store")
    for number, entry in enumerate(harm.store.list("")):
        copy = tmp_path / f"object-{number}"
        store.put_file(entry.key, copy, harm.store.get_file(entry.key, copy))
    assert faults.unsound(store, model, tmp_path / "whole") == []
    (tmp_path / "store" / "runs" / model / run / "verdict.json").unlink()
    (torn,) = (fault for fault in faults.unsound(store, model, tmp_path / "torn") if fault.startswith("runs/"))
    assert "verdict.json" in torn
    (tmp_path / "store" / "runs" / model / run / "manifest.json").unlink()
    (unarchived,) = faults.unsound(store, model, tmp_path / "gone")
    assert "is not archived" in unarchived
