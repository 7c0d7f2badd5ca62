"""``--weights``: files of this machine and addresses."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from penstock.contract.weight_sources import given_weights
from penstock.foundation.errors import UsageError
from penstock.local_run.run_weights import weights_param

DIGEST = hashlib.sha256(b"new").hexdigest()


@pytest.mark.parametrize("name", ["new.onnx", "größe 2#1=x.onnx"])
def test_a_file_is_named_by_its_place_and_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"new")
    monkeypatch.chdir(tmp_path)
    given = given_weights(weights_param(name)["weights"])
    assert (given.path, given.source, given.sha256) == ("", file.as_uri(), DIGEST)
    given = given_weights(weights_param(f"weights/a.onnx={file}")["weights"])
    assert (given.path, given.source, given.sha256) == ("weights/a.onnx", file.as_uri(), DIGEST)


def test_an_address_has_its_digest_with_it() -> None:
    assert weights_param("") == {}
    url = f"https://x.org/a?b=c#sha256={DIGEST}"
    assert weights_param(url) == {"weights": url}
    with pytest.raises(UsageError, match="#sha256="):
        weights_param("https://x.org/a")


@pytest.mark.parametrize("text", ["absent.onnx", "a=absent.onnx", "."])
def test_what_is_no_file_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--weights"):
        weights_param(text)
