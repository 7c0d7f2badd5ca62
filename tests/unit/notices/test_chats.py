"""Addresses of chat robots, and their answers: a lost message is never taken for one that arrived."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.notices.chat_server import HOOK, KEY, SECRET

from penstock.foundation.errors import UsageError
from penstock.notices.chats import find_chat
from penstock.notices.notice import Notice

NOTICE = Notice("sonic 1.1.0: rejected", "why")
TEAMS = HOOK.format(host="prod-1.westeurope.logic.azure.com:443") + f"&sv=1.0&sig={KEY}"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (f"wecombot://{KEY}", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"),
        (
            f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
            f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
        ),
        (f"dingtalk://{KEY}/", f"https://oapi.dingtalk.com/robot/send?access_token={KEY}"),
        (f"feishu://{KEY}", f"https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}"),
        (f"lark://{KEY}", f"https://open.larksuite.com/open-apis/bot/v2/hook/{KEY}"),
        ("slack://T1/B1/x", "https://hooks.slack.com/services/T1/B1/x"),
        ("https://hooks.slack.com/services/T1/B1/x", "https://hooks.slack.com/services/T1/B1/x"),
        (TEAMS, TEAMS),
    ],
)
def test_addresses(address: str, url: str) -> None:
    chat = find_chat(address)
    assert chat is not None
    assert chat.request(NOTICE, 0.0).url == url


def test_signed_requests_are_as_documented() -> None:
    chat = find_chat(f"dingtalk://{SECRET}@{KEY}")
    assert chat is not None
    url = chat.request(NOTICE, 1_700_000_000.5).url
    assert url.endswith("&timestamp=1700000000500&sign=" + url.rpartition("=")[2])
    assert url.rpartition("=")[2].endswith("%3D"), "base64, encoded once"
    chat = find_chat(f"feishu://{SECRET}@{KEY}")
    assert chat is not None
    assert b'"timestamp":"1700000000","sign":"' in chat.request(NOTICE, 1_700_000_000.5).body


@pytest.mark.parametrize("address", ["json://localhost/a", "mailto://a:b@example.org", "slack://xoxb-1-2-x/#general"])
def test_others_are_left_to_apprise(address: str) -> None:
    assert find_chat(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "wecombot://",
        f"wecombot://{SECRET}@{KEY}",
        f"wecombot://{KEY}/more",
        "dingtalk://a%2Fb",
        "msteams://a/b/c",
        f"workflows://host/{KEY}/sig",
        HOOK.format(host="host"),
        HOOK.format(host="me:hunter2@host") + f"&sig={KEY}",
    ],
)
def test_what_cannot_be_one_says_what_can_and_shows_no_secret(address: str) -> None:
    with pytest.raises(UsageError, match="Give ") as caught:
        find_chat(address)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("service", ["wecombot://k", "dingtalk://k", "feishu://k", "slack://a/b/c"])
@given(status=st.sampled_from([200, 204, 302, 400, 500]), content=st.binary(max_size=30))
@settings(max_examples=30, deadline=None)
def test_what_is_not_said_to_be_taken_is_not(service: str, status: int, content: bytes) -> None:
    chat = find_chat(service)
    assert chat is not None
    if content.strip() != b"ok":
        assert chat.fault(status, content) is not None


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"errcode": true}', b'{"errcode": "0"}', b'{"errcode": 0.0}', b"[" * 60_000, b"ok"],
)
def test_odd_answers(content: bytes) -> None:
    for service in ("wecombot://k", "dingtalk://k", "feishu://k"):
        chat = find_chat(service)
        assert chat is not None
        assert chat.fault(200, content) is not None
