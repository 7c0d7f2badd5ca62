"""Cases put to two real services: what each does is a result, and nothing that one does is waited for without end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.evaluation.probed_services import (
    ANSWER,
    CASES,
    ProbedService,
    probed_repository,
    probed_service,
    recorded_bundle,
)

from penstock.evaluation.answers_apart import answers_apart
from penstock.evaluation.probe_calls import Lots, ProbeCalls, read_probed_suite
from penstock.foundation.errors import UsageError
from penstock.watch.probe_pairs import ProbePair
from penstock.watch.probe_policy import ProbePolicy


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository and the bundle of its release."""
    folder = tmp_path_factory.mktemp("probed")
    recorded_bundle(folder / "bundle", probed_repository(folder / "repository"))
    return folder


@pytest.fixture(scope="module")
def stable() -> Iterator[ProbedService]:
    with probed_service() as service:
        yield service


def policy_of(canary: str, stable: str = "http://127.0.0.1:1", **more: Any) -> ProbePolicy:
    return ProbePolicy(canary=canary, stable=stable, repository="repository", **more)


def put(base: Path, canary: ProbedService, stable: ProbedService, count: int, **more: Any) -> list[ProbePair]:
    policy = policy_of(canary.url, stable.url, **more)
    with ProbeCalls(read_probed_suite(policy, base), policy, compare=answers_apart) as calls:
        return [calls.put(number) for number in range(count)]


def test_a_healthy_one_in_turns_and_marked(base: Path, stable: ProbedService) -> None:
    with probed_service() as canary:
        stable.probes.clear()
        pairs = put(base, canary, stable, 12, recorded="bundle")
        assert canary.probes == stable.probes == [str(number) for number in range(12)]
    assert not any(pair.canary.failed or pair.stable.failed or pair.differs for pair in pairs)
    assert all(pair.canary.latency_ms and pair.stable.latency_ms for pair in pairs)
    assert {pair.first for pair in pairs} == {"canary", "stable"}
    assert all(pair.compared == (pair.case != CASES[-1]) for pair in pairs), "the release has no answer to the last"
    assert abs(pairs[-1].time - time.time()) < 60


def test_the_same_seed_the_same_lots(base: Path, stable: ProbedService) -> None:
    with probed_service() as canary:
        one, other, third = (put(base, canary, stable, 5, seed=seed) for seed in (3, 3, 4))
    lots = [[(pair.case, pair.first) for pair in pairs] for pairs in (one, other, third)]
    assert lots[0] == lots[1] != lots[2]


def test_lots_are_fair() -> None:
    drawn = Counter(Lots(0, 3).draw(number) for number in range(1200))
    assert len(drawn) == 6
    assert all(140 < count < 260 for count in drawn.values())


def test_one_that_fails_now_and_then(base: Path, stable: ProbedService) -> None:
    with probed_service(fails_each=5) as canary:
        pairs = put(base, canary, stable, 10)
    assert [pair.canary.failed for pair in pairs].count(True) == 2
    failed = next(pair for pair in pairs if pair.canary.failed)
    assert (failed.canary.latency_ms, failed.stable.failed) == (None, False)
    assert "the model answered 500" in (failed.canary.error or "")


def test_one_that_is_slow(base: Path, stable: ProbedService) -> None:
    with probed_service(wait_s=0.05) as canary:
        (pair,) = put(base, canary, stable, 1)
    assert (pair.canary.latency_ms or 0) >= 50
    assert not pair.canary.failed


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ANSWER | {"text": "Entry"}, "text is"),
        (ANSWER | {"objects": [{"label": "dog", "confidence": 0.9, "box": [1, 2, 10, 12]}]}, "labels is"),
        ({"hello": 1}, ""),
    ],
)
def test_one_that_answers_wrongly(base: Path, stable: ProbedService, answer: Any, said: str) -> None:
    with probed_service(answer=answer) as canary:
        (pair,) = put(base, canary, stable, 1, recorded="bundle", slice="cup")
    assert pair.compared
    assert pair.differs is not None
    assert said in pair.differs


def test_one_that_hangs_is_cut(tmp_path: Path) -> None:
    probed_repository(tmp_path / "repository", timeout_s=0.1)
    with probed_service(wait_s=30.0) as canary:
        (pair,) = put(tmp_path, canary, canary, 1)
    assert pair.canary.error == pair.stable.error == "no answer within 0.1 s"


def test_one_that_redirects_is_not_followed(base: Path, stable: ProbedService) -> None:
    stable.probes.clear()
    with probed_service(moved_to=f"{stable.url}/recognize") as canary:
        (pair,) = put(base, canary, stable, 1)
    assert "the model answered 302" in (pair.canary.error or "")
    assert len(stable.probes) == 1, "its own probe"


def test_one_that_answers_too_much(base: Path, stable: ProbedService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.invocation.http_answer.MAX_BYTES", 2 << 20)
    with probed_service(bytes_sent=64 << 20) as canary:
        (pair,) = put(base, canary, stable, 1)
    assert "JSON larger than 2 MiB" in (pair.canary.error or "")


def test_one_that_is_not_there(base: Path, stable: ProbedService) -> None:
    with probed_service() as gone:
        pass
    (pair,) = put(base, gone, stable, 1)
    assert (pair.canary.error or "").startswith("the connection broke: ")


def test_a_record_of_something_else_is_refused(base: Path, tmp_path: Path) -> None:
    repository = base / "repository"
    recorded_bundle(tmp_path / "another", repository, model="another")
    recorded_bundle(tmp_path / "suite", repository, digest="0" * 64)
    recorded_bundle(tmp_path / "damaged", repository)
    (tmp_path / "damaged" / "outputs" / "cup" / "output.json").write_text("{}", encoding="utf-8")
    for name, said in {
        "another": "the record is of 'another'",
        "suite": "of another suite",
        "damaged": "changed outputs/cup/output.json",
        "none": "",
    }.items():
        with pytest.raises(UsageError) as raised:
            read_probed_suite(policy_of("http://a", recorded=str(tmp_path / name)), base)
        assert said in str(raised.value)
        assert str(tmp_path / name) in str(raised.value)


def test_what_cannot_be_put_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    repository = probed_repository(tmp_path / "repository")
    with pytest.raises(UsageError, match="no case carries the slice 'smoke'"):
        read_probed_suite(policy_of("http://a", slice="smoke"), tmp_path)
    (repository / "suite" / "book.png").unlink()
    with pytest.raises(UsageError, match=r"book\.png"):
        read_probed_suite(policy_of("http://a"), tmp_path)
    contract = (repository / "penstock.yaml").read_text(encoding="utf-8")
    command = 'command: {argv: [python, x.py, "{image}", "{output}"], output: .json}'
    lines = [f"  {command}" if "http:" in line else line for line in contract.splitlines() if "preset" not in line]
    (repository / "penstock.yaml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UsageError, match="calls no HTTP service"):
        read_probed_suite(policy_of("http://a"), tmp_path)


def test_a_record_that_is_gone_is_no_fault_of_the_canary(tmp_path: Path, stable: ProbedService) -> None:
    recorded_bundle(tmp_path / "bundle", probed_repository(tmp_path / "repository"))
    policy = policy_of(stable.url, stable.url, recorded="bundle", slice="cup")
    with ProbeCalls(read_probed_suite(policy, tmp_path), policy, lambda: 1000.0) as calls:
        found = calls.put(0)
        assert (found.time, found.compared, found.differs) == (1000.0, True, None)
        for file in (tmp_path / "bundle" / "outputs").rglob("output.json"):
            file.unlink()
        with pytest.raises(UsageError, match="the file is missing"):
            calls.put(0)


def test_a_cookie_of_one_side_does_not_reach_the_other(base: Path) -> None:
    """A host's ports have their cookies in common, as names below one domain may have."""
    with probed_service(cookie="route=canary") as canary, probed_service() as other:
        put(base, canary, other, 4)
        assert other.cookies == canary.cookies == [""] * 4
