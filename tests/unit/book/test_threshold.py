"""What every request passes, and what every answer carries."""

from __future__ import annotations

import hashlib

from tests.unit.book.made_store import MODEL, BookClient, client_of

from penstock.book.access import Door, networks
from penstock.store.local import LocalStore

TOKEN = "a-token-of-enough-characters"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()


def test_nothing_without_a_token(made: LocalStore) -> None:
    book = client_of(made, Door(tokens={DIGEST: "ann"}))
    for address in ("/", f"/models/{MODEL}", "/search?q=a", "/compare", "/nothing", "//healthz/../"):
        answer = book.get(address)
        assert (answer.status_code, MODEL in answer.text) == (401, False)
        assert answer.headers["www-authenticate"].startswith("Basic ")
    assert book.get("/", {"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert book.get("/healthz").status_code == 200
    # a link asks for its ticket, not for a token
    assert book.get(f"/shared/0-x/{MODEL}/run-1").status_code == 403


def test_a_header_of_the_proxy(made: LocalStore) -> None:
    door = Door(user_header="X-Forwarded-User", proxies=networks(["10.0.0.0/8"]))
    said = {"X-Forwarded-User": "ann"}
    assert client_of(made, door, peer="10.1.1.1").get("/", said).status_code == 200
    refused = client_of(made, door, peer="192.0.2.1").get("/", said)
    assert refused.status_code == 401
    assert "www-authenticate" not in refused.headers


def test_another_name_for_this_machine(book: BookClient) -> None:
    answer = book.get("/", {"Host": "evil.example"})
    assert (answer.status_code, MODEL in answer.text) == (421, False)
    assert book.get("/", {"Host": "127.0.0.1:8765"}).status_code == 200


def test_headers_of_every_answer(book: BookClient) -> None:
    for address in ("/", "/nothing", "/healthz", "/book.css"):
        headers = book.get(address).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert "script-src" not in headers["content-security-policy"]
