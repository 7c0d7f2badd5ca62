"""The store of a cluster: two releases at once, a run judged again, a name that is taken, the platform's floor."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.facts import Facts
from tests.e2e.install import apply, write_keys
from tests.e2e.repositories import Repository
from tests.e2e.run import Run
from tests.e2e.session import GOOD, Session

from penstock.releases.baseline import baseline
from penstock.releases.metric_history import past_releases
from penstock.store.archive import fetch
from penstock.store.open import open_store
from penstock.store.store import Store

MODEL = "sonic-lite"


@pytest.fixture(scope="module")
def twice(session: Session, facts: Facts, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that nothing was released into."""
    return open_store(f"{session.place.store}-twice", write_keys(facts, tmp_path_factory.mktemp("keys")))


def test_two_releases_at_once_end_with_one_chain(
    session: Session, sonic_lite: Repository, first: Run, twice: Store, tmp_path: Path
) -> None:
    """The same commit as a tag and as itself: two versions, each fit to be the first release."""
    first.must_be_green()
    own = {"store": twice.uri, "registry": f"{session.place.registry}-twice"}
    started = [session.release(sonic_lite, revision, **own) for revision in (GOOD, sonic_lite.commits[GOOD])]
    runs = [run.wait() for run in started]
    late = [run for run in runs if not run.green]
    assert len(late) <= 1, "\n".join(run.explain() for run in late)
    for run in late:
        assert "nothing was published: the released model is" in run.log("publish")
        assert f"tkn pipeline start release --use-pipelinerun {run.name} --param regate={run.name}" in run.log(
            "publish"
        )
        asked = next(item["value"] for item in run.manifest["spec"]["params"] if item["name"] == "revision")
        again = session.release(sonic_lite, asked, regate=run.name, **own).wait().must_be_green()
        assert set(again.skipped) == {"infer"}
        record = fetch(twice, MODEL, again.name, tmp_path / again.name, only=("run.json",)).run()
        assert record.regated_from == run.name
    history = past_releases(twice, MODEL, baseline(twice, MODEL))
    assert history.note == ""
    assert {release.version for release in history.releases} == {"1.0.0", f"0.0.0+{sonic_lite.commits[GOOD][:12]}"}
    assert list(twice.list("probes")) == []


def test_a_run_is_judged_again_from_the_store(session: Session, facts: Facts, first: Run, bundles: Path) -> None:
    """As the step publish would tell people to type it."""
    first.must_be_green()
    words = ["pipeline", "start", "release", "--use-pipelinerun", first.name, "--param", f"regate={first.name}"]
    said = facts.tkn("--namespace", session.cluster.namespace, *words, "--output", "name")
    again = Run(session.cluster, said.strip().splitlines()[-1].rpartition("/")[2], MODEL).wait().must_be_green()
    assert set(again.skipped) == {"infer"}
    ours, theirs = again.bundle(bundles / "judged-again"), first.bundle(bundles / "judged-first")
    assert (ours.run().regated_from, ours.run().image) == (first.name, theirs.run().image)
    assert ours.invocations() == theirs.invocations()
    assert ours.verdict().baseline == first.name


@pytest.fixture
def stranger(facts: Facts, session: Session, sonic_lite: Repository) -> Iterator[Repository]:
    """Another repository that says it is sonic-lite."""
    place = sonic_lite.path.with_name(f"stranger-{session.id}.git")
    shutil.copytree(sonic_lite.path, place)
    yield Repository(MODEL, f"{facts.git}/{place.name}", place, sonic_lite.commits)
    shutil.rmtree(place)


def test_another_repository_under_the_same_name_is_refused(
    session: Session, stranger: Repository, first: Run, bundles: Path
) -> None:
    first.must_be_green()
    refused = session.release(stranger, GOOD).wait().must_be_red()
    assert "the name 'sonic-lite' belongs to the repository" in refused.log("weights")
    assert refused.task_runs("infer") == []
    assert list(session.cluster.store.list(f"runs/{MODEL}/{refused.name}")) == []


def test_the_floor_of_the_platform_is_judged_as_well(
    session: Session, facts: Facts, sonic_lite: Repository, first: Run, bundles: Path
) -> None:
    first.must_be_green()
    name = f"floor-{session.id}"
    content = "min_cases: 9999\nrules:\n  - {metric: latency, max: 3600}\n"
    floor = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    apply(facts, [floor | {"data": {"policy-floor.yaml": content}}])
    rejected = session.release(sonic_lite, GOOD, floor=name).wait().must_be_red()
    assert rejected.results["verdict"] == "fail"
    assert "a rule of the platform's floor" in rejected.results["reason"]
    evidence = rejected.bundle(bundles / "floor")
    assert evidence.verdict().rules[-1].origin == "floor"
    assert (evidence.path / "policy-floor.yaml").read_text(encoding="utf-8") == content
