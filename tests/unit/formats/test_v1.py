"""What version 0.1.0 wrote, read with the code of today: tests/fixtures/formats/README.md says what it is."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.verdict_record import RuleResult
from penstock.cli.app import main
from penstock.contract.floor import load_floor
from penstock.contract.load import load_contract, load_policy, load_suite
from penstock.contract.policy import Margin
from penstock.foundation.files import sha256_file
from penstock.gating.calibration import read_calibration
from penstock.metrics.frechet_statistics import distances, read_statistics
from penstock.releases.baseline import current_release, owner, published, release_of
from penstock.releases.kept_drift import compare_and_keep
from penstock.releases.metric_history import past_releases
from penstock.releases.watched_release import begin_watched, find_watched
from penstock.report.page import write_report
from penstock.store.archive import fetch
from penstock.store.open import open_store
from penstock.store.store import Store

V1 = Path(__file__).parents[2] / "fixtures" / "formats" / "v1"
MODEL = "tiny-portrait"
RUNS = ("first", "second")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store. Tests only read it."""
    folder = tmp_path_factory.mktemp("v1") / "store"
    with tarfile.open(V1 / "store.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def store(unpacked: Path) -> Store:
    return open_store(unpacked)


def bundle_path(unpacked: Path, run: str) -> Path:
    return unpacked / "runs" / MODEL / run


@pytest.fixture
def first(unpacked: Path) -> Bundle:
    return Bundle(bundle_path(unpacked, "first"))


@pytest.fixture
def second(unpacked: Path) -> Bundle:
    return Bundle(bundle_path(unpacked, "second"))


def test_bundles_are_what_they_were(first: Bundle, second: Bundle) -> None:
    assert len(first.verify().files) == 17
    assert len(second.verify().files) == 21


def test_what_ran(second: Bundle) -> None:
    run = second.run()
    assert (run.run_id, run.model, run.family, run.penstock) == ("second", MODEL, "talking-head", "0.1.0")
    assert run.source is not None
    assert run.source.version == "1.1.0"
    assert run.suite is not None
    assert run.suite.cases == 3
    assert run.parameters == {"steps": 10}
    assert sorted(run.extractors) == ["frechet", "lipsync"]
    assert run.inference is not None
    assert [shard.cases for shard in run.inference.shards] == [3]
    assert run.inference.shards[0].isolation is not None
    assert run.inference.shards[0].isolation.level == "namespaces"
    assert {step.status for step in run.steps} == {"done"}


def test_calls_and_values(second: Bundle) -> None:
    calls = second.invocations()
    assert [(call.case, call.status, call.output) for call in calls] == [
        (case, "ok", f"outputs/{case}/output.mp4") for case in ("one", "two", "three")
    ]
    assert all(call.started for call in calls)
    values = {(found.metric, found.case): found for found in second.measurements()}
    assert values["lse_d", "one"].value == pytest.approx(10.6, abs=1)
    assert values["sharpness", "one"].slices == ["pair"]
    fid = values["fid", "*"]
    assert fid.value == pytest.approx(65.034, abs=5e-4)
    assert fid.resamples is not None
    assert (fid.resamples.cases, len(fid.resamples.values)) == (3, 1000)


@pytest.mark.parametrize("run", RUNS)
def test_a_verdict_reads_and_comes_out_the_same(unpacked: Path, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Judged again by the same policy, each number is that of the verdict that was archived."""
    path = bundle_path(unpacked, run)
    then = Bundle(path).verdict()
    assert then.verdict == "pass"
    assert [rule.metric for rule in then.rules][:6] == ["duration_error", "sharpness", "lse_d", "fid", "kid", "lse_c"]
    assert then.rules[5].waived
    arguments = ["gate", "--candidate", str(path), "--policy", str(V1 / "repository" / "penstock.yaml"), "--json"]
    if run == "second":
        assert then.floor is not None
        arguments += ["--baseline", str(path / "baseline"), "--policy-floor", str(path / "policy-floor.yaml")]
    assert main(arguments) == 0
    now = json.loads(capsys.readouterr().out)
    assert now["verdict"] == then.verdict
    assert now["baseline"] == then.baseline
    again = [RuleResult.model_validate(rule) for rule in now["rules"]]
    assert len(again) == (8 if run == "second" else 6)
    for before, after in zip(then.rules, again, strict=True):
        words = {"reason": "", "limit": ""}
        kept = before.model_fields_set
        assert after.model_copy(update=words).model_dump(include=kept) == before.model_copy(update=words).model_dump(
            include=kept
        )


def test_gate_counts_the_calibration(unpacked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--candidate", str(bundle_path(unpacked, "second")), "--baseline", str(bundle_path(unpacked, "first"))]
    assert main(["gate", *arguments, "--policy", str(V1 / "policy.yaml"), "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert [rule["verdict"] for rule in verdict["rules"]] == ["pass"] * 4
    assert verdict["rules"][2]["slice"] == "pair"
    assert verdict["rules"][2]["change"] == pytest.approx(79.7, abs=0.05)


def test_compare(unpacked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sides = [str(bundle_path(unpacked, run)) for run in RUNS]
    assert main(["compare", *sides, "--out", str(tmp_path / "page"), "--json"]) == 0
    found = {change["metric"]: change for change in json.loads(capsys.readouterr().out)["metrics"]}
    assert found["fid"]["change"] == pytest.approx(0.272, abs=5e-4)
    assert found["fid"]["interval"] is not None
    assert found["lse_c"]["n"] == 3
    assert "tiny-portrait" in (tmp_path / "page" / "index.html").read_text(encoding="utf-8")


def test_comment_and_open(second: Bundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["comment", "--bundle", str(second.path), "--github", "example/tiny#1", "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("<!-- penstock: tiny-portrait release -->\n")
    assert "LSE-D" in text
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert main(["open", str(second.path)]) == 0
    assert capsys.readouterr().out == f"{second.report / 'index.html'}\n"


def test_report(second: Bundle, tmp_path: Path) -> None:
    copy = Bundle(tmp_path / "copy")
    shutil.copytree(second.path, copy.path, ignore=shutil.ignore_patterns("report"))
    write_report(copy, Bundle(copy.path / "baseline"))
    page = (copy.report / "index.html").read_text(encoding="utf-8")
    assert "1.1.0" in page
    assert "three" in page


def test_the_current_release(store: Store) -> None:
    current = current_release(store, MODEL)
    assert current is not None
    assert (current.baseline.version, current.baseline.run_id) == ("1.1.0", "second")
    assert owner(store, current.baseline) == "git.example.org/new/tiny-portrait"
    assert current.baseline.transfer is not None
    assert current.baseline.transfer.number == 1
    release = release_of(store, current.baseline)
    assert (release.replaces, release.weights[0].bytes) == ("first", 17)
    older = published(store, MODEL, "1.0.0")
    assert older is not None
    assert (older.run_id, older.replaces) == ("first", None)


def test_the_archive(store: Store, tmp_path: Path) -> None:
    current = current_release(store, MODEL)
    assert current is not None
    bundle = fetch(store, MODEL, "second", tmp_path / "second")
    assert sha256_file(bundle.manifest_file) == current.baseline.manifest_sha256
    history = past_releases(store, MODEL, current.baseline)
    assert [release.version for release in history.releases] == ["1.0.0", "1.1.0"]


def test_contract_and_suite_that_ran() -> None:
    contract = load_contract(V1 / "repository")
    assert (contract.name, contract.family) == (MODEL, "talking-head")
    assert contract.policy.waivers[0].metric == "lse_c"
    suite = load_suite(V1 / "repository", contract)
    assert [case.name for case in suite.cases] == ["one", "two", "three"]
    assert suite.cases[0].face_box == (0.25, 0.15, 0.5, 0.5)
    assert suite.cases[1].parameters == {"steps": 12}
    assert suite.reference == "reference"


def test_check_finds_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(V1 / "repository", tmp_path / "repository")
    assert main(["check", str(tmp_path / "repository")]) == 0
    assert "error" not in capsys.readouterr().err


def test_contract_with_every_field_of_a_service() -> None:
    contract = load_contract(V1 / "contracts" / "service")
    assert contract.build.target == "run"
    assert contract.build.args == {"CUDA": "12.4"}
    call, http = contract.call, contract.call.http
    assert http is not None
    assert (http.method, http.path, http.ready, http.ready_timeout_s) == ("PUT", "/generate", "/ready", 60.0)
    assert http.files == {"image": "image", "audio": "audio"}
    assert http.fields == {"steps": "{steps}", "scale": 1.5, "keep": True, "plain": "{{kept}}"}
    assert (call.warmup, call.env, call.python) == (2, {"MODE": "release"}, ".venv")
    assert call.network == ["weights.example.org", "10.0.0.1:8080"]
    assert {role: file.source for role, file in contract.extractor_files.items()} == {
        "lipsync": "s3://weights/syncnet.onnx",
        "frechet": "https://example.org/i",
    }


def test_contract_through_a_preset() -> None:
    call = load_contract(V1 / "contracts" / "sonic").call
    assert call.http is not None
    assert (call.http.method, call.http.path, call.http.response) == ("POST", "/generate", "video/mp4")
    assert call.http.files == {"image": "image", "audio": "audio"}


def test_policy_with_every_field() -> None:
    policy = load_policy(V1 / "policies" / "every-field.yaml")
    assert (policy.level, policy.isolation, policy.baseline) == (0.04, "landlock", "rerun")
    assert policy.calibration == "../calibration.json"
    assert [rule.margin for rule in policy.rules] == [
        Margin(amount=0.05, relative=True),
        Margin(amount=0.005),
        Margin(amount=5, noise=True),
        Margin(amount=0.05, relative=True),
        Margin(amount=5, noise=True),
    ]
    assert (policy.rules[0].max, policy.rules[0].worst) == (9.0, 12.0)
    assert (policy.rules[1].slice, policy.rules[1].direction, policy.rules[1].severity) == ("hair", "higher", "warn")
    assert [(waiver.metric, waiver.slice) for waiver in policy.waivers] == [("iou", "hair"), ("latency", None)]


def test_floor() -> None:
    floor = load_floor(V1 / "policy-floor.yaml")
    assert floor.min_cases == 2
    assert [rule.min_cases for rule in floor.rules] == [None, 3]


def test_calibration() -> None:
    calibration = read_calibration(V1 / "calibration.json")
    noise = {(found.metric, found.slice): found for found in calibration.metrics}
    assert noise["latency", "pair"].cases == 2
    assert noise["latency", None].runs == 2
    assert calibration.measured_on.model == MODEL
    count = calibration.margin("latency", None, 2.0, {None})
    assert count == pytest.approx(2 * noise["latency", None].noise)


def test_statistics_of_pictures() -> None:
    pictures = read_statistics(V1 / "pictures.npz")
    assert pictures.n == 4
    assert (pictures.extractor or "").startswith("portrait-features@sha256:")
    fid, kid = distances(pictures, pictures)
    assert fid == pytest.approx(0.0, abs=1e-6)
    assert kid is not None


def test_a_release_of_then_is_compared_with_a_new_run(unpacked: Path, tmp_path: Path) -> None:
    """Rules have their bounds, and no numbers of them: values are compared, times are held to nothing."""
    shutil.copytree(unpacked, tmp_path / "store")
    store, again = open_store(tmp_path / "store"), Bundle(tmp_path / "again")
    watched = find_watched(store, MODEL, tmp_path / "evidence")
    begin_watched(watched, again, run_id="drift-1")
    then = watched.evidence.run()
    again.update_run(then.model_copy(update={"run_id": "drift-1", "track": "watch"}))
    again.write_measurements(watched.evidence.measurements())
    drift, _ = compare_and_keep(store, watched.evidence, again)
    assert (drift.outcome, drift.version, drift.released_run) == ("same", "1.1.0", "second")
    assert {rule.state for rule in drift.rules} <= {"same", "not run"}
    moved = [
        found.model_copy(update={"value": found.value + 1.0}) if found.metric == "lse_d" and found.value else found
        for found in watched.evidence.measurements()
    ]
    other = Bundle(tmp_path / "other")
    begin_watched(watched, other, run_id="drift-2")
    other.update_run(then.model_copy(update={"run_id": "drift-2", "track": "watch"}))
    other.write_measurements(moved)
    drift, _ = compare_and_keep(store, watched.evidence, other)
    assert drift.outcome in ("values", "conditions")
    assert {rule.metric for rule in drift.rules if rule.state in ("moved", "open")} == {"lse_d"}
