"""Releases of a model that is served on the card, and a release whose answers are measured on it."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.gpu.checks import Check, limit
from tests.unit.sources.source_servers import commit, git, new_repository
from training import make_rmbg_lite_suite

from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import load_part
from penstock.bundle.shards import Shard
from penstock.foundation.files import sha256_file
from penstock.foundation.nvidia import first_card
from penstock.invocation.isolation import best_level
from penstock.local_run.run_end import verdict_of

ROOT = Path(__file__).parents[2]
BASE = ROOT / "test-assets" / "models" / "rmbg-lite" / "base"
OVERLAY = Path(__file__).parent / "model"
NAME = "rmbg-lite"
HELD_MIB, LEAKED_MIB = 500, 8
WEIGHTS = "weights/rmbg-lite.safetensors"
RATE, SECONDS = 5, 12
LIMIT_S = 240.0
KINDS = {"hair": 3, "shadow-keep": 3, "glass": 2}


@dataclass(frozen=True)
class Place:
    """Where the runs lie, and what they run on."""

    folder: Path
    python: str
    """An interpreter that has PyTorch."""
    device: str

    @property
    def repository(self) -> Path:
        """The model's."""
        return self.folder / "model"

    def penstock(self, *arguments: str) -> tuple[int, Any, str]:
        """Exit code, the JSON on standard output, and standard error, of a command."""
        words = [str(Path(sys.executable).with_name("penstock")), *arguments, "--json"]
        own = {} if self.python == sys.executable else {"VIRTUAL_ENV": str(Path(self.python).parent.parent)}
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd=self.folder, env=os.environ | own
        )
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    def release(self, tag: str, name: str) -> tuple[int, Bundle, str]:
        """Exit code, bundle and standard error of a release."""
        words = ("--repo", str(self.repository), "--revision", tag, "--python", self.python, "--name", name)
        code, _, said = self.penstock("run", "release", *words, "--out", "out", "--quiet")
        bundle = Bundle(self.folder / "out" / "runs" / name / "bundle")
        verdict = verdict_of(bundle)
        failed = [f"{one.metric}: {one.reason}" for one in verdict.rules if one.verdict != "pass"] if verdict else []
        return code, bundle, " ".join([*said.split(), *failed])


def check(place: Place) -> Iterator[Check]:
    """A release, the same once more, one that leaks; the released one watched; and photos put to it alone."""
    make_repository(place)
    code, first, said = place.release("v1.0.0", "first")
    yield Check("v1.0.0: exit code", str(code), "0", code == 0)
    if code:
        yield Check("what it said", said[-400:])
    if not first.invocations_file.exists():
        return
    yield from _machine(first)
    yield from _calls(first, place.device)
    yield from _load(first, place.device)
    code, second, said = place.release("v1.0.1", "second")
    yield Check("v1.0.1, the same program: exit code", f"{code} {said[-200:] if code else ''}", "0", code == 0)
    for metric in ("mae", "latency", "gpu_memory", "load_p95_ms"):
        yield Check(f"{metric}, first and again", f"{mean(first, metric):.6g}, {mean(second, metric):.6g}")
    yield Check("answers with the same bytes", *_same_answers(first, second))
    code, drift, said = place.penstock(
        *("watch", "--scheduled", NAME, "--store", "out/store", "--out", "out", "--python", place.python, "--quiet")
    )
    outcome = (drift or {}).get("outcome", said[-200:])
    yield Check("penstock watch --scheduled", f"{code}: {outcome}", "0: same", (code, outcome) == (0, "same"))
    if place.device == "cuda":
        code, leaks, _ = place.release("v1.0.2-leak", "leaks")
        growth = mean(leaks, "gpu_memory_growth")
        yield Check("v1.0.2-leak: exit code", str(code), "1", code == 1)
        near = abs(growth / (1000 * LEAKED_MIB) - 1) <= 0.1
        yield Check(
            f"its gpu_memory_growth, {LEAKED_MIB} MiB a request",
            f"{growth:.0f} MiB",
            f"{1000 * LEAKED_MIB} MiB ± 10 %",
            near,
        )
    yield from _evaluate(place)


def make_repository(place: Place) -> None:
    """The model with three tags; only the last is another program."""
    repository = new_repository(place.repository)
    shutil.copytree(BASE, repository, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(OVERLAY, repository, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    make_rmbg_lite_suite.make(repository / "suite", only=KINDS)
    for tag, leak in (("v1.0.0", 0), ("v1.0.1", 0), ("v1.0.2-leak", LEAKED_MIB)):
        text = yaml.safe_dump(contract(repository, place.device, leak), sort_keys=False)
        said = f"MODEL_NAME={NAME}\nWEIGHT_SHA256={sha256_file(repository / WEIGHTS)}\nRELEASE_NOTES={tag}\n"
        commit(repository, {"penstock.yaml": text, "model_version.txt": said}, tag)
        git(repository, "tag", tag)


def contract(repository: Path, device: str, leak_mib: int) -> dict[str, Any]:
    """How it is called, loaded and judged."""
    argv = ["python", "serve.py", "--port", "{port}", "--device", device, "--hold-mib", str(HELD_MIB)]
    argv += ["--leak-mib", str(leak_mib)]
    if best_level(image=False) == "namespaces" and os.geteuid() != 0:  # else only the first process can use a card
        argv.append("--supervised")
    rules: list[dict[str, Any]] = [
        {"metric": "mae", "max": 0.15, "margin": "1%"},
        {"metric": "latency", "max": 5.0},
        {"metric": "latency", "margin": "50%", "severity": "warn"},
        {"metric": "load_p95_ms", "max": 2000.0},
    ]
    if device == "cuda":
        rules += [
            {"metric": "gpu_memory", "max": HELD_MIB + 3000.0, "margin": "5%"},
            {"metric": "gpu_memory_growth", "max": 200.0, "confidence": 0.95},
        ]
    once = dict.fromkeys(("together", "twice", "stop", "recover", "oom"), False)
    return {
        "version": 1,
        "name": NAME,
        "family": "matting",
        "weights": [{"path": WEIGHTS, "sha256": sha256_file(repository / WEIGHTS), "source": "lfs"}],
        "call": {"preset": "rmbg", "http": {"argv": argv, "ready_timeout_s": 120}, "timeout_s": 60, "warmup": 1},
        "load": {"rate": RATE if device == "cuda" else 1, "seconds": SECONDS, "warmup_s": 2, **once},
        "suite": "suite",
        "policy": {"rules": rules},
    }


def _machine(bundle: Bundle) -> Iterator[Check]:
    run = bundle.run()
    assert run.inference is not None
    machines = [run.machine, *(shard.machine for shard in run.inference.shards)]
    found = sorted({machine.gpu for machine in machines if machine is not None})
    yield Check("card and driver in run.json", ", ".join(found), first_card(), found == [first_card()])
    isolation = run.inference.shards[0].isolation
    yield Check("how the model was confined", isolation.level if isolation is not None else "not said")


def _calls(bundle: Bundle, device: str) -> Iterator[Check]:
    calls = list(bundle.invocations())
    seconds = [call.latency_s or 0.0 for call in calls]
    middle = statistics.median(seconds)
    told = [
        json.loads(line)["latency_ms"]
        for path in bundle.path.glob("logs/**/*")
        if path.is_file() and "load" not in path.name
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.startswith('{"event": "answered"')
    ]
    yield Check(
        "requests that the service answered, cases",
        f"{len(told)}, {len(calls)}",
        "one more: the warm-up",
        len(told) == len(calls) + 1,
    )
    yield Check(
        "by its own clock: warm-up; median of the cases",
        f"{told[0]} ms; {statistics.median(told[1:]):.0f} ms" if told else "no log",
    )
    yield Check("latency: median, highest", f"{middle:.4f} s, {max(seconds):.4f} s")
    yield limit("the first case ÷ the median: the warm-up is left out", seconds[0] / middle, 3)
    if device == "cuda":
        held = [call.gpu_memory_mib or 0.0 for call in calls]
        good = min(held) >= HELD_MIB
        yield Check(
            f"gpu_memory of each call, {HELD_MIB} MiB held",
            f"{min(held):.0f} to {max(held):.0f} MiB",
            f"≥ {HELD_MIB}",
            good,
        )


def _load(bundle: Bundle, device: str) -> Iterator[Check]:
    part = load_part(bundle, Shard(1, 1))
    if part is None or part.requests is None:
        yield Check("load", (part.fault or "") if part is not None else "not put", "put", good=False)
        return
    yield Check("load: P50, P95", f"{mean(bundle, 'load_p50_ms'):.1f} ms, {mean(bundle, 'load_p95_ms'):.1f} ms")
    if device == "cuda":
        line = part.gpu_memory.mib if part.gpu_memory is not None else []
        found = f"{len(line)} samples, {min(line):.0f} to {max(line):.0f} MiB" if line else "none"
        yield Check(
            "load: the card's memory over time", found, f"≥ {HELD_MIB} MiB", bool(line) and min(line) >= HELD_MIB
        )
        yield limit(
            "gpu_memory_growth of a service that does not grow", abs(mean(bundle, "gpu_memory_growth")), 50, " MiB"
        )


def _same_answers(first: Bundle, second: Bundle) -> tuple[str, str, bool]:
    names = sorted(path.relative_to(first.outputs) for path in first.outputs.rglob("*") if path.is_file())
    equal = [name for name in names if (second.outputs / name).read_bytes() == (first.outputs / name).read_bytes()]
    return f"{len(equal)} of {len(names)}", "all", len(equal) == len(names) > 0


def _evaluate(place: Place) -> Iterator[Check]:
    suite = place.repository / "suite"
    git(place.repository, "checkout", "-q", "v1.0.0")
    words = ("evaluate", str(suite / "photos"), "--truth", str(suite / "mattes"), "--contract", str(place.repository))
    code, _, said = place.penstock(*words, "--out", "evaluation")
    yield Check("penstock evaluate --contract", f"{code} {said[-200:] if code else ''}", "0", code == 0)
    if code == 0 and place.device == "cuda":
        held = [call.gpu_memory_mib or 0.0 for call in Bundle(place.folder / "evaluation" / "candidate").invocations()]
        yield Check("its gpu_memory", f"{min(held):.0f} to {max(held):.0f} MiB", f"≥ {HELD_MIB}", min(held) >= HELD_MIB)


def mean(bundle: Bundle, metric: str) -> float:
    """Over the cases, or of the whole suite; NaN where there is none."""
    values = [one.value for one in bundle.measurements() if one.metric == metric and one.value is not None]
    return statistics.fmean(values) if values else float("nan")
