"""A run that broke says which step it was, and why, or how far it came."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, RuleResult, Source, Verdict
from penstock.bundle.steps import begin
from penstock.foundation.errors import WorldError
from penstock.notices import message as messages
from penstock.notices.message import headline, message
from penstock.steps.entrypoint import param, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """A step that fails when it is told to."""

    error: str = param("what it fails with", default="")
    shard: str = param("which part", default="")
    bundle: Path = workspace("the run's bundle")


def step(arguments: Arguments) -> dict[str, str]:
    if arguments.error:
        raise WorldError(arguments.error, where="s3://evidence", todo="Try again.")
    return {}


def run(bundle: Bundle, *more: str, name: str = "archive") -> int:
    return run_step(name, Arguments, (), step, [f"--bundle={bundle.path}", *more])


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    bundle = Bundle(tmp_path / "bundle")
    begin(bundle, run_id="run-1", track="release")
    return bundle


def test_a_failed_step_is_named_with_its_reason(bundle: Bundle) -> None:
    assert run(bundle, "--error=S3 cannot be reached") == 4
    assert message(bundle, "Failed").text == "s3://evidence: S3 cannot be reached. Try again."
    line = "release run run-1 broke in the step archive: s3://evidence: S3 cannot be reached. Try again."
    assert headline(bundle, "Failed") == line


def test_a_broken_run_without_a_word_says_how_far_it_came(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    said = headline(bundle, "Failed")
    assert said.startswith(
        "release run run-1 broke: No step finished. The one after it left no word: its pod was deleted"
    )
    monkeypatch.setattr(messages, "NEARLY_NOTHING_BYTES", 1 << 60)
    assert "The volume 'work' is full. Free space on it, or use a larger one." in headline(bundle, "Failed")
    assert headline(Bundle(bundle.path / "nothing"), "Failed").startswith(
        "Penstock: the run broke before the repository was cloned: The step clone left no word"
    )


HOSTILE = "</script><script>alert(1)</script>|`*"


def rule(metric: str, verdict: str, reason: str = "fine") -> RuleResult:
    return RuleResult(
        metric=metric,
        slice=None,
        verdict=verdict,
        reason=reason,
        baseline=7.9,
        candidate=9.26,
        change=1.36,
        interval=None,
        limit="≤ 9",
        n=2,
    )


def make_bundle(path: Path, run_id: str, lse_d: dict[str, float | None]) -> Bundle:
    bundle = Bundle(path)
    run = begin(bundle, run_id=run_id, track="release")
    source = Source(
        url="https://git.example.org/a b.git",
        revision="v1",
        commit="c" * 40,
        committer_date="2026-01-01",
        version="1",
        tree="t",
    )
    bundle.update_run(run.model_copy(update={"model": "sonic-lite", "source": source}))
    bundle.write_measurements(
        [Measurement(case=case, metric="lse_d", value=value, slices=[HOSTILE]) for case, value in lse_d.items()]
    )
    calls = [
        Invocation(case=case, status="ok", output=f"outputs/{case}/output.mp4")
        if value is not None
        else Invocation(case=case, status="failed", error=HOSTILE)
        for case, value in lse_d.items()
    ]
    bundle.write_invocations(calls)
    for case, value in lse_d.items():
        if value is not None:
            (bundle.outputs / case).mkdir(parents=True)
            (bundle.outputs / case / "output.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + run_id.encode())
    return bundle


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Bundle, Bundle]:
    candidate = make_bundle(tmp_path / "candidate", "new", {"good": 8.0, "bad": 9.9, "dead": None})
    baseline = make_bundle(tmp_path / "baseline", "old", {"good": 8.1, "bad": 8.0, "dead": 8.0})
    rules = [rule("fid", "pass"), rule("lse_d", "fail", f"LSE-D rose {HOSTILE}")]
    candidate.write_verdict(Verdict(verdict="fail", baseline="old", candidate="new", level=0.05, rules=rules))
    return candidate, baseline


def test_messages_also_speak_of_a_broken_run(pair: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    assert message(pair[0], "Succeeded").title == "sonic-lite 1: rejected"
    assert "broke" in message(pair[1], "Failed").title
    assert "broke before" in message(Bundle(tmp_path / "nothing"), "Failed").title
