"""Receivers are checked before a release is moved, and told when it is on record; if they are not told, it stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.notices.chat_server import chat_server
from tests.unit.releases.released_runs import released

from penstock.foundation.errors import UsageError, WorldError
from penstock.notices.audience import Audience, open_audience, tell_act
from penstock.releases.acts import Act, roll_back
from penstock.releases.baseline import baseline
from penstock.store.local import LocalStore

MODEL = "sonic-lite"


@pytest.fixture
def act(tmp_path: Path) -> Act:
    store = LocalStore(tmp_path / "store")
    for number, before in enumerate([None, "run-0"]):
        released(tmp_path, store, f"run-{number}", f"1.{number}.0", "https://git.example.org/a", baseline=before)
    return roll_back(store, MODEL, reason="users see flicker", by="ann")


def receivers(tmp_path: Path, urls: str, links: str = "") -> Path:
    folder = tmp_path / "receivers"
    folder.mkdir(exist_ok=True)
    (folder / "urls").write_text(urls)
    (folder / "links").write_text(links)
    return folder


def test_they_are_told_once(act: Act, tmp_path: Path) -> None:
    links = "report https://reports.example.org/{model}/{run}\ncode https://git.example.org/c/{commit}\n"
    with chat_server() as server:
        audience = open_audience(receivers(tmp_path, server.address("feishu"), links))
        assert tell_act(audience, act, places=server.places).sent == 1
        ((why, followed),) = [taken["content"]["post"]["zh_cn"]["content"] for taken in server.taken]
        assert why[0]["text"].startswith("ann: users see flicker. What serves the model must follow")
        assert followed[0]["href"] == "https://reports.example.org/sonic-lite/run-0"
        assert followed[1]["href"] == f"https://git.example.org/c/{act.current.commit}"
        again = roll_back(LocalStore(tmp_path / "store"), MODEL, reason="users see flicker", by="ann")
        assert tell_act(audience, again, places=server.places).sent == 0
        assert server.requests == 1


def test_a_failure_to_tell_undoes_nothing(act: Act, tmp_path: Path) -> None:
    with chat_server() as server:
        audience = Audience((server.address("slack", key="wrong1"), server.address("feishu")))
        told = tell_act(audience, act, places=server.places)
    assert told.sent == 1
    assert isinstance(told.error(), WorldError)
    current = baseline(LocalStore(tmp_path / "store"), MODEL)
    assert current is not None
    assert current.version == "1.0.0"
    spoilt = receivers(tmp_path, "slack://a/b/c", "report nowhere")
    assert tell_act(Audience(("slack://a/b/c",), spoilt), act).sent == 0


@pytest.mark.slow
@pytest.mark.parametrize(("urls", "links"), [("slack://a", ""), ("nobody", ""), ("slack://a/b/c", "report nowhere")])
def test_what_cannot_be_right_is_refused_before_anything_is_done(tmp_path: Path, urls: str, links: str) -> None:
    with pytest.raises(UsageError):
        open_audience(receivers(tmp_path, urls, links))
    assert open_audience(None) == Audience()
