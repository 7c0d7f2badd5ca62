"""A message in the form of each service: its markup, its limit, and nothing in it that the service finds by itself.

Where a service has a form in which text is text (Feishu's posts, Slack's ``plain_text``, Teams' text runs), that one is
taken; WeCom's and DingTalk's Markdown know no escape, so characters that mean something there are written full width.

Sources: WeCom, https://developer.work.weixin.qq.com/document/path/91770; DingTalk,
https://open.dingtalk.com/document/group/custom-robot-access; Feishu,
https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot; Slack, https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
and …/reference/block-kit/blocks; Teams,
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook and
https://adaptivecards.io/explorer/TextRun.html.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from typing import Any

from penstock.foundation.errors import printable
from penstock.notices.notice import MAX_URL_CHARACTERS, Notice, NoticeLink, NoticePicture, clipped, fitted
from penstock.report.summary import FORMATTING, INVISIBLE, bare, plain, unlinked

WECOM_BYTES = 2_048
"""Of the content, in UTF-8: what WeCom takes as ``text``, and as ``markdown`` from applications. A robot's ``markdown``
may have 4,096."""
DINGTALK_BYTES = 20_000
"""Of the whole request."""
FEISHU_BYTES = 20 << 10
"""Of the whole request."""
SLACK_CHARACTERS = 3_000
"""Of the text of a section."""
SLACK_HEADER_CHARACTERS = 150
MAX_ALT = 300
"""Of what a picture shows, in words."""
TEAMS_BYTES = 28 << 10
"""Of the whole request, counted as UTF-16."""
MAIL_BYTES = 100_000
"""No limit of mail: what anybody reads."""
_DOT = re.compile(r"(?<=\w)\.(?=[^\W\d_])")
"""In ``evil.com``: chats make a link of that without a scheme."""
_LOOKALIKES = {"//": "\u2215\u2215", "@": "\uff20"}
"""An invisible space within an address is not enough here: some chats take it for a letter, and browsers drop it."""
_FULL_WIDTH = {character: chr(ord(character) + 0xFEE0) for character in "\\`*<>[]|~!_&"}
_AT_LINE_START = re.compile(r"^(?=[#>+=-]|\d+[.)])")
_TONES = {"success": "info", "warning": "warning", "failure": "warning"}
_COLOURS = {"success": "good", "warning": "warning", "failure": "attention", "info": "default"}


def inert(text: str) -> str:
    """One line in which no service finds an address or a name to notify, for forms where text is text.

    Control characters are written out, so that none turns the reading direction round.
    """
    return _disarmed(unlinked(printable(" ".join(text.split()))))


def full_width(text: str) -> str:
    """:func:`inert`, for Markdown that knows no escapes: what is markup there is written as its full-width form."""
    words = FORMATTING.sub(lambda found: _FULL_WIDTH[found[0]], printable(" ".join(text.split())))
    return _AT_LINE_START.sub(INVISIBLE, _disarmed(unlinked(words)))


def _disarmed(text: str) -> str:
    """``text`` without an address or a name that a chat could find."""
    for found, lookalike in _LOOKALIKES.items():
        text = text.replace(found, lookalike)
    return _DOT.sub(f".{INVISIBLE}", text)


def packed(form: dict[str, Any]) -> bytes:
    """A request's body."""
    return json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode()


def wecom_form(notice: Notice) -> dict[str, Any]:
    """WeCom's ``markdown``: the first line coloured or bold, further lines as quotes."""
    colour = _TONES.get(notice.tone)
    before, after = (f'<font color="{colour}">', "</font>") if colour else ("**", "**")
    lines = _markdown_lines(notice, WECOM_BYTES, before, after, "\n")
    return {"msgtype": "markdown", "markdown": {"content": "\n".join(lines)}}


def dingtalk_form(notice: Notice) -> dict[str, Any]:
    """DingTalk's ``markdown``, whose lines are paragraphs; nobody is named in ``at``."""
    head = full_width(clipped(notice.what, lambda text: len(full_width(text)) <= 100) or "…")
    # In JSON each line end takes four bytes: "\n\n" is written as escapes.
    link = notice.picture.link if notice.picture is not None else None
    lines = _markdown_lines(notice, DINGTALK_BYTES - 600 - MAX_URL_CHARACTERS, "**", "**", "\\n\\n")
    lines += [f"![{link.label}]({link.url})"] if link is not None else []
    return {"msgtype": "markdown", "markdown": {"title": head, "text": "\n\n".join(lines)}, "at": {"isAtAll": False}}


def wecom_picture(content: bytes) -> dict[str, Any]:
    """WeCom's ``image``, a message of its own: the file itself, PNG or JPEG, at most 2 MB."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return {"msgtype": "image", "image": {"base64": base64.b64encode(content).decode("ascii"), "md5": digest}}


def _markdown_lines(notice: Notice, limit: int, before: str, after: str, end: str) -> list[str]:
    def size(text: str) -> int:
        return len(text.encode()) + len(end)

    kept = fitted(
        notice,
        limit - len(before + after),
        lambda text: size(f"> {full_width(text)}"),
        lambda link: size(_markdown_link(link)),
    )
    links = [_markdown_link(link) for link in kept.links]
    lines = [f"{before}{full_width(kept.what)}{after}", full_width(kept.why), " ".join(links)]
    return [line for line in (*lines, *(f"> {full_width(line)}" for line in kept.details)) if line]


def _markdown_link(link: NoticeLink) -> str:
    return f"[{link.label}]({link.url})"


def feishu_form(notice: Notice) -> dict[str, Any]:
    """A post of Feishu or Lark: each paragraph a list of texts and links, none of which is markup."""

    def paragraph(*elements: dict[str, str]) -> list[dict[str, str]]:
        return list(elements)

    def text(line: str) -> dict[str, str]:
        return {"tag": "text", "text": inert(line)}

    def link(found: NoticeLink) -> dict[str, str]:
        return {"tag": "a", "text": f"{found.label} ", "href": found.url}

    kept = fitted(
        notice,
        FEISHU_BYTES - 400 - MAX_URL_CHARACTERS,
        lambda line: len(packed({"": text(line)})),
        lambda found: len(packed({"": link(found)})),
    )
    content = [
        paragraph(text(kept.why)),
        paragraph(*map(link, kept.links)),
        *(paragraph(text(x)) for x in kept.details),
        # a picture itself takes a key that only an app gets: a robot has its link
        *([paragraph(link(notice.picture.link))] if notice.picture is not None and notice.picture.link else []),
    ]
    post = {"title": inert(kept.what), "content": [each for each in content if each]}
    return {"msg_type": "post", "content": {"post": {"zh_cn": post}}}


def slack_text(text: str) -> str:
    """:func:`inert`, with the three characters escaped that Slack's control sequences are made of."""
    return inert(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_form(notice: Notice) -> dict[str, Any]:
    """Slack's blocks; all but the links is ``plain_text``, so that no ``mrkdwn`` is found in it."""

    def size(text: str) -> int:
        return len(text.encode("utf-16-le")) // 2 + 1

    def plain_block(kind: str, text: str) -> dict[str, Any]:
        return {"type": kind, "text": {"type": "plain_text", "text": text, "emoji": False}}

    kept = fitted(
        notice, SLACK_CHARACTERS, lambda text: size(slack_text(text)), lambda link: size(f"<{link.url}|{link.label}> ")
    )
    head = slack_text(clipped(kept.what, lambda text: size(slack_text(text)) <= SLACK_HEADER_CHARACTERS))
    links = " ".join(f"<{link.url.replace('&', '&amp;')}|{link.label}>" for link in kept.links)
    blocks = [plain_block("header", head), plain_block("section", slack_text(kept.why))]
    if links:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": links, "verbatim": True}})
    if kept.details:
        blocks.append(plain_block("section", "\n".join(map(slack_text, kept.details))))
    if notice.picture is not None and notice.picture.link is not None:
        blocks.append({"type": "image", "image_url": notice.picture.link.url, "alt_text": _alt(notice.picture)})
    return {"text": slack_text(kept.what), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def teams_form(notice: Notice) -> dict[str, Any]:
    """An Adaptive Card for Teams: text runs, which know no Markdown, and a button a link."""

    def size(form: dict[str, Any]) -> int:
        return 2 * len(packed(form).decode())

    def run(text: str, **look: str) -> dict[str, Any]:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": inert(text), **look}]}

    def button(link: NoticeLink) -> dict[str, str]:
        return {"type": "Action.OpenUrl", "title": link.label, "url": link.url}

    kept = fitted(
        notice,
        TEAMS_BYTES - 1_600 - 2 * (MAX_URL_CHARACTERS + 2 * MAX_ALT),
        lambda text: size(run(text)),
        lambda link: size(button(link)),
    )
    head = run(kept.what, weight="Bolder", color=_COLOURS[notice.tone])
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [head, run(kept.why), *_teams_picture(notice), *map(run, kept.details)],
        "actions": [button(link) for link in kept.links],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _teams_picture(notice: Notice) -> list[dict[str, str]]:
    if notice.picture is None or notice.picture.link is None:
        return []
    return [{"type": "Image", "url": notice.picture.link.url, "altText": _alt(notice.picture), "size": "Stretch"}]


def _alt(picture: NoticePicture) -> str:
    return inert(clipped(picture.alt, lambda text: len(inert(text)) <= MAX_ALT)) or "…"


def mail_form(notice: Notice) -> tuple[str, str]:
    """Subject and HTML of a mail; the picture is the attachment of its own name."""

    def line(text: str) -> str:
        return f"<p>{html.escape(inert(text))}</p>"

    def link(found: NoticeLink) -> str:
        url = html.escape(found.url)
        return f'<p>{found.label}: <a href="{url}">{url}</a></p>'

    kept = fitted(notice, MAIL_BYTES, lambda text: len(line(text).encode()), lambda found: len(link(found).encode()))
    body = [f"<p><b>{html.escape(inert(kept.what))}</b></p>", line(kept.why), *map(link, kept.links)]
    if notice.picture is not None and notice.picture.attached:
        alt = html.escape(_alt(notice.picture))
        body.append(f'<p><img src="cid:{html.escape(notice.picture.path.name)}" alt="{alt}" width="800"></p>')
    return _disarmed(bare(kept.what)), "\n".join([*body, *map(line, kept.details)])


def markdown_form(notice: Notice, limit: int) -> tuple[str, str]:
    """Title and Markdown for any other service, of at most ``limit`` bytes together."""

    def line(text: str) -> str:
        return f"{_disarmed(plain(text))}\n\n"

    kept = fitted(notice, limit, lambda text: len(line(text).encode()) + 2, lambda link: len(_markdown_link(link)) + 2)
    links = " ".join(map(_markdown_link, kept.links))
    parts = [line(kept.why), f"{links}\n\n" if links else "", *(f"- {line(text)}" for text in kept.details)]
    return _disarmed(bare(kept.what)), "".join(parts).rstrip("\n")
