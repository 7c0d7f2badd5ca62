"""An image that another system built, through the pipeline: released as it is, or refused before the model runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import Penstock, files, one_message, published
from tests.unit.environment.image_server import ImageServer, image_server
from tests.unit.environment.layers import layer
from tests.unit.sources.source_servers import commit, git, new_repository

RECIPE = "FROM python:3.11\nWORKDIR /model\nCOPY model.py answer.mp4 ./\n"
REVISION = "org.opencontainers.image.revision"


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with image_server() as held:
        yield held


@pytest.fixture
def penstock(tmp_path: Path) -> Penstock:
    repository = new_repository(tmp_path / "model")
    commit(repository, files() | {"Containerfile": RECIPE}, "first")
    git(repository, "tag", "v1.0.0")
    return Penstock(repository, tmp_path / "out")


def image_of(penstock: Penstock, server: ImageServer, **changes: bytes) -> tuple[str, ...]:
    """What another system would push of v1.0.0; returns the options of a run over it."""
    content = files() | {name.replace("_", "."): value for name, value in changes.items()}
    copied = {f"model/{name}": content[name] for name in ("model.py", "answer.mp4")}
    argv = ["git", "-C", str(penstock.repository), "rev-parse", "v1.0.0"]
    labels = {REVISION: subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()}
    digest = server.hold(layer({"usr/bin/python3.11": ""}), layer(copied), labels=labels)
    given = {"registry": server.registry, "image": f"{server.url}@{digest}", "tls-verify": "false"}
    return tuple(word for name, value in given.items() for word in ("--param", f"{name}={value}"))


def test_it_is_released_by_its_digest_and_the_record_says_so(penstock: Penstock, server: ImageServer) -> None:
    options = image_of(penstock, server)
    given = options[3].removeprefix("image=")
    ended = penstock.run("v1.0.0", "first", *options)
    assert ended.code == 0, ended.stderr
    assert published(penstock.out) == ["1.0.0"]
    record = json.loads((penstock.out / "store" / "published" / "tiny" / "1.0.0.json").read_text(encoding="utf-8"))
    assert f"{record['image']['url']}@{record['image']['digest']}" == given
    assert record["image"]["elsewhere"] == {"given": given, "compared": 2, "missing": 0}
    page = (ended.bundle.path / "report" / "index.html").read_text(encoding="utf-8")
    assert "elsewhere, given as" in page
    # the version is its tag, by the same manifest
    assert server.manifests["1.0.0"] == server.manifests[record["image"]["digest"]]
    # its outputs are judged again without another look at the registry
    server.manifests.clear()
    again = penstock.run("v1.0.0", "again", "--regate", "first", *options)
    assert "outputs that are judged again" not in again.stderr
    assert again.bundle.run().image == ended.bundle.run().image


def test_one_with_another_program_in_it_stops_before_the_model_runs(penstock: Penstock, server: ImageServer) -> None:
    ended = penstock.run("v1.0.0", "first", *image_of(penstock, server, model_py=b"print('patched')\n"))
    assert ended.code == 2
    assert "'model.py' in it is not the commit's" in one_message(ended)
    assert published(penstock.out) == []
    assert "infer" not in ended.step_status()
