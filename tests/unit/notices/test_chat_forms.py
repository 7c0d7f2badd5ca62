"""Each service's form: within its limit, two lines first, and hostile text is nothing but text."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.notices.hostile import hostile_text, lines, long_text

from penstock.notices.chat_forms import (
    MAIL_BYTES,
    dingtalk_form,
    feishu_form,
    full_width,
    inert,
    mail_form,
    markdown_form,
    packed,
    slack_form,
    teams_form,
    wecom_form,
)
from penstock.notices.notice import Notice, NoticeLink, Tone

LINKS = (
    NoticeLink("report", "https://reports.example.org/sonic/run-7/report/index.html"),
    NoticeLink("commit", f"https://github.com/acme/sonic/commit/{'c' * 40}?a=1&b=2"),
)
OURS = {link.url for link in LINKS}

texts = st.one_of(hostile_text, long_text)
tones: st.SearchStrategy[Tone] = st.sampled_from(["info", "success", "warning", "failure"])
notices = st.builds(Notice, what=texts, why=texts, links=st.just(LINKS), details=lines.map(tuple), tone=tones)
SAMPLE = Notice("sonic 1.1.0: rejected", "LSE-D rose.", LINKS, tuple(f"rule {n} rose" for n in range(3_000)), "failure")
CHINESE = Notice("模型" * 600, "原因" * 600, LINKS, ("细节" * 300,) * 9, "warning")
check = settings(max_examples=25, deadline=None)
Shape = Callable[[Notice], dict[str, Any]]


def every_text(value: Any) -> Iterator[str]:
    """All strings of a form but its links, names and kinds."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in ("url", "href", "$schema", "contentType", "type", "tag"):
                yield from every_text(each)
    elif isinstance(value, list):
        for each in value:
            yield from every_text(each)
    elif isinstance(value, str):
        yield value


def hold_inert(text: str) -> None:
    """Nothing that a service makes a link or a mention of, and nothing that hides or turns what stands there."""
    assert "//" not in text
    assert "@" not in text
    assert not re.search(r"\w\.[^\W\d_]", text), text
    assert not re.search(r"(?i)\bwww\.", text)
    odd = [c for c in text if not c.isprintable() and c not in "\n\u200b"]
    assert not odd, f"{odd!r}"


@pytest.mark.slow
@check
@given(notice=notices)
@example(notice=CHINESE)
@example(notice=SAMPLE)
def test_wecom(notice: Notice) -> None:
    content = wecom_form(notice)["markdown"]["content"]
    assert len(content.encode()) <= 2048
    rest = content
    for link in LINKS:
        rest = rest.replace(f"[{link.label}]({link.url})", "")
    hold_inert(re.sub(r'^(\*\*|<font color="(info|warning)">)(.*)(\*\*|</font>)$', r"\3", rest, count=1, flags=re.M))
    first, _, following = rest.partition("\n")
    body = re.sub(r'^(?:\*\*|<font color="(?:info|warning)">)(.*)(?:\*\*|</font>)$', r"\1", first)
    following = re.sub(r"(?m)^> ", "", following)
    assert not re.search(r"[\\`*<>\[\]|~!]", body + following), "no markup but ours"
    assert not re.search(r"(?m)^(#|>|- |\d+\. )", following)


@check
@given(notice=notices)
@example(notice=CHINESE)
@example(notice=SAMPLE)
def test_dingtalk(notice: Notice) -> None:
    form = dingtalk_form(notice)
    assert len(packed(form)) <= 20_000
    assert form["at"] == {"isAtAll": False}
    assert form["markdown"]["title"]
    hold_inert(form["markdown"]["title"])
    rest = form["markdown"]["text"]
    for link in LINKS:
        rest = rest.replace(f"[{link.label}]({link.url})", "")
    hold_inert(rest)
    assert not re.search(r"[\\`<\[\]|~!]", rest)


@pytest.mark.slow
@check
@given(notice=notices)
@example(notice=CHINESE)
@example(notice=SAMPLE)
def test_feishu(notice: Notice) -> None:
    form = feishu_form(notice)
    assert len(packed({"timestamp": "1700000000", "sign": "s" * 44, **form})) <= 20 << 10
    post = form["content"]["post"]["zh_cn"]
    elements = [element for paragraph in post["content"] for element in paragraph]
    assert {element["tag"] for element in elements} <= {"text", "a"}, "nobody is named"
    assert {element["href"] for element in elements if element["tag"] == "a"} <= OURS
    assert all("un_escape" not in element for element in elements)
    for text in every_text(post):
        hold_inert(text)


@pytest.mark.slow
@check
@given(notice=notices)
@example(notice=CHINESE)
@example(notice=SAMPLE)
def test_slack(notice: Notice) -> None:
    form = slack_form(notice)
    for block in form["blocks"]:
        size = len(block["text"]["text"].encode("utf-16-le")) // 2
        assert 0 < size <= (150 if block["type"] == "header" else 3000)
        if block["text"]["type"] == "mrkdwn":
            urls = re.findall(r"<([^|>]+)\|(?:report|commit)>", block["text"]["text"])
            assert {html.unescape(url) for url in urls} <= OURS
        else:
            assert block["text"] | {"text": ""} == {"type": "plain_text", "text": "", "emoji": False}
            hold_inert(block["text"]["text"])
            assert not re.search("[<>]|&(?!amp;|lt;|gt;)", block["text"]["text"])
    hold_inert(form["text"])
    assert not re.search("[<>]|&(?!amp;|lt;|gt;)", form["text"])


@pytest.mark.slow
@check
@given(notice=notices)
@example(notice=CHINESE)
@example(notice=SAMPLE)
def test_teams(notice: Notice) -> None:
    form = teams_form(notice)
    assert len(packed(form).decode().encode("utf-16-le")) <= 28 << 10
    card = form["attachments"][0]["content"]
    assert "msteams" not in card, "nobody is named"
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {action["url"] for action in card["actions"]} <= OURS
    for text in every_text(card["body"]):
        hold_inert(text)


@pytest.mark.slow
@check
@given(notice=notices)
@example(notice=CHINESE)
@example(notice=SAMPLE)
def test_mail(notice: Notice) -> None:
    subject, body = mail_form(notice)
    assert "\n" not in subject
    hold_inert(subject)
    assert len(body.encode()) <= MAIL_BYTES
    for url in OURS:
        body = body.replace(f'<a href="{html.escape(url)}">{html.escape(url)}</a>', "")
    for line in body.splitlines():
        inner = re.fullmatch(r"<p>(?:<b>)?(.*?)(?:</b>)?</p>", line)
        assert inner is not None
        assert not re.search("[<>\"']", inner[1])
        hold_inert(html.unescape(inner[1]))


@check
@given(notice=notices, limit=st.integers(200, 5_000))
@example(notice=CHINESE, limit=1_000)
def test_any_other_service(notice: Notice, limit: int) -> None:
    title, body = markdown_form(notice, limit)
    assert "\n" not in title
    assert len(body.encode()) <= limit
    for link in LINKS:
        body = body.replace(f"[{link.label}]({link.url})", "")
    hold_inert(body)
    assert not re.search(r"(?<!\\)[`*\[<>|~!]", body.replace(r"\\", ""))


@pytest.mark.parametrize("form", [wecom_form, dingtalk_form, feishu_form, slack_form, teams_form])
def test_two_lines_and_the_links_come_first_and_what_is_left_out_is_said(form: Shape) -> None:
    texts = json.dumps(form(SAMPLE), ensure_ascii=False)
    places = [texts.index(words) for words in ("sonic 1.1", "LSE-D rose", "rule 0 rose")]
    assert places == sorted(places)
    assert all(url in texts or url.replace("&", "&amp;") in texts for url in OURS)
    found = re.search(r"… and (\d+) more lines in the report", texts)
    assert found is not None
    kept = set(map(int, re.findall(r"rule (\d+) rose", texts)))
    assert kept == set(range(3_000 - int(found[1]))), "whole lines, none between left out"


def test_names_stay_readable() -> None:
    assert full_width("my_model v1_2+b: LSE-D ≤ 9") == "my_model v1_2+b: LSE-D ≤ 9"
    assert full_width("a*b <c>") == "a＊b ＜c＞"
    assert inert("1.1.0 of sonic.mp4") == "1.1.0 of sonic.\u200bmp4"


def test_a_letter_keeps_its_accents() -> None:
    what = wecom_form(Notice("e\u0301" * 900, ""))["markdown"]["content"].splitlines()[0]
    assert re.fullmatch("(e\u0301)+…", what.removeprefix("**").removesuffix("**"))
