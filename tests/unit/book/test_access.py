"""Who is let in, and what a ticket opens."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.book.access import Door, Tickets, checked_key, networks, raters_door, read_key, read_tokens
from penstock.foundation.errors import UsageError

TOKEN = "a-token-of-enough-characters"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_without_a_lock_everybody_is_let_in() -> None:
    assert Door().open
    assert Door().reader({}, "10.0.0.1") == "anybody"


def test_tokens() -> None:
    door = Door(tokens={DIGEST: "ann"})
    assert door.reader({"authorization": f"Bearer {TOKEN}"}, "10.0.0.1") == "ann"
    assert door.reader(basic("whoever", TOKEN), "10.0.0.1") == "ann"
    refused = [{}, {"authorization": f"Bearer {TOKEN}x"}, {"authorization": "Basic %%%"}, {"authorization": DIGEST}]
    refused += [basic(TOKEN, ""), {"authorization": f"Bearer {DIGEST}"}, {"authorization": "Basic /w=="}]
    assert [door.reader(headers, "127.0.0.1") for headers in refused] == [None] * len(refused)


def test_a_short_token_is_never_one() -> None:
    assert (
        Door(tokens={hashlib.sha256(b"short").hexdigest(): "ann"}).reader({"authorization": "Bearer short"}, "") is None
    )


def test_a_header_is_believed_from_the_proxy_alone() -> None:
    door = Door(user_header="X-Forwarded-User", proxies=networks(["10.0.0.0/8", "fd00::1"]))
    said = {"x-forwarded-user": "ann"}
    assert door.reader(said, "10.1.2.3") == "ann"
    assert door.reader(said, "::ffff:10.1.2.3") == "ann"
    assert door.reader(said, "fd00::1") == "ann"
    for peer in ("11.0.0.1", "127.0.0.1", "fd00::2", "", "unix"):
        assert door.reader(said, peer) is None
    assert door.reader({"x-forwarded-user": " "}, "10.1.2.3") is None
    assert door.reader({"x-forwarded-user": "a" * 300}, "10.1.2.3") is None
    assert door.reader({}, "10.1.2.3") is None


def test_a_file_of_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"# the team\n\nann sha256:{DIGEST}\nbob  sha256:{'0' * 64}\n")
    assert read_tokens(path) == {DIGEST: "ann", "0" * 64: "bob"}
    for content, words in (
        ("", "has no token"),
        (f"ann {TOKEN}\n", "tokens:1: this is not a name and the digest"),
        (f"\nann sha256:{'0' * 63}\n", "tokens:2:"),
    ):
        path.write_text(content)
        with pytest.raises(UsageError) as caught:
            read_tokens(path)
        assert words in str(caught.value)
        assert TOKEN not in str(caught.value)


def test_keys(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"x" * 32 + b"\n")
    assert read_key(tmp_path / "key") == b"x" * 32
    with pytest.raises(UsageError, match="at least 32 bytes"):
        checked_key(b" " * 40, where="KEY")


def test_networks() -> None:
    with pytest.raises(UsageError, match="not a network"):
        networks(["proxy.example.org"])


def test_a_ticket_opens_one_thing_for_a_while() -> None:
    now = 1_000_000.0
    tickets = Tickets(b"k" * 32, clock=lambda: now)
    expires = tickets.until(60)
    assert expires % 3600 == 0
    assert expires >= now + 60
    ticket = tickets.issue("m/run-1", expires)
    assert tickets.expiry(ticket, "m/run-1") == expires
    assert tickets.expiry(ticket, "m/run-2", "m/run-1") == expires
    assert tickets.expiry(ticket, "m/run-2") is None
    assert Tickets(b"l" * 32, clock=lambda: now).expiry(ticket, "m/run-1") is None
    longer = f"{expires + 3600}-{ticket.partition('-')[2]}"
    assert tickets.expiry(longer, "m/run-1") is None
    now = expires
    assert tickets.expiry(ticket, "m/run-1") is None


@settings(max_examples=50)
@given(st.text(max_size=80), st.text(max_size=20))
def test_nothing_made_up_is_a_ticket(ticket: str, what: str) -> None:
    assert Tickets(b"k" * 32, clock=lambda: 0).expiry(ticket, what) is None


def test_raters_have_tokens_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "raters.txt"

    def door(*lines: str) -> Door:
        file.write_text("\n".join(lines))
        return raters_door(file, {"b" * 64: "reader"})

    assert door(f"ann sha256:{'a' * 64}").tokens == {"a" * 64: "ann"}
    for wrong, why in (
        ([f"../ann sha256:{'a' * 64}"], "cannot be a rater's name"),
        ([f"ann sha256:{'a' * 64}", f"ann sha256:{'c' * 64}"], "two tokens"),
        ([f"ann sha256:{'b' * 64}"], "reads the book as well"),
    ):
        with pytest.raises(UsageError, match=why):
            door(*wrong)


def test_one_token_is_not_two_peoples(tmp_path: Path) -> None:
    path = tmp_path / "raters.txt"
    path.write_text(f"ann sha256:{'a' * 64}\nann sha256:{'a' * 64}\n")
    assert read_tokens(path) == {"a" * 64: "ann"}
    path.write_text(f"ann sha256:{'a' * 64}\nbob sha256:{'a' * 64}\n")
    with pytest.raises(UsageError, match="'bob' has the token of 'ann'"):
        read_tokens(path)
