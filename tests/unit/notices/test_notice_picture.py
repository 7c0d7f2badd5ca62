"""The picture of a message: as each service takes it, and the words alone where it does not."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.notices.chat_server import ChatServer, chat_server
from tests.unit.notices.hostile import hostile_text
from tests.unit.notices.mail_server import mail_server
from tests.unit.report.verdicts import RUN

from penstock.bundle.directory import Bundle
from penstock.bundle.verdict_record import Verdict
from penstock.foundation.errors import UsageError
from penstock.notices.chat_forms import packed, slack_form, teams_form
from penstock.notices.chat_post import post_notice
from penstock.notices.chats import find_chat
from penstock.notices.notice import Notice, NoticeLink, NoticePicture
from penstock.notices.notice_links import links_of, values_of
from penstock.notices.notice_picture import picture_of
from penstock.notices.notify import notify
from penstock.report.picture_files import pictures_dir

PNG = cv2.imencode(".png", np.zeros((2, 2), np.uint8))[1].tobytes()
URL = "https://reports.example.org/release-7/report/pictures/worst.png?a=1&b=2"
NOTICE = Notice("sonic 1.1.0: rejected", "LSE-D rose.", (NoticeLink("report", "https://r.example.org/7"),), ("FID",))


def picture(folder: Path, url: str = URL, alt: str = "The worst case of sonic 1.1.0") -> NoticePicture:
    (folder / "worst.png").write_bytes(PNG)
    return NoticePicture(folder / "worst.png", alt, NoticeLink("picture", url) if url else None, attached=True)


@pytest.fixture
def drawn(tmp_path: Path) -> Bundle:
    bundle = Bundle(tmp_path / "bundle")
    pictures_dir(bundle).mkdir(parents=True)
    (pictures_dir(bundle) / "worst.png").write_bytes(PNG)
    bundle.update_run(RUN)
    bundle.write_verdict(Verdict(verdict="fail", baseline=None, candidate="new", level=0.05, rules=[]))
    return bundle


def post(server: ChatServer, service: str, shown: NoticePicture) -> list[dict[str, Any]]:
    chat = find_chat(server.address(service), server.places)
    assert chat is not None
    assert post_notice(chat, replace(NOTICE, picture=shown), sleep=lambda _: None) == ""
    return server.taken


def test_where_a_run_has_its_picture(drawn: Bundle, tmp_path: Path) -> None:
    (tmp_path / "links").write_text("report https://r.example.org/{run}\npicture https://r.example.org/{run}/w.png\n")
    found = picture_of(drawn, "Completed", tmp_path)
    assert found is not None
    assert found.link is not None
    assert (found.link.url, found.alt) == ("https://r.example.org/release-7/w.png", "The worst case of sonic 1.1.0")
    assert [link.label for link in links_of(values_of(RUN), tmp_path)] == ["report"]
    (tmp_path / "links").unlink()
    without = picture_of(drawn, "Completed", tmp_path)
    assert without is not None
    assert without.link is None
    assert picture_of(drawn, "Failed", tmp_path) is None
    drawn.verdict_file.unlink()
    assert picture_of(drawn, "Completed", tmp_path) is None


def test_a_picture_that_is_to_be_sent_itself(drawn: Bundle, tmp_path: Path) -> None:
    def found(lines: str) -> NoticePicture:
        (tmp_path / "links").write_text(lines)
        shown = picture_of(drawn, "Completed", tmp_path)
        assert shown is not None
        return shown

    both = found("picture attached\npicture https://r.example.org/{run}/w.png\n")
    assert both.attached
    assert both.link == NoticeLink("picture", "https://r.example.org/release-7/w.png")
    itself = found("picture  attached  \n")
    assert itself.attached
    assert itself.link is None
    assert links_of(values_of(RUN), tmp_path) == ()
    assert not found("picture https://r.example.org/w.png\n").attached, "an address asks for nothing else"
    assert not found("").attached
    with pytest.raises(UsageError, match="does not lead"):
        found("report attached\n")


def test_a_picture_that_lies_with_the_evidence(drawn: Bundle, tmp_path: Path) -> None:
    (tmp_path / "links").write_text("picture https://e.example.org/{evidence}/report/pictures/worst.png\n")
    found = picture_of(drawn, "Completed", tmp_path, evidence="runs/sonic/release-7")
    assert found is not None
    assert found.link is not None
    assert found.link.url == "https://e.example.org/runs/sonic/release-7/report/pictures/worst.png"
    early = picture_of(drawn, "Completed", tmp_path)
    assert early is not None
    assert early.link is None


@pytest.mark.parametrize(
    ("service", "found"),
    [
        ("slack", {"type": "image", "image_url": URL, "alt_text": "The worst case of sonic 1.\u200b1.\u200b0"}),
        ("workflows", {"type": "Image", "url": URL}),
        ("feishu", {"tag": "a", "text": "picture ", "href": URL}),
        ("dingtalk", f"![picture]({URL})"),
    ],
)
def test_services_that_show_a_picture_by_its_address(tmp_path: Path, service: str, found: object) -> None:
    with chat_server() as server:
        (taken,) = post(server, service, picture(tmp_path))
        if service == "slack":
            shown = taken["blocks"][-1]
            assert shown | {"alt_text": ""} == {"type": "image", "image_url": URL, "alt_text": ""}
            assert shown["alt_text"].startswith("The worst case of sonic 1.")
        elif service == "workflows":
            shown = taken["attachments"][0]["content"]["body"][2]
            assert (shown["type"], shown["url"], shown["size"]) == ("Image", URL, "Stretch")
        elif service == "feishu":
            assert taken["content"]["post"]["zh_cn"]["content"][-1] == [found]
        else:
            assert taken["markdown"]["text"].endswith(str(found))


@pytest.mark.parametrize("service", ["slack", "workflows", "feishu", "dingtalk"])
def test_without_an_address_the_words_are_what_they_were(tmp_path: Path, service: str) -> None:
    with chat_server() as server:
        post(server, service, picture(tmp_path, ""))
        chat = find_chat(server.address(service), server.places)
        assert chat is not None
        assert post_notice(chat, NOTICE) == ""
        assert server.taken[0] == server.taken[1]


def test_wecom_gets_the_picture_itself_after_the_words(tmp_path: Path) -> None:
    with chat_server() as server:
        words, shown = post(server, "wecombot", picture(tmp_path, ""))
    assert words["msgtype"] == "markdown"
    assert base64.b64decode(shown["image"]["base64"]) == PNG


def test_wecom_gets_words_alone_where_nobody_asked_for_more(tmp_path: Path) -> None:
    with chat_server() as server:
        (words,) = post(server, "wecombot", replace(picture(tmp_path), attached=False))
    assert words["msgtype"] == "markdown"


@pytest.mark.parametrize("content", [b"", b"no PNG", None])
def test_a_picture_that_wecom_refuses_leaves_the_words(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    shown = picture(tmp_path)
    if content is None:
        shown.path.unlink()
    else:
        shown.path.write_bytes(content)
    with chat_server() as server:
        (words,) = post(server, "wecombot", shown)
    assert words["msgtype"] == "markdown"
    assert "wecombot://…" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_picture_that_slack_cannot_get_leaves_the_words(tmp_path: Path) -> None:
    with chat_server() as server:
        server.fetches = False
        (taken,) = post(server, "slack", picture(tmp_path))
        assert server.requests == 2
    assert {block["type"] for block in taken["blocks"]} == {"header", "section"}


def test_a_message_that_is_refused_with_and_without_a_picture_is_lost(tmp_path: Path) -> None:
    with chat_server() as server:
        chat = find_chat(server.address("workflows", key="other2other2"), server.places)
        assert chat is not None
        said = post_notice(chat, replace(NOTICE, picture=picture(tmp_path)))
        assert said == "HTTP 401: The signature is not valid."
        assert server.requests == 2


@pytest.mark.slow
def test_a_mail_shows_the_picture_that_it_holds(tmp_path: Path) -> None:
    with mail_server() as mail:
        shown = replace(NOTICE, picture=picture(tmp_path, "", '"><b>worst</b>'))
        assert notify([f"{mail.address}&to=ann@example.org"], shown).sent == 1
        (found,) = mail.mails
    html = found.get_body(("html",))
    assert html is not None
    assert 'src="cid:worst.png"' in html.get_content()
    assert "<b>worst" not in html.get_content()
    (image,) = [part for part in found.walk() if part.get_content_type() == "image/png"]
    assert image.get_payload(decode=True) == PNG
    assert image["Content-ID"] == "<worst.png>"
    assert "inline" in image["Content-Disposition"]


@pytest.mark.slow
def test_a_mail_has_words_alone_where_nobody_asked_for_more(tmp_path: Path) -> None:
    with mail_server() as mail:
        shown = replace(NOTICE, picture=replace(picture(tmp_path), attached=False))
        assert notify([f"{mail.address}&to=ann@example.org"], shown).sent == 1
        (found,) = mail.mails
    assert "cid:" not in found.as_string()
    assert not [part for part in found.walk() if part.get_content_maintype() == "image"]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile_text)
def test_what_a_picture_shows_is_text_and_fits(tmp_path: Path, alt: str) -> None:
    long = Notice("模型" * 600, "原因" * 600, NOTICE.links, ("细节" * 300,) * 9)
    url = "https://r.example.org/" + "a" * 970
    shown = replace(long, picture=picture(tmp_path, url, alt * 50))
    assert 2 * len(packed(teams_form(shown)).decode()) <= 28 << 10
    (block,) = [each for each in slack_form(shown)["blocks"] if each["type"] == "image"]
    assert 0 < len(block["alt_text"]) <= 2_000
    assert "://" not in block["alt_text"]
