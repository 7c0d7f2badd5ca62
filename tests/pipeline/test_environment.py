"""A release whose wheel does not fit its image's CUDA is stopped by the rule for that, though it answers well."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import contract, files, run_release, text
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.environment_record import environment_record

RECIPE = """\
FROM nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04
COPY requirements.txt .
RUN pip install --requirement requirements.txt
USER 10001
"""
RULES = [{"metric": "duration_error", "max": 0.1}, {"metric": "environment", "max": 0}]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """v1.0.0 has the ONNX Runtime of CUDA 11, v1.0.1 that of CUDA 12: nothing else differs."""
    work = new_repository(tmp_path_factory.mktemp("model") / "model")
    content = files() | {"penstock.yaml": text(contract(policy={"rules": RULES}))}
    for tag, version in (("v1.0.0", "1.18.1"), ("v1.0.1", "1.23.2")):
        commit(work, {**content, "Containerfile": RECIPE, "requirements.txt": f"onnxruntime-gpu=={version}\n"}, tag)
        git(work, "tag", tag)
    return work


def test_the_wrong_cuda_is_stopped_and_the_right_one_is_not(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v1.0.0")
    assert code == 0, bundle.verdict().rules
    code, bundle = run_release(repository, tmp_path, "v1.0.1")
    assert code == 1
    assert {rule.metric: rule.verdict for rule in bundle.verdict().rules} == {
        "duration_error": "pass",
        "environment": "fail",
    }
    record = environment_record(bundle)
    assert record is not None
    assert (record.read, len(record.errors)) == ("recipe", 2)
    page = (bundle.report / "index.html").read_text(encoding="utf-8")
    assert "onnxruntime-gpu 1.23.2 needs CUDA 12" in page
