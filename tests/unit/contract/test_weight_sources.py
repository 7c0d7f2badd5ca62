"""Where weights may come from, and which of them a run may name."""

from __future__ import annotations

import pytest
from tests.unit.contract.given import contract_with

from penstock.contract.weight_sources import GivenWeights, given_weights, hub_file, in_place_of, source_kind
from penstock.foundation.errors import UsageError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("lfs", "lfs"),
        ("weights/a.onnx", "path"),
        ("https://example.org/a.onnx?x=1", "https"),
        ("HTTPS://example.org:8443/a", "https"),
        ("s3://my-bucket/a/b.onnx", "s3"),
        (f"hf://briaai/RMBG-1.4@{COMMIT}/onnx/model.onnx", "hf"),
    ],
)
def test_sources_that_are_fetched(source: str, kind: str) -> None:
    assert source_kind(source) == kind


@pytest.mark.parametrize(
    "source",
    [
        "http://example.org/a",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "FILE:x",
        "ftp://x/y",
        "ext::sh -c id",
        "ssh://x/y",
        "https://",
        "https:///a",
        "https://user:secret@example.org/a",
        "https://example.org/a b",
        "https://example.org:port/a",
        "s3://bucket",
        "s3:///key",
        "s3://Bucket_/key",
        f"hf://briaai@{COMMIT}/model.onnx",
        f"hf://briaai/RMBG@{COMMIT}/../x",
        f"hf://briaai/RMBG@{COMMIT}/",
        f"hf://briaai/RMBG@{COMMIT}/a?x=1",
        f"hf://briaai/RMBG/resolve@{COMMIT}/a",
    ],
)
def test_sources_that_are_not(source: str) -> None:
    with pytest.raises(UsageError) as caught:
        source_kind(source)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("revision", ["main", "v1.0", "0123456", COMMIT.upper()])
def test_a_revision_of_the_hub_that_can_be_moved_is_refused_with_the_way_to_its_commit(revision: str) -> None:
    with pytest.raises(UsageError, match="is not a commit: a branch or a tag can be moved") as caught:
        source_kind(f"hf://briaai/RMBG-1.4@{revision}/model.pth")
    assert f"'sha' of https://huggingface.co/api/models/briaai/RMBG-1.4/revision/{revision}" in str(caught.value)
    with pytest.raises(UsageError, match="it names no commit"):
        source_kind("hf://briaai/RMBG-1.4/model.pth")


def test_a_file_of_the_hub_has_the_hubs_address() -> None:
    file = hub_file(f"hf://briaai/RMBG-1.4@{COMMIT}/onnx/model fp16.onnx".replace(" ", "_"))
    assert file.address() == f"https://huggingface.co/briaai/RMBG-1.4/resolve/{COMMIT}/onnx/model_fp16.onnx"
    assert hub_file(f"hf://o/r@{COMMIT}/ä.bin").address("http://127.0.0.1:1").endswith("/%C3%A4.bin")


@pytest.mark.parametrize(
    ("text", "given"),
    [
        (f"https://x.org/a?b=c#sha256={DIGEST}", GivenWeights("", "https://x.org/a?b=c", DIGEST)),
        (f"https://x.org/?u=https://y.org#sha256={DIGEST}", GivenWeights("", "https://x.org/?u=https://y.org", DIGEST)),
        (f"w/a.onnx=s3://bucket/k#sha256={DIGEST.upper()}", GivenWeights("w/a.onnx", "s3://bucket/k", DIGEST)),
        (f"file:///tmp/a%23b%3D1#sha256={DIGEST}", GivenWeights("", "file:///tmp/a%23b%3D1", DIGEST)),
        (f"hf://o/r@{COMMIT}/f#sha256={DIGEST}", GivenWeights("", f"hf://o/r@{COMMIT}/f", DIGEST)),
    ],
)
def test_weights_that_a_run_names(text: str, given: GivenWeights) -> None:
    assert given_weights(text) == given
    assert given_weights(given.text()) == given


@pytest.mark.parametrize(
    "text",
    [
        "https://x.org/a",
        f"https://x.org/a#sha256={DIGEST[:-1]}",
        f"http://x.org/a#sha256={DIGEST}",
        f"weights/a.onnx#sha256={DIGEST}",
        f"hf://o/r@main/f#sha256={DIGEST}",
        f"https://u:p@x.org/a#sha256={DIGEST}",
    ],
)
def test_weights_that_no_run_may_name(text: str) -> None:
    with pytest.raises(UsageError):
        given_weights(text)


def test_which_file_is_replaced() -> None:
    one, two, none = contract_with("weights/a"), contract_with("weights/a", "weights/b"), contract_with()
    url = f"https://x.org/a#sha256={DIGEST}"
    assert in_place_of(one, given_weights(url)).path == "weights/a"
    assert in_place_of(two, given_weights(f"weights/b={url}")).path == "weights/b"
    for contract, text, said in (
        (two, url, "Say which: PATH=URL#sha256=DIGEST, PATH being one of weights/a, weights/b."),
        (one, f"weights/c={url}", "the contract has no weights 'weights/c'. It has: weights/a."),
        (none, url, "the contract names no weights"),
    ):
        with pytest.raises(UsageError) as caught:
            in_place_of(contract, given_weights(text))
        assert said in str(caught.value)
