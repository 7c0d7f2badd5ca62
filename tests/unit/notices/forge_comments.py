"""The comment on a forge that the tests put, and where it may stand."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.notices.forge_server import TOKEN, Server

from penstock.foundation.errors import WorldError
from penstock.notices.forge import Posted, put_comment
from penstock.notices.forge_places import Address, Forge, Kind, open_place

MARK = "<!-- penstock: sonic release -->"
BODY = f"{MARK}\n## sonic 1.1.0: rejected\n"
COMMIT = "c0ffee" + "0" * 34
PULL = "/repos/example/sonic/issues/12/comments"
ON_COMMIT = f"/repos/example/sonic/commits/{COMMIT}/comments"
NOTES = "/projects/group/sub/sonic/merge_requests/12/notes"
GROUP_NOTES = "/projects/group/sonic/merge_requests/12/notes"
PLACES: dict[Kind, tuple[str, Address]] = {
    "github": (PULL, Address("github", "example/sonic", 12)),
    "gitea": (PULL, Address("gitea", "example/sonic", 12)),
    "gitlab": (NOTES, Address("gitlab", "group/sub/sonic", 12)),
}


def put(server: Server, address: Address, body: str = BODY, *, token: str = TOKEN, api: str = "") -> Posted | None:
    forge = Forge(address.kind, server.url + api, token)
    return put_comment(lambda: open_place(forge, address), MARK, body, sleep=lambda _: None)


def refused(server: Server, address: Address, **more: Any) -> str:
    with pytest.raises(WorldError) as caught:
        put(server, address, **more)
    assert TOKEN not in str(caught.value)
    return str(caught.value)
