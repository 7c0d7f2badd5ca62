"""Weights of a training job's event start a release, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.manifests.installed import objects
from tests.unit.manifests.trigger_events import COMMIT, GITHUB, HOSTILE, LISTED, Body, intercepted, payload, started

SHA256 = "1a2b" * 16
WEIGHTS = f"hf://acme/matte@{'c' * 40}/onnx/model.onnx#sha256={SHA256}"


def dispatched(**client_payload: object) -> Body:
    """A repository_dispatch event, as a training job has GitHub send it."""
    named = {"revision": "v1.0.0", "weights": WEIGHTS} | client_payload
    return {"action": "weights", "client_payload": named, "repository": payload("github-push-tag")["repository"]}


def weights_run(body: Body, listed: list[str] | None = None) -> dict[str, Any] | None:
    trigger = objects("Trigger")["github-weights"]
    found = intercepted(trigger, "repository_dispatch", body, LISTED if listed is None else listed)
    return None if found is None else {key: found[key] for key in ("url", "revision", "commit", "weights")}


def test_weights_of_an_event_start_a_release_of_the_code_that_it_names() -> None:
    tag = {"url": GITHUB, "revision": "refs/tags/v1.0.0", "commit": "", "weights": WEIGHTS}
    assert weights_run(dispatched()) == tag
    assert weights_run(dispatched(revision=COMMIT)) == tag | {"revision": COMMIT, "commit": COMMIT}
    for weights in (f"weights/a.onnx={WEIGHTS}", f"s3://bucket/a+b.pt#sha256={SHA256}", WEIGHTS.replace("hf", "https")):
        assert weights_run(dispatched(weights=weights)) == tag | {"weights": weights}
    # nothing else starts, and none of the others starts this
    assert list(started("repository_dispatch", dispatched())) == ["release"]
    bindings = [entry["ref"] for entry in objects("Trigger")["github-weights"]["spec"]["bindings"]]
    assert bindings == ["event", "event-author", "event-weights", "settings"]


@pytest.mark.parametrize("evil", [*HOSTILE, "", "main", "refs/heads/main", None, 7])
def test_weights_for_no_code_start_nothing(evil: Any) -> None:
    assert weights_run(dispatched(revision=evil)) is None


@pytest.mark.parametrize(
    "weights",
    [
        *(WEIGHTS.replace("model", evil) for evil in HOSTILE if evil not in ("v1~1", "v1:x")),
        *(WEIGHTS + evil for evil in HOSTILE),
        WEIGHTS.partition("#")[0],
        WEIGHTS.replace("hf:", "http:"),
        WEIGHTS.replace("hf:", "file:"),
        WEIGHTS.replace("model", "m" * 1000),
        f"https://x.org/a?token=b#sha256={SHA256}",
        "",
        None,
        7,
    ],
)
def test_weights_that_are_none_start_nothing(weights: Any) -> None:
    assert weights_run(dispatched(weights=weights)) is None


def test_weights_of_another_event_or_repository_start_nothing() -> None:
    assert weights_run(dispatched() | {"action": "deploy"}) is None
    assert weights_run(dispatched(), listed=[]) is None
    for key in ("action", "client_payload", "repository"):
        body = dispatched()
        del body[key]
        assert weights_run(body) is None
