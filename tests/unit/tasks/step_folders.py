"""One step's workspaces, as a run has them when that step begins, and the step called as its Task calls it."""

from __future__ import annotations

import importlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.pipeline_runs import files

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, Invocation, Measurement, ShardRecord, Source
from penstock.bundle.shards import Shard, write_shard_record
from penstock.bundle.steps import begin
from penstock.bundle.verdict_record import Verdict
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.open import open_store

TREE = "a" * 64
PROCESS = Image(kind="process", digest=f"sha256:{TREE}")
CASES = ("one", "two")


@dataclass(frozen=True)
class Answer:
    """What a step came to."""

    code: int
    results: dict[str, str]
    lines: list[dict[str, Any]]

    @property
    def error(self) -> str:
        """Of the step that failed."""
        return next((str(line["error"]) for line in self.lines if line["event"] in ("error", "bug")), "")


class StepFolders:
    """The workspaces of a run over the tiny repository of the pipeline tests."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.source = folder / "source"
        self.cache = folder / "cache"
        self.store = folder / "store"
        self.baseline = Bundle(folder / "baseline")
        self.bundle = Bundle(folder / "bundle")
        self.cache.mkdir(parents=True)
        (folder / "layers").mkdir()
        self.baseline.path.mkdir()
        begin(self.bundle, run_id="run-2", track="release")

    def begin_again(self) -> None:
        """Another run, with what outlives a run."""
        shutil.rmtree(self.bundle.path)
        begin(self.bundle, run_id="run-3", track="release")

    def write_repository(self, **changes: str | bytes | None) -> None:
        """The good release's files; ``changes`` by name (``penstock_yaml``), ``None`` leaves one out."""
        wanted: dict[str, str | bytes | None] = {**files()}
        for name, content in changes.items():
            wanted[name.replace("_", ".")] = content
        for name, content in wanted.items():
            if content is not None:
                path = self.source / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def cloned(self, *, version: str = "1.1.0", built: bool = True, **more: Any) -> None:
        """As *clone*, *weights* and *build* leave ``run.json``."""
        source = Source(
            url="https://git.example.org/tiny",
            revision=f"v{version}",
            commit="c" * 40,
            committer_date="2024-05-01T10:00:00+02:00",
            version=version,
            tree=TREE,
        )
        fields = {"source": source, "model": "tiny", "family": "talking-head", "image": PROCESS if built else None}
        self.bundle.update_run(self.bundle.run().model_copy(update=fields | more))

    def shard(self, *statuses: str) -> None:
        """As *infer* leaves the only shard: one call a case, ``ok`` ones with an answer."""
        shard = Shard(1, 1).bundle(self.bundle)
        calls = []
        for case, status in zip(CASES, statuses, strict=True):
            output = f"outputs/{case}/output.mp4"
            if status == "ok":
                (shard.path / output).parent.mkdir(parents=True)
                (shard.path / output).write_bytes(files()["answer.mp4"])  # type: ignore[arg-type]
            failed = {"error": f"no face in {case}"} if status != "ok" else {"output": output, "latency_s": 0.5}
            calls.append(Invocation.model_validate({"case": case, "status": status, **failed}))
        shard.write_invocations(calls)
        now = "2026-01-01T00:00:00+00:00"
        write_shard_record(shard, ShardRecord(shard="1/1", cases=len(calls), started=now, ended=now))

    def measured(self, sharpness: float = 9.0, *, bundle: Bundle | None = None) -> None:
        """As *measure* leaves the bundle: every metric of the tiny policy, for both cases."""
        bundle = bundle or self.bundle
        bundle.write_invocations(Invocation(case=case, status="ok") for case in CASES)
        values = {"duration_error": 0.0, "latency": 0.5, "sharpness": sharpness}
        bundle.write_measurements(
            Measurement(case=case, metric=metric, value=value) for case in CASES for metric, value in values.items()
        )

    def release(self, version: str = "1.0.0", run_id: str = "run-1", sharpness: float = 9.0, **fields: Any) -> None:
        """Publish an earlier run into the store; ``fields`` are more of its ``run.json``."""
        earlier = StepFolders(self.folder / run_id, self._capsys)
        earlier.cloned(version=version, **fields)
        earlier.bundle.update_run(earlier.bundle.run().model_copy(update={"run_id": run_id}))
        earlier.measured(sharpness)
        earlier.bundle.write_verdict(Verdict(verdict="pass", level=0.05, rules=[], candidate=run_id))
        store = open_store(self.store)
        archive(earlier.bundle, store, model="tiny", run_id=run_id)
        publish(store, earlier.bundle, tag=lambda *_: None)

    def call(self, step: str, *more: str) -> Answer:
        """Call ``main`` of the step's entrypoint; its workspaces are bound by name."""
        module = importlib.import_module(f"penstock_tasks.{step}.entrypoint")
        here = {"source": self.source, "bundle": self.bundle.path, "cache": self.cache, "baseline": self.baseline.path}
        here["layers"] = self.folder / "layers"
        named = {name for name in module.Arguments.__dataclass_fields__ if name in here}
        given = {argument.partition("=")[0] for argument in more}
        argv = [f"--{name}={here[name]}" for name in sorted(named) if f"--{name}" not in given]
        argv += [f"--result={name}={self.folder / 'results' / name}" for name in module.RESULTS]
        (self.folder / "results").mkdir(exist_ok=True)
        self._capsys.readouterr()
        code = module.main([*argv, *more])
        found = {path.name: path.read_text(encoding="utf-8") for path in (self.folder / "results").iterdir()}
        lines = [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]
        return Answer(code, found, lines)
