"""PipelineRuns that a schedule starts: what a file may say, and one of each at a time, of a real HTTP server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from tests.unit.manifests.installed import TEKTON
from tests.unit.stub_server import StubAnswer, StubRequest, json_answer, stub_server

from penstock.foundation.errors import UsageError, WorldError
from penstock.tekton.cluster_runs import LABEL, ClusterRuns, Started, scheduled_files, scheduled_run

PATH = "/apis/tekton.dev/v1/namespaces/studio/pipelineruns"
GOING = {"conditions": [{"type": "Succeeded", "status": "Unknown"}]}
ENDED = {"conditions": [{"type": "Succeeded", "status": "False"}]}


def written(folder: Path, name: str = "drift", **metadata: Any) -> Path:
    run = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"generateName": "drift-"} | metadata,
        "spec": {"pipelineRef": {"name": "drift"}},
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(run), encoding="utf-8")
    return folder


def scheduled_runs(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: scheduled_run(path) for path in scheduled_files(folder)}


def test_runs_are_labelled_with_the_name_of_their_file(tmp_path: Path) -> None:
    written(tmp_path, "sonic-lite", labels={"team": "video"})
    (tmp_path / "notes.txt").write_text("no run", encoding="utf-8")
    (run,) = scheduled_runs(tmp_path).values()
    assert run["metadata"]["labels"] == {"team": "video", LABEL: "sonic-lite"}
    assert run["metadata"]["generateName"] == "drift-"


def test_the_run_that_comes_with_penstock_can_be_scheduled(tmp_path: Path) -> None:
    (tmp_path / "sonic-lite.yaml").write_bytes((TEKTON / "runs" / "drift.yaml").read_bytes())
    assert scheduled_runs(tmp_path)["sonic-lite"]["spec"]["pipelineRef"] == {"name": "drift"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("kind: [", r"x\.yaml"),
        ("just text", "it is no PipelineRun"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}", "it is a Pod"),
        ("apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: a}", "cannot be started twice"),
        (
            "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {generateName: a-, namespace: b}",
            "cannot be started twice",
        ),
        ("apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {generateName: a-, labels: []}", "labelled"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "x.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        scheduled_runs(tmp_path)


def test_a_schedule_of_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is nothing to start"):
        scheduled_runs(tmp_path)


@dataclass
class Server:
    """The API server's memory of one namespace's runs."""

    url: str = ""
    runs: list[dict[str, Any]] = field(default_factory=list)
    refuse: tuple[int, bytes] | None = None


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    def answer(request: StubRequest) -> StubAnswer:
        if request.method == "POST":
            run = request.json()
            run["metadata"]["name"] = f"{run['metadata']['generateName']}{len(state.runs)}"
            state.runs.append(run)
            return json_answer(run, 201)
        if state.refuse is not None:
            return StubAnswer(state.refuse[0], state.refuse[1], {"Content-Type": "application/json"})
        place = urlsplit(request.path)
        assert place.path == PATH
        name = parse_qs(place.query)["labelSelector"][0].removeprefix(f"{LABEL}=")
        return json_answer({"items": [run for run in state.runs if run["metadata"]["labels"].get(LABEL) == name]})

    with stub_server(answer) as state.url:
        yield state


def cluster(server: Server) -> ClusterRuns:
    from kubernetes import client

    configuration = client.Configuration(host=server.url)
    return ClusterRuns(client.CustomObjectsApi(client.ApiClient(configuration)), "studio")


@pytest.mark.slow
def test_one_of_each_at_a_time(server: Server, tmp_path: Path) -> None:
    runs = scheduled_runs(written(written(tmp_path), "other", generateName="other-"))
    api = cluster(server)

    def start(name: str, job: str) -> Started:
        return api.start(name, runs[name], job=job)

    assert start("drift", "monday") == Started("drift-0")
    assert "still goes" in start("drift", "by-hand").why_not, "Tekton has not seen it yet"
    server.runs[0]["status"] = GOING
    assert start("drift", "tuesday") == Started("drift-0", "the run that was started last still goes")
    assert start("other", "tuesday") == Started("other-1")
    server.runs[0]["status"] = ENDED
    assert start("drift", "monday") == Started("drift-0", "this Job has started it before")
    assert start("drift", "wednesday") == Started("drift-2")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((403, b'{"message": "pipelineruns is forbidden"}'), "answers 403: pipelineruns is forbidden.*its Role"),
        ((503, b""), "answers 503"),
        ((307, b""), "answers 307"),
        ((200, b"[]"), "answer is none"),
        ((200, b"<html>"), "answer is none"),
    ],
)
def test_a_server_that_refuses(server: Server, tmp_path: Path, answer: tuple[int, bytes], told: str) -> None:
    server.refuse = answer
    with pytest.raises(WorldError, match=told):
        cluster(server).start("drift", scheduled_runs(written(tmp_path))["drift"], job="monday")
    assert server.runs == []


@pytest.mark.slow
def test_outside_of_a_cluster_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(UsageError, match="there is no cluster around"):
        ClusterRuns.here()
