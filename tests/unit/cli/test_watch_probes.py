"""``penstock watch`` with probes: real services, the whole command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.unit.evaluation.probed_services import (
    ANSWER,
    ProbedService,
    probed_repository,
    probed_service,
    recorded_bundle,
)
from tests.unit.evaluation.stored_releases import MODEL, committed, stored_release
from tests.unit.watch.made_pairs import made_pairs

from penstock.cli.app import main
from penstock.cli.watch_probes import ReleasesAt, journal_of, probes_of
from penstock.evaluation.released_probes import ReleasedSuites, RepositoryAccess
from penstock.foundation.errors import UsageError
from penstock.store.local import LocalStore
from penstock.store.store import Store
from penstock.targets.canary import CANARY, SINCE, canary_begun
from penstock.watch.probe_journal import ProbeJournal
from penstock.watch.watch_policy import load_watch_policy
from penstock.watch.watcher import CanaryWatch


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probed")
    recorded_bundle(folder / "bundle", probed_repository(folder / "repository"))
    return folder


@pytest.fixture(scope="module")
def stable() -> Iterator[ProbedService]:
    with probed_service() as service:
        yield service


def watch(*arguments: object) -> int:
    return main(["watch", *(str(argument) for argument in arguments)])


def policy_of(base: Path, canary: str, stable: str, more: str = "", **probes: Any) -> Path:
    """Stretches of a second, so that a test sees some of them; what is slow on this machine is no matter."""
    given = {"canary": canary, "stable": stable, "repository": "repository", "every_s": 0.1, **probes}
    text = f"probes: {json.dumps(given)}\nwarm_up_s: 0.0\nstretch_s: 1.0\ntimeout_s: 600.0\n{more}"
    path = base / "watch.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def of_releases(policy: Path) -> Path:
    """The policy, without the one repository."""
    policy.write_text(policy.read_text(encoding="utf-8").replace('"repository": "repository", ', ""), encoding="utf-8")
    return policy


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "probes", "said"),
    [
        ({"fails_each": 1}, {}, "bad: errors of probes"),
        ({"answer": ANSWER | {"text": "Entry"}}, {"recorded": "bundle"}, "bad: answers of probes"),
        ({"answer": "nothing"}, {"recorded": "bundle"}, "bad: answers of probes"),
    ],
)
def test_a_bad_one_is_stopped(
    base: Path,
    stable: ProbedService,
    capsys: pytest.CaptureFixture[str],
    how: dict[str, Any],
    probes: dict[str, Any],
    said: str,
) -> None:
    with probed_service(**how) as canary:
        assert watch(policy_of(base, canary.url, stable.url, **probes), "--follow") == 1
    printed = capsys.readouterr()
    assert printed.out.startswith(said)
    assert "the answer rests on probes" in printed.out
    assert "pairs of probes" in printed.err


@pytest.mark.slow
def test_a_good_one_is_promoted(base: Path, stable: ProbedService, capsys: pytest.CaptureFixture[str]) -> None:
    margins = {"errors": {"harmless": 0.4}, "answers": {"harmless": 0.4}, "latency": {"ratio": 10.0}}
    with probed_service() as canary:
        policy = policy_of(base, canary.url, stable.url, recorded="bundle", journal="probes.jsonl", **margins)
        assert watch(policy, "--follow", "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["decision"], found["used"]) == ("good", ["probes"])
        watch(policy, "--since", found["since"], "--json")  # another watch, of what this one has kept
        assert json.loads(capsys.readouterr().out)["probes"] >= found["probes"] > 8


def test_a_single_look_at_what_was_kept(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = policy_of(base, "http://127.0.0.1:1", "http://127.0.0.1:1", journal="kept.jsonl")
    policy.write_text(policy.read_text(encoding="utf-8").replace("600.0", "7200.0").replace("stretch_s: 1.0", ""))
    since, journal = time.time() - 1210, ProbeJournal(base / "kept.jsonl")
    for one in made_pairs(120, fails=0.3, start=since):
        journal.add(one)
    assert watch(policy, "--since", since) == 1
    assert "bad: errors of probes\n" in capsys.readouterr().out


@pytest.mark.slow
def test_a_release_that_answers_otherwise_than_its_record_is_stopped(
    stable: ProbedService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, repository = LocalStore(tmp_path / "store"), committed(probed_repository(tmp_path / "repository"))
    stored_release(store, tmp_path, repository, "1.0.0")
    with probed_service(answer=ANSWER | {"text": "Entry"}) as canary:
        policy = of_releases(policy_of(tmp_path, canary.url, stable.url, model=MODEL))
        options = [f"--store={store.uri}", "--release=1.0.0", "--param=allow-local=true"]
        assert watch(policy, "--follow", *options) == 1
    assert capsys.readouterr().out.startswith("bad: answers of probes")


def the_pages_analysis() -> tuple[str, dict[str, str]]:
    """Of docs/watch.md: the address that is asked where a policy has ``probes.model``, and result → what it means."""
    page = (Path(__file__).parents[3] / "docs" / "watch.md").read_text(encoding="utf-8")
    block = next(
        one for one in re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S) if "kind: AnalysisTemplate" in one
    )
    metric = yaml.safe_load(block)["spec"]["metrics"][0]
    assert metric["provider"]["web"]["jsonPath"] == "{$.phase}"
    url = re.search(r'^#   url: "(.*version.*)"$', page, re.M)
    assert url is not None
    ends = {metric[f"{end}Condition"].removeprefix("result == ").strip('"'): end for end in ("success", "failure")}
    return url[1], ends


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "end"), [(ANSWER, "success"), (ANSWER | {"text": "Entry"}, "failure")])
def test_an_analysis_of_argo_rollouts_ends_by_the_releases_own_record(
    stable: ProbedService, tmp_path: Path, answer: dict[str, Any], end: str
) -> None:
    """The whole program, asked as the web provider asks: the template's address, its arguments put in; nobody comes."""
    url, ends = the_pages_analysis()
    store, repository = LocalStore(tmp_path / "store"), committed(probed_repository(tmp_path / "repository"))
    stored_release(store, tmp_path, repository, "1.0.0")
    margins = {"errors": {"harmless": 0.4}, "answers": {"harmless": 0.4}, "latency": {"ratio": 10.0}}
    with probed_service(answer=answer) as canary:
        policy = of_releases(policy_of(tmp_path, canary.url, stable.url, model=MODEL, **margins))
        program = (sys.executable, "-c", "import sys; from penstock.cli.app import main; sys.exit(main())", "watch")
        options = (f"--store={store.uri}", "--param=allow-local=true", "--serve=127.0.0.1:0")
        process = subprocess.Popen([*program, str(policy), *options], stderr=subprocess.PIPE, text=True)
        try:
            assert process.stderr is not None
            place = process.stderr.readline().strip().removeprefix("listening on ")
            args = canary_begun("1.0.0")
            asked = url.replace("{{args.since}}", args[SINCE]).replace("{{args.version}}", args[CANARY])
            asked = asked.replace("watch.penstock:8080", place)
            until = time.monotonic() + 60.0
            while (said := httpx.get(asked, trust_env=False, timeout=65).json())["phase"] not in ends:
                assert said["phase"] == "Running", said
                assert time.monotonic() < until, said
                time.sleep(0.2)
        finally:
            process.kill()
            process.wait()
    assert ends[said["phase"]] == end, said
    assert "answers" in [signal["name"] for signal in said["signals"]]


def test_which_release_is_the_canary(base: Path) -> None:
    """A Deployment's watch: of no release yet, then of one that the store lacks, which is no verdict."""
    (base / "store").mkdir(exist_ok=True)
    (base / "empty").mkdir(exist_ok=True)  # an optional secret that is not there
    nowhere = "http://127.0.0.1:1"
    policy = of_releases(policy_of(base, nowhere, nowhere, model=MODEL, journal="one.jsonl"))
    rules = load_watch_policy(policy)
    releases = ReleasesAt(str(base / "store"), None, ("allow-http=true",), (f"basic-auth={base / 'empty'}",))
    with (
        journal_of(rules, policy, growing=True) as journal,
        probes_of(rules, policy, journal, growing=True, clock=time.time, releases=releases) as probes,
    ):
        with pytest.raises(UsageError, match="which release is the canary"):
            probes.choose("")
        probes.choose("9.9.9")
        watch_of = CanaryWatch(rules, None, time.time(), probes.source)
        end = time.monotonic() + 10
        while not (notes := watch_of.look(time.time()).notes):
            assert time.monotonic() < end
            time.sleep(0.01)
        assert "the store has no such release" in notes[0]
        assert watch_of.look(time.time()).phase == "Running"
        with pytest.raises(UsageError, match="another watch"), journal_of(rules, policy, growing=True):
            pass


def test_a_suite_on_s3_is_opened_as_the_store_is(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (base / "store").mkdir(exist_ok=True)
    made: list[RepositoryAccess] = []

    def suites(_store: Store, _model: str, _folder: Path, access: RepositoryAccess, _slice: str) -> Any:
        made.append(access)
        return ReleasedSuites(LocalStore(base / "store"), MODEL, base)

    monkeypatch.setattr("penstock.evaluation.released_probes.ReleasedSuites", suites)
    policy = of_releases(policy_of(base, "http://127.0.0.1:1", "http://127.0.0.1:1", model=MODEL))
    rules, releases = load_watch_policy(policy), ReleasesAt(str(base / "store"), base / "secret")
    with probes_of(rules, policy, ProbeJournal(None), growing=True, clock=time.time, releases=releases):
        pass
    assert made == [RepositoryAccess(store=base / "secret")]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--follow"], "which release is the canary?"),
        (["--follow", "--release=1.0.0", "--param=shards=2"], "'shards=2' means nothing here"),
        (["--follow", "--release=1.0.0", "--workspace=mlflow=/"], "'mlflow' means nothing here"),
        (["--release=1.0.0"], "who asks says which release"),
    ],
)
def test_releases_that_cannot_be_watched(
    base: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    (base / "store").mkdir(exist_ok=True)
    policy = of_releases(policy_of(base, "http://127.0.0.1:1", "http://127.0.0.1:1", model=MODEL))
    assert watch(policy, f"--store={base}/store", *more) == 2
    assert said in capsys.readouterr().err


def test_one_suite_knows_no_releases(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert watch(policy_of(base, "http://127.0.0.1:1", "http://127.0.0.1:1"), "--follow", "--release=1.0.0") == 2
    assert "this policy names one suite, whatever the release" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        (["--since", "1764200000"], "", "a single look has no time to put probes"),
        (["--records", "none.jsonl"], "", "no signal of users' requests is watched"),
        (["--follow"], "signals: {errors: {}}\n", "there is no 'prometheus'"),
    ],
)
def test_what_cannot_be(
    base: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], more: str, said: str
) -> None:
    assert watch(policy_of(base, "http://127.0.0.1:1", "http://127.0.0.1:1", more), *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_repository_that_is_not_there(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = policy_of(base, "http://127.0.0.1:1", "http://127.0.0.1:1", repository="none")
    assert watch(policy, "--follow") == 2
    assert "this is not a directory" in capsys.readouterr().err
