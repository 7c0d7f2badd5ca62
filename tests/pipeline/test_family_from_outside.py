"""A family that another distribution brings is like one of ours: installed, listed, checked, released, scored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle

FAMILY = Path(__file__).parents[1] / "fixtures" / "sketch-family"
PENSTOCK = str(Path(sys.executable).parent / "penstock")
MODEL = """
import shutil, sys
shutil.copyfile(sys.argv[1], sys.argv[2])
"""
DARKER = """
import cv2, sys
cv2.imwrite(sys.argv[2], cv2.subtract(cv2.imread(sys.argv[1]), round(255 * {ink})))
"""
COMPARED = [{"metric": "drawn_anew", "worst": 0.1}, {"metric": "most_anew", "max": 0.1}]
CONTRACT = {
    "version": 1,
    "name": "copier",
    "family": "sketch",
    "call": {"command": {"argv": ["python", "sketch.py", "{picture}", "{output}"], "output": ".png"}},
    "suite": "suite",
    "policy": {
        "rules": [
            {"metric": "likeness", "min": 0.99},
            {"metric": "variety", "min": 0.01},
            *COMPARED,
            {"metric": "latency", "max": 60},
        ]
    },
}
SUITE = {
    "version": 1,
    "family": "sketch",
    "cases": [{"name": f"case-{n}", "inputs": {"picture": f"{n}.png"}, "paper": 1.0} for n in range(3)],
}
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def penstock(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``penstock`` where the other distribution is installed."""
    place = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("family") / "source"
    subprocess.run(["cp", "-r", str(FAMILY), str(source)], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", str(place), str(source)], check=True)

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(place)}
        command = [PENSTOCK, *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def picture(value: int) -> bytes:
    done, data = cv2.imencode(".png", np.full((16, 16, 3), value, np.uint8))
    assert done
    return data.tobytes()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that gives a picture back as it is."""
    repository = new_repository(tmp_path_factory.mktemp("models") / "copier")
    files: dict[str, str | bytes] = {
        "penstock.yaml": yaml.safe_dump(CONTRACT),
        "suite/suite.yaml": yaml.safe_dump(SUITE),
        "sketch.py": MODEL,
    }
    commit(repository, files | {f"suite/{n}.png": picture(60 * n) for n in range(3)}, "copy")
    git(repository, "tag", "v1.0.0")
    for version, ink, baseline in (("v1.1.0", 0.05, "stored"), ("v1.2.0", 0.2, "stored"), ("v1.2.1", 0.2, "rerun")):
        policy = {"baseline": baseline, "rules": COMPARED}
        changed = {"penstock.yaml": yaml.safe_dump(CONTRACT | {"policy": policy}), "sketch.py": DARKER.format(ink=ink)}
        commit(repository, changed, f"darker by {ink}")
        git(repository, "tag", version)
    return repository


def test_it_is_listed_and_has_commands(penstock: Run, tmp_path: Path) -> None:
    listed = json.loads(penstock("families", "--json").stdout)
    assert [(family["name"], family["built_in"]) for family in listed] == [
        ("talking-head", True),
        ("matting", True),
        ("face", True),
        ("recognition", True),
        ("sketch", False),
    ]
    assert penstock("init", "--family", "sketch", tmp_path / "new").returncode == 0
    assert "family: sketch" in (tmp_path / "new" / "penstock.yaml").read_text()
    (tmp_path / "grey.png").write_bytes(picture(51))
    assert penstock("score", "ink", tmp_path / "grey.png").stdout == "0.800\n"


def test_a_release_of_it_is_judged_and_published(penstock: Run, repository: Path, tmp_path: Path) -> None:
    run = ("run", "release", "--repo", repository, "--revision", "v1.0.0", "--out", tmp_path, "--name", "first")
    ended = penstock(*run)
    assert ended.returncode == 0, ended.stderr
    bundle = Bundle(tmp_path / "runs" / "first" / "bundle")
    values = {(line.case, line.metric): line.value for line in bundle.measurements()}
    assert values["case-0", "likeness"] == 1.0
    assert values["*", "variety"] == pytest.approx(np.std([1 - 60 * n / 255 for n in range(3)]))
    assert values["case-0", "latency"] is not None
    verdict = bundle.verdict()
    assert (verdict.verdict, [rule.metric for rule in verdict.rules]) == (
        "pass",
        ["likeness", "variety", "drawn_anew", "most_anew", "latency"],
    )
    page = (bundle.path / "report" / "index.html").read_text(encoding="utf-8")
    assert "How much it looks like the picture" in page
    compared = [rule for rule in verdict.rules if rule.metric in ("drawn_anew", "most_anew")]
    assert [(rule.not_compared, rule.candidate) for rule in compared] == [("rule", None)] * 2, "the first release"
    assert ("*", "most_anew", None, False) in {(m.case, m.metric, m.value, m.applies) for m in bundle.measurements()}


def test_metrics_that_compare_see_the_released_models_answers(penstock: Run, repository: Path, tmp_path: Path) -> None:
    def released(version: str, name: str) -> tuple[int, Bundle]:
        ended = penstock(
            "run", "release", "--repo", repository, "--revision", version, "--out", tmp_path, "--name", name
        )
        return ended.returncode, Bundle(tmp_path / "runs" / name / "bundle")

    assert released("v1.0.0", "first")[0] == 0
    for version, name, code, most in (
        ("v1.2.0", "stored", 1, 0.2),
        ("v1.2.1", "rerun", 1, 0.2),
        ("v1.1.0", "good", 0, 0.05),
    ):
        ended, bundle = released(version, name)
        assert ended == code, name
        values = {(line.case, line.metric): line.value for line in bundle.measurements()}
        assert values["case-0", "drawn_anew"] == 0.0, "black stays black"
        assert values["case-1", "drawn_anew"] == pytest.approx(most, abs=0.003)
        assert values["*", "most_anew"] == pytest.approx(most, abs=0.003)
        assert bundle.run().compared_with == "first"
        assert [rule.verdict for rule in bundle.verdict().rules] == ["pass" if code == 0 else "fail"] * 2


def test_faults_are_told_as_of_ours(penstock: Run, repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "suite").mkdir(parents=True)
    cases = [{"name": "a", "inputs": {"picture": "speech.wav"}, "papper": 1}]
    (folder / "penstock.yaml").write_text(yaml.safe_dump(CONTRACT | {"call": {"preset": "drawn", "http": {}}}))
    (folder / "suite" / "suite.yaml").write_text(yaml.safe_dump(SUITE | {"cases": cases}))
    told = penstock("check", folder)
    assert told.returncode == 2
    assert "call.preset: must be 'sonic' or 'rmbg' or 'face-ood' or 'wanwu' or 'draw' or 'cog'" in told.stdout
    assert "Did you mean 'draw'?" in told.stdout
    assert "unknown field 'papper'. Did you mean 'paper'?" in told.stdout


def test_a_family_that_is_not_installed_is_named(repository: Path) -> None:
    told = subprocess.run([PENSTOCK, "check", str(repository)], capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "family: must be 'talking-head' or 'matting'" in told.stdout
