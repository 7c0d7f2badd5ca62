"""From a published release to one that serves: refused, brought, put back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.releases.signing_keys import key_pair
from tests.unit.releases.test_attestation import WAIVED
from tests.unit.store.stored_bundle import accepted_bundle
from tests.unit.targets.deployments import VALUES, deployment_repository, file_of, git, service
from tests.unit.targets.promotions import MODEL, platform, publish_with_image
from tests.unit.targets.receiver import Receiver, receiver
from tests.unit.targets.targets_files import gitops, write_targets

from penstock.bundle.verdict_record import WaiverRecord
from penstock.foundation.errors import ExitCode, PenstockError, UsageError, WorldError
from penstock.releases.acts import promote, roll_back, withdraw
from penstock.releases.attest import UnverifiedError
from penstock.releases.baseline import baseline
from penstock.releases.history import history
from penstock.releases.standing_verdict import VoidVerdictError
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.targets.claim import claim_key, claimed
from penstock.targets.delivery import Delivery
from penstock.targets.news import News

LAST_DAY, DAY_AFTER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
UNTIL_LAST_DAY = WAIVED.model_copy(
    update={"waiver": WaiverRecord(reason="new camera", author="ann", expires="2026-03-01")}
)


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def two(folder: Path, hook: Receiver, **more: Any) -> tuple[LocalStore, Delivery]:
    """1.0.0 serves, 1.1.0 waits; both are signed."""
    store = LocalStore(folder / "store")
    file, secrets, key = platform(folder, hook, keys=True, **more)
    delivery = Delivery(store, file, secrets, by="ann")
    publish_with_image(folder, store, 0, key=key)
    promote(store, MODEL, "1.0.0", reason="first", by="ann", serving=delivery)
    publish_with_image(folder, store, 1, before="run-0", key=key)
    return store, delivery


def current(store: LocalStore) -> str | None:
    found = baseline(store, MODEL)
    return found.version if found is not None else None


@pytest.mark.slow
def test_forward_and_back_as_a_pair(tmp_path: Path, hook: Receiver) -> None:
    store, delivery = two(tmp_path, hook)
    assert (current(store), hook.image, hook.weights) == ("1.0.0", f"sha256:{'0' * 64}", ["0" * 64])
    act = promote(store, MODEL, "1.1.0", reason="go", by="ann", serving=delivery)
    assert (act.target, current(store), hook.image) == ("studio", "1.1.0", f"sha256:{'1' * 64}")
    assert hook.requests[-1]["current"]["version"] == "1.0.0"
    roll_back(store, MODEL, reason="flicker", by="ann", serving=delivery)
    assert (current(store), hook.image, hook.weights) == ("1.0.0", f"sha256:{'0' * 64}", ["0" * 64])
    claim = store.get_pointer(claim_key("studio"))
    assert claim is not None
    assert (claim["by"], claim["ended"]) == ("ann", True)


@pytest.mark.slow
def test_what_does_not_come_to_serve_is_put_back(tmp_path: Path, hook: Receiver) -> None:
    store, delivery = two(tmp_path, hook)
    hook.fails = True
    with pytest.raises(WorldError, match="out of memory"):
        promote(store, MODEL, "1.1.0", reason="go", serving=delivery)
    assert (current(store), hook.revision) == ("1.0.0", "r-1.0.0")
    assert hook.requests[-1]["act"] == "restore"
    # and the next attempt finds the target free
    hook.fails = False
    promote(store, MODEL, "1.1.0", reason="go", serving=delivery)
    assert current(store) == "1.1.0"


@pytest.mark.slow
def test_withdrawn_while_it_is_brought_there(tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    store, delivery = two(tmp_path, hook)
    answer = hook.answer

    def meanwhile(body: dict[str, Any]) -> tuple[int, bytes]:
        if body["act"] == "deploy":
            withdraw(store, MODEL, "1.1.0", reason="data", by="bob")
        return answer(body)

    monkeypatch.setattr(hook, "answer", meanwhile)
    with pytest.raises(UsageError, match="was withdrawn by bob"):
        promote(store, MODEL, "1.1.0", reason="go", serving=delivery)
    assert (current(store), hook.revision) == ("1.0.0", "r-1.0.0")


@pytest.mark.slow
def test_where_putting_back_fails_too_both_are_said(tmp_path: Path, hook: Receiver) -> None:
    store, delivery = two(tmp_path, hook)
    hook.fails, hook.only, hook.raw = True, "restore", (418, b"")
    with pytest.raises(WorldError, match=r"out of memory; and what was there before could not be put back: .*418"):
        promote(store, MODEL, "1.1.0", reason="go", serving=delivery)
    assert current(store) == "1.0.0"


def test_two_at_once(tmp_path: Path, hook: Receiver) -> None:
    store, delivery = two(tmp_path, hook)
    asked = len(hook.requests)
    with (
        claimed(store, "studio", MODEL, "1.2.0", by="bob", longest_s=60),
        pytest.raises(WorldError, match=r"bob brings sonic-lite 1\.2\.0 to the target 'studio'"),
    ):
        promote(store, MODEL, "1.1.0", reason="go", serving=delivery)
    assert len(hook.requests) == asked, "nothing was asked of it"


@pytest.mark.slow
def test_of_two_that_start_together_one_serves_and_is_current(tmp_path: Path, hook: Receiver) -> None:
    store, _ = two(tmp_path, hook)
    file, secrets, key = (tmp_path / "platform" / "targets.yaml", tmp_path / "secrets", tmp_path / "platform")
    publish_with_image(tmp_path, store, 2, before="run-0", key=key / "penstock.key")
    hook.deploying = 3
    start = threading.Barrier(2)

    def attempt(version: str) -> str:
        delivery = Delivery(store, file, secrets, by=version)
        start.wait(timeout=20)
        try:
            promote(store, MODEL, version, reason="go", serving=delivery)
        except WorldError:
            return ""
        return version

    with ThreadPoolExecutor(2) as pool:
        (winner,) = filter(None, pool.map(attempt, ["1.1.0", "1.2.0"]))
    assert (current(store), hook.revision) == (winner, f"r-{winner}")


@pytest.mark.slow
def test_one_that_was_taken_over_puts_nothing_back(
    tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, delivery = two(tmp_path, hook)
    answer = hook.answer

    def taken(body: dict[str, Any]) -> tuple[int, bytes]:
        if body["act"] == "deploy":
            seen = store.read_pointer(claim_key("studio"))
            assert seen is not None
            store.swap_pointer(claim_key("studio"), seen.value | {"token": "other", "by": "bob"}, seen=seen)
        return answer(body)

    monkeypatch.setattr(hook, "answer", taken)
    with pytest.raises(WorldError, match="bob took it over; nothing was put back"):
        promote(store, MODEL, "1.1.0", reason="go", serving=delivery)
    assert (hook.requests[-1]["act"], current(store)) == ("deploy", "1.0.0")


def refusal(store: LocalStore, delivery: Delivery, hook: Receiver, number: int) -> PenstockError:
    asked = len(hook.requests)
    with pytest.raises(PenstockError) as caught:
        promote(store, MODEL, f"1.{number}.0", reason="go", serving=delivery, now=lambda: LAST_DAY)
    assert len(hook.requests) == asked, "nothing was asked of the target"
    assert store.get_pointer(claim_key("studio")) is None or current(store) is not None
    return caught.value


def test_what_is_not_signed_by_the_platform_is_refused(tmp_path: Path, hook: Receiver) -> None:
    store = LocalStore(tmp_path / "store")
    file, secrets, _ = platform(tmp_path, hook, keys=True)
    delivery = Delivery(store, file, secrets)
    publish_with_image(tmp_path, store, 0)
    unsigned = refusal(store, delivery, hook, 0)
    assert isinstance(unsigned, UnverifiedError)
    assert unsigned.exit_code == ExitCode.REJECTED
    assert "no verdict over it is signed" in unsigned.what
    other, _ = key_pair(tmp_path / "other")
    publish_with_image(tmp_path, store, 1, key=other)
    assert "penstock.pub: " in refusal(store, delivery, hook, 1).what


def test_a_verdict_over_other_weights_is_refused(tmp_path: Path, hook: Receiver) -> None:
    store = LocalStore(tmp_path / "store")
    file, secrets, key = platform(tmp_path, hook, keys=True)
    publish_with_image(tmp_path, store, 0, key=key)
    record = tmp_path / "store" / "published" / MODEL / "1.0.0.json"
    pointer = tmp_path / "store" / "baselines" / f"{MODEL}.json"
    for path in (record, pointer):
        path.chmod(0o600)
        head, _, tail = path.read_text().rpartition(f'"sha256": "{"0" * 64}"')
        path.write_text(
            f'{head}"sha256": "{"9" * 64}"{tail}'.replace(f'"sha256": "{"0" * 64}"', f'"sha256": "{"9" * 64}"')
        )
    assert "not among the weights that were judged" in refusal(store, Delivery(store, file, secrets), hook, 0).what


@pytest.mark.parametrize(
    ("said", "changed"),
    [('"use_onnx": null', '"use_onnx": true'), ('"path": "w.onnx"', '"path": "other.onnx"')],
)
def test_a_record_that_says_more_than_was_signed_is_refused(
    tmp_path: Path, hook: Receiver, said: str, changed: str
) -> None:
    """The record itself is not signed: who can write to the store could have the export served that fell."""
    store = LocalStore(tmp_path / "store")
    file, secrets, key = platform(tmp_path, hook, keys=True)
    publish_with_image(tmp_path, store, 0, key=key)
    for name in (f"published/{MODEL}/1.0.0.json", f"baselines/{MODEL}.json"):
        path = tmp_path / "store" / name
        path.chmod(0o600)
        assert said in path.read_text()
        path.write_text(path.read_text().replace(said, changed))
    told = refusal(store, Delivery(store, file, secrets), hook, 0).what
    assert "the release's record says another pair than the verdict" in told


@pytest.mark.slow
def test_a_waiver_that_is_over_is_refused_later(tmp_path: Path, hook: Receiver) -> None:
    store = LocalStore(tmp_path / "store")
    file, secrets, key = platform(tmp_path, hook, keys=True)
    publish_with_image(tmp_path, store, 0, key=key, rules=[UNTIL_LAST_DAY])
    later = Delivery(store, file, secrets, today=lambda: DAY_AFTER)
    signed = refusal(store, later, hook, 0)
    assert isinstance(signed, UnverifiedError)
    assert "ended on 2026-03-01" in signed.what
    in_time = Delivery(store, file, secrets, today=lambda: LAST_DAY)
    promote(store, MODEL, "1.0.0", reason="go", serving=in_time, now=lambda: LAST_DAY)
    publish_with_image(tmp_path, store, 1, before="run-0", key=key)
    promote(store, MODEL, "1.1.0", reason="go", serving=later)
    # it has served before: what is over since is no reason to stay with what users complain of
    roll_back(store, MODEL, reason="flicker", serving=later)
    assert (current(store), hook.image) == ("1.0.0", f"sha256:{'0' * 64}")


def test_what_could_not_be_put_back_is_brought_back_whatever_its_waivers(
    tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path / "store")
    file, secrets, key = platform(tmp_path, hook, keys=True)
    delivery = Delivery(store, file, secrets, today=lambda: DAY_AFTER)
    in_time = Delivery(store, file, secrets, today=lambda: LAST_DAY)
    publish_with_image(tmp_path, store, 0, key=key, rules=[UNTIL_LAST_DAY])
    promote(store, MODEL, "1.0.0", reason="go", serving=in_time, now=lambda: LAST_DAY)
    publish_with_image(tmp_path, store, 1, before="run-0", key=key)
    answer = hook.answer

    def breaks(body: dict[str, Any]) -> tuple[int, bytes]:
        if body["act"] == "restore":
            return 418, b""
        hook.fails = body["act"] == "deploy" and body["pair"]["version"] == "1.1.0"
        return answer(body)

    monkeypatch.setattr(hook, "answer", breaks)
    with pytest.raises(WorldError, match="could not be put back") as caught:
        promote(store, MODEL, "1.1.0", reason="go", serving=delivery, now=lambda: DAY_AFTER)
    assert caught.value.todo.endswith(f"penstock rollback {MODEL} --to 1.0.0 --reason TEXT")
    assert (current(store), hook.revision) == ("1.0.0", "half")
    with pytest.raises(VoidVerdictError):
        promote(store, MODEL, "1.0.0", reason="again", serving=delivery, now=lambda: DAY_AFTER)
    entries = len(history(store, MODEL).moves)
    for _ in range(2):  # the second time it serves already
        act = roll_back(store, MODEL, "1.0.0", reason="half", serving=delivery, now=lambda: DAY_AFTER)
        assert (act.move, act.target, hook.revision, hook.image) == (None, "studio", "r-1.0.0", f"sha256:{'0' * 64}")
    assert len(history(store, MODEL).moves) == entries, "nothing moved"


def test_going_back_without_a_version_twice_asks_the_target_once(tmp_path: Path, hook: Receiver) -> None:
    store, delivery = two(tmp_path, hook)
    promote(store, MODEL, "1.1.0", reason="go", serving=delivery)
    roll_back(store, MODEL, reason="flicker", serving=delivery)
    asked = len(hook.requests)
    assert roll_back(store, MODEL, reason="flicker", serving=delivery).move is None
    assert len(hook.requests) == asked


@pytest.mark.slow
def test_without_keys_a_waiver_that_is_over_is_refused_as_well(tmp_path: Path, hook: Receiver) -> None:
    store = LocalStore(tmp_path / "store")
    file, secrets, _ = platform(tmp_path, hook)
    delivery = Delivery(store, file, secrets)
    publish_with_image(tmp_path, store, 0, rules=[UNTIL_LAST_DAY])

    def attempt(when: datetime) -> None:
        promote(store, MODEL, "1.0.0", reason="go", serving=delivery, now=lambda: when)

    with pytest.raises(VoidVerdictError, match="by ann ended on 2026-03-01") as caught:
        attempt(DAY_AFTER)
    assert caught.value.exit_code == ExitCode.REJECTED
    assert (hook.requests, store.get_pointer(claim_key("studio"))) == ([], None)
    attempt(LAST_DAY)
    asked = len(hook.requests)
    with pytest.raises(VoidVerdictError):  # the current one, to be brought there once more
        attempt(DAY_AFTER)
    assert len(hook.requests) == asked
    publish_with_image(tmp_path, store, 1, before="run-0")
    promote(store, MODEL, "1.1.0", reason="go", serving=delivery, now=lambda: DAY_AFTER)
    roll_back(store, MODEL, reason="flicker", serving=delivery, now=lambda: DAY_AFTER)
    assert current(store) == "1.0.0"


def test_without_keys_what_was_withdrawn_or_rejected_is_refused(tmp_path: Path, hook: Receiver) -> None:
    store = LocalStore(tmp_path / "store")
    file, secrets, _ = platform(tmp_path, hook)
    delivery = Delivery(store, file, secrets)
    publish_with_image(tmp_path, store, 0)
    withdraw(store, MODEL, "1.0.0", reason="data", by="bob")
    assert "was withdrawn by bob" in refusal(store, delivery, hook, 0).what
    rejected = accepted_bundle(tmp_path / "run-1", run_id="run-1", version="1.1.0", verdict="fail")
    archive(rejected, store, model=MODEL, run_id="run-1")
    assert "no version '1.1.0' of sonic-lite is published" in refusal(store, delivery, hook, 1).what


@pytest.mark.parametrize("keys", [False, True])
def test_without_keys_it_says_that_nothing_signed_is_asked_for(
    tmp_path: Path, hook: Receiver, caplog: pytest.LogCaptureFixture, keys: bool
) -> None:
    store = LocalStore(tmp_path / "store")
    file, secrets, key = platform(tmp_path, hook, keys=keys)
    publish_with_image(tmp_path, store, 0, key=key)
    promote(store, MODEL, "1.0.0", reason="go", serving=Delivery(store, file, secrets))
    said = [record.getMessage() for record in caplog.records if "not verified" in record.getMessage()]
    assert said == ([] if keys else ["verdict not verified: targets.yaml names no verdict_keys"])


def test_the_new_key_or_the_old_one_while_they_are_replaced(tmp_path: Path, hook: Receiver) -> None:
    store = LocalStore(tmp_path / "store")
    file, secrets, key = platform(tmp_path, hook, keys=True)
    _, new = key_pair(tmp_path / "new")
    (file.parent / "new.pub").write_bytes(new.read_bytes())
    file.write_text(file.read_text().replace("- penstock.pub", "- new.pub\n- penstock.pub"))
    publish_with_image(tmp_path, store, 0, key=key)
    promote(store, MODEL, "1.0.0", reason="go", serving=Delivery(store, file, secrets))
    assert current(store) == "1.0.0"


def test_a_target_of_others_and_a_release_without_an_image(tmp_path: Path, hook: Receiver) -> None:
    store = LocalStore(tmp_path / "store")
    file, secrets, _ = platform(tmp_path, hook, models=["somebody-elses"])
    publish_with_image(tmp_path, store, 0)
    assert (
        "'studio' is not open to the model 'sonic-lite'" in refusal(store, Delivery(store, file, secrets), hook, 0).what
    )
    publish_with_image(tmp_path, store, 1, target="unknown")
    assert "the platform has no target 'unknown'" in refusal(store, Delivery(store, file, secrets), hook, 1).what
    file, _, _ = platform(tmp_path, hook)
    assert "no secrets were given" in refusal(store, Delivery(store, file), hook, 0).what


@pytest.mark.slow
def test_a_deployment_repository_from_the_first_release_to_the_rollback(tmp_path: Path) -> None:
    store, shop = LocalStore(tmp_path / "store"), deployment_repository(tmp_path)
    fields = [{"at": ["image"], "value": "image"}, {"at": ["weights", "sonic"], "value": "weights", "path": "w.onnx"}]
    with service(lambda: file_of(shop)) as url:
        ready = {"url": url, "says": ["image_digest", "weights"]}
        quick = {"timeout_s": 5.0, "poll_s": 0.01, "ready": ready}
        there = gitops(repository=str(shop), file="apps/sonic.yaml", fields=fields, **quick)
        delivery = Delivery(store, write_targets(tmp_path / "platform", studio=there))
        publish_with_image(tmp_path, store, 0)
        promote(store, MODEL, "1.0.0", reason="first", serving=delivery)
        publish_with_image(tmp_path, store, 1, before="run-0")
        promote(store, MODEL, "1.1.0", reason="go", serving=delivery)
        assert f"registry.example.org/sonic@sha256:{'1' * 64}" in file_of(shop)
        roll_back(store, MODEL, reason="flicker", serving=delivery)
    assert current(store) == "1.0.0"
    assert file_of(shop) == VALUES.replace("sonic:x@", "sonic@")
    subjects = git(shop, "log", "--format=%s", "main").splitlines()
    assert subjects == ["Revert sonic-lite 1.1.0", "sonic-lite 1.1.0", "sonic-lite 1.0.0", "the shop"]


@pytest.mark.slow
def test_people_hear_of_what_was_put_back(tmp_path: Path, hook: Receiver) -> None:
    store, _ = two(tmp_path, hook)
    heard: list[News] = []
    file = tmp_path / "platform" / "targets.yaml"
    delivery = Delivery(store, file, tmp_path / "secrets", by="ann", heard=heard.append)
    hook.fails = True
    with pytest.raises(WorldError):
        promote(store, MODEL, "1.1.0", reason="ready", by="ann", serving=delivery)
    (news,) = heard
    assert (news.event, news.version, news.serves, news.by, news.target) == (
        "put back",
        "1.1.0",
        "1.0.0",
        "ann",
        "studio",
    )
    assert "could not serve" in news.reason
