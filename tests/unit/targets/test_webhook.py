"""Webhooks: signed, repeated with one key, and believed only if they name the pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.targets.pairs import pair
from tests.unit.targets.receiver import SECRET, Receiver, receiver

from penstock.foundation.errors import PenstockError, UsageError, WorldError
from penstock.targets.targets_file import WebhookSettings
from penstock.targets.waiting import NotServingError
from penstock.targets.webhook import WebhookTarget, signature


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def target(hook: Receiver, *, secret: bytes = SECRET, **more: Any) -> WebhookTarget:
    quick = {"timeout_s": 0.3, "poll_s": 0.01, "request_timeout_s": 10.0}
    settings = WebhookSettings.model_validate(
        {"kind": "webhook", "models": ["m"], "url": hook.url, "secret": "hook", "allow_http": True} | quick | more
    )
    return WebhookTarget("studio", settings, secret, "token-1", model="sonic-lite")


def test_the_pair_is_sent_until_it_serves_and_put_back_by_its_own_name(hook: Receiver) -> None:
    hook.deploying, hook.broken, hook.only = 2, 2, "deploy"
    found = target(hook, timeout_s=5.0)
    state = found.state()
    found.deploy(pair(), pair("1.0.0", "0"))
    assert (state, hook.revision, hook.image) == ("r0", "r-1.1.0", f"sha256:{'1' * 64}")
    sent = hook.requests[-1]
    assert (sent["act"], sent["target"], sent["current"]["version"]) == ("deploy", "studio", "1.0.0")
    assert {body["model"] for body in hook.requests} == {"sonic-lite"}
    assert sent["pair"]["weights"][0]["sha256"] == "1" * 64
    assert set(hook.keys[1:]) == {"token-1-deploy"}, "one idempotency key for all of its tries"
    assert len(hook.requests) == 6
    found.restore(state)
    assert hook.revision == "r0"


def test_what_does_not_serve(hook: Receiver) -> None:
    hook.fails = True
    with pytest.raises(NotServingError, match=r"could not serve sonic-lite 1\.1\.0: out of memory"):
        target(hook).deploy(pair(), None)
    hook.fails, hook.lies = False, True
    with pytest.raises(NotServingError, match=r"does not serve after 0\.05 s: it says that it serves, with the image"):
        target(hook, timeout_s=0.05).deploy(pair(), None)
    hook.lies, hook.deploying = False, 10**6
    with pytest.raises(NotServingError, match="it is still deploying"):
        target(hook, timeout_s=0.05).deploy(pair(), None)


def test_other_weights_are_not_the_pair(hook: Receiver) -> None:
    hook.lies, hook.image, hook.weights = True, f"sha256:{'1' * 64}", ["2" * 64]
    with pytest.raises(NotServingError, match="with other weights"):
        target(hook, timeout_s=0.05).deploy(pair(), None)


def test_a_key_that_was_replaced(hook: Receiver) -> None:
    with pytest.raises(WorldError, match=r"refuses the signature \(401\)\. Was the key replaced\?.*'hook'") as caught:
        target(hook, secret=b"the old one, 16+ bytes").deploy(pair(), None)
    assert "the old one" not in str(caught.value)
    assert hook.requests == []


@pytest.mark.parametrize(
    ("raw", "kind", "said"),
    [
        ((302, b""), UsageError, "A redirect is not followed"),
        ((404, b""), WorldError, r"refuses the request \(404\)"),
        ((200, b"<html>"), WorldError, "its answer is not one of a receiver"),
        ((200, b"{}"), WorldError, "its answer is not one of a receiver: state"),
        ((200, b'{"state": "fine"}'), WorldError, "its answer is not one of a receiver"),
        ((200, b'{"state": "serving", "image": NaN}'), WorldError, "its answer is not one of a receiver"),
        ((200, b"[" * 50_000), WorldError, "its answer is not one of a receiver"),
        ((200, b'{"state": "serving", "revision": "' + b"x" * 300 + b'"}'), WorldError, "revision"),
    ],
)
def test_answers_that_are_none(hook: Receiver, raw: tuple[int, bytes], kind: type[PenstockError], said: str) -> None:
    hook.raw = raw
    with pytest.raises(kind, match=said):
        target(hook).deploy(pair(), None)
    assert len(hook.requests) == 1, "not sent again"


def test_one_that_hangs_drips_or_never_ends_is_not_waited_for(hook: Receiver) -> None:
    hook.hangs_s = 0.3
    with pytest.raises(NotServingError, match="did not answer"):
        target(hook, timeout_s=0.05, request_timeout_s=0.05).deploy(pair(), None)
    hook.hangs_s, hook.drips = 0.0, True
    with pytest.raises(NotServingError, match="did not answer"):
        target(hook, timeout_s=0.05, request_timeout_s=0.1).deploy(pair(), None)
    hook.drips, hook.raw = False, (200, b" " * (300 << 10))
    with pytest.raises(NotServingError, match="larger than 256 KiB"):
        target(hook, timeout_s=0.01).deploy(pair(), None)


def test_nothing_is_changed_where_it_does_not_say_what_serves(hook: Receiver) -> None:
    hook.broken = 10
    with pytest.raises(WorldError, match=r"does not say what serves now: it answered 500\. Nothing was changed"):
        target(hook).state()
    hook.broken, hook.revision = 0, ""
    with pytest.raises(WorldError, match="must answer 'state' with a 'revision'"):
        target(hook).state()
    assert {body["act"] for body in hook.requests} == {"state"}


def test_the_signature_is_over_time_and_content() -> None:
    # openssl: printf '1700000000.{}' | openssl dgst -sha256 -hmac key
    told = signature(b"key", b"{}", 1_700_000_000)
    assert told["Penstock-Timestamp"] == "1700000000"
    assert told["Penstock-Signature"] == "v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
    assert signature(b"key", b"{}", 1_700_000_001) != told
