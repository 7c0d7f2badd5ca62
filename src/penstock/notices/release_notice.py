"""What people are told of a release: rolled back, promoted, withdrawn; its canary needs them, or was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from penstock.notices.notice import Notice, NoticeLink, Tone, clipped
from penstock.releases.acts import Act
from penstock.targets.news import News, NewsEvent

MAX_REASON_BYTES = 480
"""In UTF-8, of a reason in a message: what to do still fits behind it in the shortest one, WeCom's. The log has all."""
ReleaseEvent = Literal["deployed", "rolled back", "promoted", "withdrawn", NewsEvent]


@dataclass(frozen=True)
class _Words:
    what: str
    """With ``{version}``, and ``{before}`` if there is one."""
    todo: str
    tone: Tone


_WORDS: dict[ReleaseEvent, _Words] = {
    "deployed": _Words("{version}: deployed{in_place}", "Nothing to do.", "success"),
    "canary stopped": _Words(
        "{version}: canary stopped{goes_on}", "No more requests go to {version}. Find the cause before you try again.",
        "failure",
    ),
    "needs you": _Words(
        "{version}: canary inconclusive, needs you{rest}",
        "Look at it, then type 'penstock canary resume' or 'penstock canary abort'.",
        "warning",
    ),
    "inconclusive": _Words(
        "{version}: canary inconclusive and put back{goes_on}",
        "Promote it again when there is more traffic, or let its watch have more time.",
        "warning",
    ),
    "put back": _Words(
        "{version}: not promoted{goes_on}", "What was there is back. Find the cause before you try again.", "failure"
    ),
    "unknown": _Words(
        "{version}: promotion failed, and what serves is not known",
        "Look at what serves there; 'penstock rollback --to' the current release brings that back.",
        "failure",
    ),
    "rolled back": _Words(
        "{version}: current again{rolled_back}",
        "What serves the model must follow; the next release is judged against {version}.",
        "warning",
    ),
    "promoted": _Words(
        "{version}: current now{in_place}",
        "What serves the model may follow; the next release is judged against {version}.",
        "success",
    ),
    "withdrawn": _Words(
        "{version}: withdrawn{stays}", "Nobody should use {version} any more: stop it where it runs.", "warning"
    ),
}  # fmt: skip


def release_notice(
    event: ReleaseEvent,
    model: str,
    version: str,
    *,
    reason: str,
    by: str = "",
    other: str | None = None,
    target: str | None = None,
    links: Sequence[NoticeLink] = (),
) -> Notice:
    """The message about one event of a release.

    Args:
        event: what happened.
        model: the model's name.
        version: the release that it happened to.
        reason: why: a person's words, or what a controller measured.
        by: who did it; empty: nobody is named.
        other: the version that served or was current before, and of a canary or a withdrawal the one that still is;
            ``None``: there is none.
        target: where Penstock has brought it; ``None``: what serves the model has to follow by itself.
        links: where to look.
    """
    words = _WORDS[event]
    named = {
        "in_place": f" in place of {other}",
        "goes_on": f", {other} serves all requests",
        "rest": f", {other} serves the others",
        "rolled_back": f", rolled back from {other}",
        "stays": f", {other} stays current",
    }
    fields = {"version": version, **{name: text if other else "" for name, text in named.items()}}
    said = clipped(reason, lambda text: len(text.encode()) <= MAX_REASON_BYTES).rstrip(".。")
    why = ": ".join(part for part in (by, said) if part)
    todo = words.todo.format(**fields)
    if target is not None and event in ("promoted", "rolled back"):
        todo = f"It serves at the target '{target}'; the next release is judged against {version}."
    return Notice(
        what=f"{model} {words.what.format(**fields)}",
        why=f"{why}{'' if why.endswith('…') else '.'} {todo}" if why else todo,
        links=tuple(links),
        tone=words.tone,
    )


def act_notice(act: Act, links: Sequence[NoticeLink] = ()) -> Notice | None:
    """The message about what a person did with a release; ``None``: it was done before, and nobody is told twice."""
    move = act.move
    if move is None or move.kind not in ("rolled back", "promoted", "withdrawn"):
        return None
    return release_notice(
        move.kind,
        move.model,
        move.version,
        reason=move.reason,
        by=move.by,
        other=move.before,
        target=act.target,
        links=links,
    )


def news_notice(news: News, links: Sequence[NoticeLink] = ()) -> Notice:
    """The message about a release that needs people on its way to its target, or that did not come to serve there."""
    reason = f"promoted by {news.by} to '{news.target}': {news.reason}"
    return release_notice(news.event, news.model, news.version, reason=reason, other=news.serves, links=links)
