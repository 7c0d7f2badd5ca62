"""``penstock calibrate``: real runs of a tiny model, finished bundles, and what a person sees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pipeline.pipeline_runs import PENSTOCK, Penstock, ctrl_c, tiny_repository

from penstock.bundle.directory import Bundle
from penstock.cli.app import main
from penstock.gating.calibration import read_calibration
from penstock.local_run.calibration_runs import calibration_run


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, at a path with a space and a letter that is not ASCII. Tests only read it."""
    return tiny_repository(tmp_path_factory.mktemp("modelle") / "größe 1" / "tiny model")


@pytest.fixture(scope="module")
def calibrated(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two runs of the tiny model, from the command line."""
    out = tmp_path_factory.mktemp("calibrated")
    arguments = [PENSTOCK, "calibrate", "--repo", str(repository), "--revision", "v1.0.0", "--runs", "2"]
    arguments += ["--out", str(out / "runs"), "--file", str(out / "noise.json")]
    ended = Penstock(repository, out).ended(arguments, "")
    assert ended.code == 0, ended.stderr
    return ended


def bundles(calibrated: Any) -> list[Path]:
    return sorted((calibrated.out / "runs" / "runs").glob("calibrate-*/bundle"))


def test_runs_are_real_and_the_figures_are_theirs(calibrated: Any) -> None:
    calibration = read_calibration(calibrated.out / "noise.json")
    latency = [[call.latency_s for call in Bundle(bundle).invocations()] for bundle in bundles(calibrated)]
    assert len({tuple(run) for run in latency}) == 2, "the model did not run again"
    noise = calibration.of("latency", None)
    assert noise is not None
    assert noise.noise > 0
    assert noise.mean == pytest.approx(sum(map(sum, latency)) / 4)
    sharpness = calibration.of("sharpness", None)
    assert sharpness is not None
    assert sharpness.deterministic
    assert sharpness.smallest_change == 0
    assert calibration.of("latency", "smoke") is not None
    assert calibration.measured_on.model == "tiny"
    assert calibration.measured_on.cases == 2
    assert calibration.measured_on.commit == Bundle(bundles(calibrated)[0]).run().source.commit  # type: ignore[union-attr]
    assert calibration.measured_on.machine is not None
    assert calibration.runs == [Bundle(bundle).run().run_id for bundle in bundles(calibrated)]


def test_nothing_is_gated_archived_or_published(calibrated: Any) -> None:
    assert not (calibrated.out / "runs" / "store").exists()
    for bundle in bundles(calibrated):
        run = Bundle(bundle).run()
        assert run.track == "calibrate"
        assert {step.name for step in run.steps} == {"clone", "weights", "build", "plan", "infer", "collect", "measure"}
        assert not (bundle / "verdict.json").exists()
        assert not (bundle / "manifest.json").exists()


def test_a_person_sees_a_table_and_what_to_mind(calibrated: Any) -> None:
    assert "smallest change" in calibrated.stdout
    assert "sharpness" in calibrated.stdout
    assert "any change at all is one of the model: " in calibrated.stdout
    assert "2 runs show a standard deviation only roughly" in calibrated.stdout
    assert calibrated.stdout.rstrip().endswith("noise.json")
    assert "run 2 of 2" in calibrated.stderr


def test_the_same_command_takes_the_finished_runs_and_json_is_the_file(calibrated: Any, repository: Path) -> None:
    before = [(bundle / "run.json").stat().st_mtime_ns for bundle in bundles(calibrated)]
    arguments = [PENSTOCK, "calibrate", "--repo", str(repository), "--revision", "v1.0.0", "--runs", "2"]
    arguments += ["--out", str(calibrated.out / "runs"), "--file", str(calibrated.out / "again.json"), "--json"]
    again = Penstock(repository, calibrated.out).ended(arguments, "")
    assert again.code == 0, again.stderr
    assert again.stderr.count("done before") == 2
    assert json.loads(again.stdout) == json.loads((calibrated.out / "again.json").read_text(encoding="utf-8"))
    assert [(bundle / "run.json").stat().st_mtime_ns for bundle in bundles(calibrated)] == before


def test_finished_bundles_give_the_same_figures(
    calibrated: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [word for bundle in bundles(calibrated) for word in ("--bundle", str(bundle))]
    assert main(["calibrate", *arguments, "--file", str(tmp_path / "c.json"), "--json"]) == 0
    assert (
        json.loads(capsys.readouterr().out)["metrics"]
        == json.loads((calibrated.out / "noise.json").read_text(encoding="utf-8"))["metrics"]
    )
    # a run's directory holds its bundle
    folders = [word for bundle in bundles(calibrated) for word in ("--bundle", str(bundle.parent))]
    assert main(["calibrate", *folders, "--file", str(tmp_path / "d.json")]) == 0
    assert read_calibration(tmp_path / "d.json").metrics == read_calibration(tmp_path / "c.json").metrics


def test_broken_off_it_goes_on(repository: Path, tmp_path: Path, calibrated: Any) -> None:
    shutil.copytree(calibrated.out / "runs", tmp_path / "runs")
    arguments = [PENSTOCK, "calibrate", "--repo", str(repository), "--revision", "v1.0.0", "--runs", "3"]
    arguments += ["--out", str(tmp_path / "runs"), "--file", str(tmp_path / "noise.json")]
    penstock = Penstock(repository, tmp_path)
    broken = penstock.signalled(arguments, "", "build: done", ctrl_c)
    assert broken.code == 130
    assert "Go on with: penstock calibrate" in broken.stderr
    assert not (tmp_path / "noise.json").exists()
    ended = penstock.ended(arguments, "")
    assert ended.code == 0, ended.stderr
    assert ended.stderr.count("done before (") == 2
    assert "build: done before" in ended.stderr
    assert len(read_calibration(tmp_path / "noise.json").runs) == 3


def bare(path: Path, *values: float) -> Path:
    lines = [{"case": f"case-{index}", "metric": "our_score", "value": value} for index, value in enumerate(values)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_bare_measurements_of_a_metric_that_penstock_never_heard_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = bare(tmp_path / "one.jsonl", 1, 2), bare(tmp_path / "two.jsonl", 1.5, 2.25)
    policy = tmp_path / "policy.yaml"
    rules = [
        {"metric": "our_score", "direction": "lower", "margin": 0.01},
        {"metric": "our_score", "direction": "lower", "margin": "120%"},
    ]
    policy.write_text(yaml.safe_dump({"level": 0.1, "rules": rules}), encoding="utf-8")
    file = tmp_path / "noise.json"
    command = ["calibrate", "--bundle", str(one), "--bundle", str(two), "--policy", str(policy), "--file", str(file)]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert shown.count("warning: ") == 1
    assert "the margin of 'our_score' (0.01)" in shown
    calibration = read_calibration(file)
    assert calibration.level == 0.1
    assert calibration.runs == [str(one), str(two)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--repo is missing"),
        (["--repo", "x"], "--revision is missing"),
        (["--bundle", "one.jsonl"], "one run has no noise"),
        (["--bundle", "one.jsonl", "--bundle", "one.jsonl"], "the run 'one.jsonl' is there twice"),
        (["--bundle", "one.jsonl", "--repo", "x"], "--repo belongs to runs"),
        (["--bundle", "one.jsonl", "--bundle", "nothing"], "the file is missing"),
        (["--bundle", "one.jsonl", "--bundle", "."], "measurements.jsonl"),
        (["--repo", "x", "--revision", "y", "--param", "reuse=true"], "'reuse' is set by the calibration"),
        (["--repo", "x", "--revision", "y", "--workspace", "work=."], "'work' is set by --out"),
        (["--bundle", "one.jsonl", "--level", "0.7"], "0.7 is not a level"),
        (["--bundle", "one.jsonl", "--file", "."], "this is a directory"),
    ],
)
def test_bad_usage_is_one_message(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    bare(Path("one.jsonl"), 1, 2)
    assert main(["calibrate", *words]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("error: ") == 1
    assert not Path("calibration.json").exists()


def test_bundles_of_two_releases_are_refused(
    calibrated: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(bundles(calibrated)[0], other)
    bundle = Bundle(other)
    run = bundle.run()
    assert run.source is not None
    changed = run.source.model_copy(update={"commit": "0" * 40})
    bundle.update_run(run.model_copy(update={"run_id": "other", "source": changed}))
    arguments = ["--bundle", str(bundles(calibrated)[1]), "--bundle", str(other)]
    assert main(["calibrate", *arguments, "--file", str(tmp_path / "c.json")]) == 2
    assert f"the commit is {'0' * 40} in other" in capsys.readouterr().err
    assert not (tmp_path / "c.json").exists()


def test_a_model_that_fails_is_the_worlds_fault_and_says_how_to_go_on(
    repository: Path, tmp_path: Path, calibrated: Any
) -> None:
    shutil.copytree(calibrated.out / "runs" / "cache", tmp_path / "runs" / "cache")
    arguments = [PENSTOCK, "calibrate", "--repo", str(repository), "--revision", "v1.3.0", "--runs", "2"]
    ended = Penstock(repository, tmp_path).ended([*arguments, "--out", str(tmp_path / "runs")], "")
    assert ended.code == 4, ended.stderr
    assert "Go on with: penstock calibrate" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "run 1 of 2" in ended.stderr
    assert not (tmp_path / "calibration.json").exists()


def test_the_pipeline_is_penstocks_own_up_to_measure() -> None:
    spec = calibration_run("x")["spec"]["pipelineSpec"]
    names = [task["name"] for task in spec["tasks"]]
    assert names == ["clone", "weights", "build", "plan", "export", "infer", "collect", "measure"]
    assert "finally" not in spec
    defaults = {param["name"]: param.get("default") for param in spec["params"]}
    assert defaults["slice"] == "", "the whole suite"
    assert {name for name, default in defaults.items() if default is None} == {"url", "revision"}
