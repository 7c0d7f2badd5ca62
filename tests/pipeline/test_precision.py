"""What networks compute in, through whole releases: asked for by the policy, then followed.

Where it is not followed: ``test_measured_again.py``.
"""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.pipeline_runs import Penstock, contract, files, one_message, release, text, video
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.models import Run
from penstock.extractors.precision import why_no_bf16

NETWORK = {"frechet": "portrait-features"}


def repository(directory: Path) -> Path:
    """v1.0.0 whose policy asks for OpenVINO in f32, v1.0.1 whose policy asks for nothing."""
    made = new_repository(directory)
    rules = [{"metric": "kid", "max": 10.0, "margin": 5.0}]
    suite = files()["suite/suite.yaml"]
    assert isinstance(suite, str)
    release_files = files() | {
        "suite/suite.yaml": suite + "reference: reference\n",
        "suite/reference/spot.mp4": video(14),
        "penstock.yaml": text(contract(extractors=NETWORK, policy={"rules": rules, "arithmetic": "f32-openvino"})),
    }
    commit(made, release_files, "good")
    git(made, "tag", "v1.0.0")
    release(made, "v1.0.1", {"penstock.yaml": text(contract(extractors=NETWORK, policy={"rules": rules}))})
    return made


def label(run: Run) -> str:
    return run.extractors["frechet"]


def test_a_precision_is_followed_from_release_to_release(tmp_path: Path) -> None:
    penstock = Penstock(repository(tmp_path / "model"), tmp_path / "out")
    first = penstock.run("v1.0.0", "first")
    assert first.code == 0, first.stderr
    assert label(first.bundle.run()).endswith("+f32-openvino")
    assert {line.extractor for line in first.bundle.measurements() if line.metric in ("fid", "kid")} == {
        label(first.bundle.run())
    }
    second = penstock.run("v1.0.1", "second")
    assert second.code == 0, second.stderr
    assert label(second.bundle.run()) == label(first.bundle.run())
    (kid,) = second.bundle.verdict().rules
    assert kid.baseline is not None

    asked = penstock.run("v1.0.1", "third", "--param", "precision=bf16")
    if why_no_bf16():
        assert asked.code == 2
        assert "computes no bf16" in one_message(asked)
    else:
        assert label(asked.bundle.run()).endswith("+bf16-openvino")
