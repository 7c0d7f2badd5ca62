"""What people are told of a release: two lines, each with what they need."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from tests.unit.releases.released_runs import released

from penstock.notices.chat_forms import WECOM_BYTES, full_width, wecom_form
from penstock.notices.notice import NoticeLink
from penstock.notices.release_notice import ReleaseEvent, act_notice, release_notice
from penstock.releases.acts import promote, roll_back, withdraw
from penstock.store.local import LocalStore

LINK = NoticeLink("report", "https://reports.example.org/a")


@pytest.mark.parametrize(
    ("event", "tone", "what", "why"),
    [
        ("deployed", "success", "sonic 1.1.0: deployed in place of 1.0.0", "ann: load is low. Nothing to do."),
        (
            "canary stopped",
            "failure",
            "sonic 1.1.0: canary stopped, 1.0.0 serves all requests",
            "ann: load is low. No more requests go to 1.1.0. Find the cause before you try again.",
        ),
        (
            "rolled back",
            "warning",
            "sonic 1.1.0: current again, rolled back from 1.0.0",
            "ann: load is low. What serves the model must follow; the next release is judged against 1.1.0.",
        ),
        (
            "promoted",
            "success",
            "sonic 1.1.0: current now in place of 1.0.0",
            "ann: load is low. What serves the model may follow; the next release is judged against 1.1.0.",
        ),
        (
            "withdrawn",
            "warning",
            "sonic 1.1.0: withdrawn, 1.0.0 stays current",
            "ann: load is low. Nobody should use 1.1.0 any more: stop it where it runs.",
        ),
    ],
)
def test_words(event: ReleaseEvent, tone: str, what: str, why: str) -> None:
    found = release_notice(event, "sonic", "1.1.0", reason="load is\nlow.", by="ann", other="1.0.0", links=[LINK])
    assert (found.tone, found.what, found.why, found.links) == (tone, what, why, (LINK,))


@pytest.mark.parametrize("event", get_args(ReleaseEvent))
def test_without_another_version_or_a_name(event: ReleaseEvent) -> None:
    found = release_notice(event, "sonic", "{other}", reason="{reason}")
    assert "None" not in found.what + found.why
    assert found.what.startswith("sonic {other}: ")
    assert found.why.startswith("{reason}. ")


@pytest.mark.parametrize("event", get_args(ReleaseEvent))
@pytest.mark.parametrize("reason", ["用户看到画面闪烁。" * 55, "users see flicker. " * 26])
def test_what_to_do_is_in_the_shortest_message(event: ReleaseEvent, reason: str) -> None:
    whole = release_notice(
        event, "声画", "1.1.0", reason=reason, by="张三@工作站", other="1.0.0", target="studio", links=[LINK]
    )
    content = wecom_form(whole)["markdown"]["content"]
    assert len(content.encode()) <= WECOM_BYTES
    _, why, links = content.splitlines()
    short = release_notice(event, "声画", "1.1.0", reason="", other="1.0.0", target="studio").why
    assert why.endswith(f"… {full_width(short)}")
    assert links == f"[{LINK.label}]({LINK.url})"


@pytest.mark.slow
def test_acts(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    for number, before in enumerate([None, "run-0"]):
        released(tmp_path, store, f"run-{number}", f"1.{number}.0", "https://git.example.org/a", baseline=before)
    model = "sonic-lite"
    back = act_notice(roll_back(store, model, reason="flicker", by="ann"))
    assert back is not None
    assert back.what == "sonic-lite 1.0.0: current again, rolled back from 1.1.0"
    assert act_notice(roll_back(store, model, reason="flicker", by="ann")) is None, "it was done before"
    forward = act_notice(promote(store, model, "1.1.0", reason="it was the network", by="ann"), [LINK])
    assert forward is not None
    assert (forward.what, forward.links) == ("sonic-lite 1.1.0: current now in place of 1.0.0", (LINK,))
    gone = act_notice(withdraw(store, model, "1.0.0", reason="data", by="ann"))
    assert gone is not None
    assert gone.what == "sonic-lite 1.0.0: withdrawn, 1.1.0 stays current"
