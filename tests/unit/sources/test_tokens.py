"""Tokens of hosts, as a secret is mounted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.sources.fetched_file import DATA, SHA, fetcher
from tests.unit.sources.source_servers import FileServer, content

from penstock.foundation.errors import UsageError
from penstock.sources.tokens import token_for


def test_a_host_has_the_token_in_the_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "huggingface.co").write_text("hf_abc\n")
    assert token_for(tmp_path, "HuggingFace.co") == "hf_abc"
    assert token_for(tmp_path, "cdn.huggingface.co") == ""
    assert token_for(None, "huggingface.co") == ""
    for host in ("", "..", "../tokens", "a/b", "huggingface.co."):
        assert token_for(tmp_path, host) == ""


@pytest.mark.parametrize("text", ["", "two words", "line\nline", "ümlaut", "x" * 9000])
def test_what_is_no_token_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.org").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"weights-credentials/x.org: this is not a token") as caught:
        token_for(tmp_path, "x.org")
    assert not text or text not in str(caught.value)


def test_it_is_sent_over_https_too(file_server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "127.0.0.1").write_text("secret")
    seen: list[str | None] = []
    file_server.answers = [lambda handler: (seen.append(handler.headers["Authorization"]), content(DATA)(handler))[1]]
    fetcher(tokens=tmp_path).fetch(f"{file_server.url}/w", tmp_path / "w", SHA)
    assert seen == ["Bearer secret"]
