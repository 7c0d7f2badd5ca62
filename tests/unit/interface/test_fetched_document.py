"""The document is asked of the service, or read from the repository, within limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.interface.small_service import Reply, SmallService, api, serving
from tests.unit.interface.test_sent_request import answering

from penstock.contract.interface import ServiceInterface
from penstock.interface import fetched_document as module
from penstock.interface.document import DocumentError
from penstock.interface.fetched_document import fetched_document

SERVED = ServiceInterface(document="/openapi.json")


def test_it_is_asked_of_the_service(tmp_path: Path) -> None:
    with serving(SmallService()) as service:
        assert fetched_document(SERVED, tmp_path, service.port).value == api()
    yaml = Reply(200, b"openapi: 3.0.0\npaths: {/a: {get: {responses: {200: {}}}}}\n", "application/yaml")
    with serving(SmallService(document=yaml)) as service:
        assert fetched_document(SERVED, tmp_path, service.port).operations[0].label == "GET /a"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", "compressed"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{", "does not send all of it"),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", "answers 301"),
        (b"HTTP/1.1 abc\r\n\r\n", "does not send it: BadStatusLine"),
        (b"", "does not send it: RemoteDisconnected"),
    ],
)
def test_what_the_service_does_not_send_as_it_is_says_so(said: bytes, why: str, tmp_path: Path) -> None:
    with answering(said) as url, pytest.raises(DocumentError) as told:
        fetched_document(SERVED, tmp_path, int(url.rstrip("/").rpartition(":")[2]))
    assert why in str(told.value)


def test_a_service_that_takes_its_time_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FETCH_S", 0.3)
    with answering(hold=True) as url, pytest.raises(DocumentError, match="does not send it: TimeoutError"):
        fetched_document(SERVED, tmp_path, int(url.rstrip("/").rpartition(":")[2]))


def test_it_is_read_from_the_repository(tmp_path: Path) -> None:
    def read(name: str) -> Any:
        return fetched_document(ServiceInterface(document=name), tmp_path, 0).value

    (tmp_path / "openapi.json").write_text(json.dumps(api()))
    assert read("openapi.json") == api()
    (tmp_path / "link.json").symlink_to("/etc/passwd")
    (tmp_path / "large.json").write_bytes(b" " * (5 << 20))
    for name in ("gone.json", "link.json", "large.json", "../x.json"):
        with pytest.raises(DocumentError):
            read(name)
