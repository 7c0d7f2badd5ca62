"""Weights from the Hugging Face hub: a server that speaks its API, on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.unit.sources.fetched_file import DATA, SHA, fetcher
from tests.unit.sources.hub_server import COMMIT, TOKEN, HubServer, hub_handler

from penstock.foundation.errors import UsageError, WorldError
from penstock.sources.fetch import Fetcher
from penstock.sources.tree import LFS_POINTER

URL = f"hf://acme/matte@{COMMIT}/onnx/model.onnx"


@pytest.fixture
def hub() -> Iterator[HubServer]:
    hub = HubServer(large={"acme/matte/onnx/model.onnx": DATA}, small={"acme/matte/config.json": b"{}"})
    http = ThreadingHTTPServer(("127.0.0.1", 0), hub_handler(hub))
    hub.port = http.server_port
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield hub
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    folder = tmp_path / "tokens"
    folder.mkdir()
    (folder / "127.0.0.1").write_text(f"{TOKEN}\n")
    return folder


def asking(hub: HubServer, tokens: Path | None = None, **limits: object) -> Fetcher:
    return fetcher(hub=hub.url, tokens=tokens, **limits)


def test_a_large_file_comes_from_the_store_that_the_hub_names(hub: HubServer, tmp_path: Path) -> None:
    assert asking(hub).fetch(URL, tmp_path / "w", SHA) == len(DATA)
    assert (tmp_path / "w").read_bytes() == DATA
    assert [(host, path.partition("?")[0]) for host, path, _ in hub.seen] == [
        ("127.0.0.1", f"/acme/matte/resolve/{COMMIT}/onnx/model.onnx"),
        ("localhost", f"/store/{SHA}"),
    ]


def test_a_small_file_comes_from_the_hub_itself(hub: HubServer, tmp_path: Path) -> None:
    url = f"hf://acme/matte@{COMMIT}/config.json"
    asking(hub).fetch(url, tmp_path / "w", hashlib.sha256(b"{}").hexdigest())
    assert (tmp_path / "w").read_bytes() == b"{}"


def test_the_token_is_sent_to_the_hub_and_to_nobody_else(hub: HubServer, tokens: Path, tmp_path: Path) -> None:
    hub.private.add("acme/matte")
    asking(hub, tokens).fetch(URL, tmp_path / "w", SHA)
    assert [(host, sent) for host, _, sent in hub.seen] == [("127.0.0.1", f"Bearer {TOKEN}"), ("localhost", "")]


def test_what_broke_off_is_resumed(hub: HubServer, tmp_path: Path) -> None:
    hub.cut = [100_000]
    asking(hub).fetch(URL, tmp_path / "w", SHA)
    assert (tmp_path / "w").read_bytes() == DATA
    assert len(hub.seen) == 4


def test_a_model_that_was_renamed_is_found(hub: HubServer, tmp_path: Path) -> None:
    hub.renamed["old/name"] = "acme/matte"
    asking(hub).fetch(URL.replace("acme/matte", "old/name"), tmp_path / "w", SHA)
    assert (tmp_path / "w").read_bytes() == DATA


def test_another_digest_is_known_before_the_file_is_fetched(hub: HubServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"the file's SHA-256 is {SHA}, the contract says {'0' * 64}"):
        asking(hub).fetch(URL, tmp_path / "w", "0" * 64)
    with pytest.raises(UsageError, match="larger than 10 bytes"):
        asking(hub, max_bytes=10).fetch(URL, tmp_path / "w", SHA)
    assert {host for host, _, _ in hub.seen} == {"127.0.0.1"}


def test_an_answer_for_another_commit_is_refused(hub: HubServer, tmp_path: Path) -> None:
    hub.commit = "f" * 40
    with pytest.raises(WorldError, match=f"answered for the commit {'f' * 40}"):
        asking(hub).fetch(URL, tmp_path / "w", SHA)


def test_a_pointer_in_place_of_the_file_is_named_as_that(hub: HubServer, tmp_path: Path) -> None:
    pointer = LFS_POINTER + f"oid sha256:{SHA}\nsize {len(DATA)}\n".encode()
    hub.small["acme/matte/raw.onnx"] = pointer
    with pytest.raises(WorldError, match="the server sent a Git LFS pointer, not the file"):
        asking(hub).fetch(f"hf://acme/matte@{COMMIT}/raw.onnx", tmp_path / "w", SHA)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    ("url", "with_token", "said"),
    [
        (
            URL.replace("matte", "absent"),
            False,
            "there is no such model, or it is private. Bind the workspace weights-cre",
        ),
        (URL.replace("matte", "absent"), True, "the token may not read the model, or it does not exist"),
        (
            URL.replace("matte", "gated"),
            False,
            "the model is gated. Accept its terms at https://huggingface.co/acme/gated",
        ),
        (
            URL.replace("matte", "gated"),
            True,
            "the model is gated. Accept its terms at https://huggingface.co/acme/gated",
        ),
        (
            URL.replace(COMMIT, "f" * 40),
            False,
            "the model has no such commit. See https://huggingface.co/acme/matte/comm",
        ),
        (
            URL.replace("model.onnx", "x"),
            False,
            "the model has no such file at this commit. See https://huggingface.co/",
        ),
    ],
)
def test_refusals_say_what_to_do(
    hub: HubServer, tokens: Path, tmp_path: Path, url: str, with_token: bool, said: str
) -> None:
    hub.large["acme/gated/onnx/model.onnx"] = DATA
    hub.gated.add("acme/gated")
    with pytest.raises(WorldError) as caught:
        asking(hub, tokens if with_token else None).fetch(url, tmp_path / "w", SHA)
    assert said in str(caught.value)
    assert url in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert len(hub.seen) == 1
