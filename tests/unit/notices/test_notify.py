"""Notifications: real servers that take them, and refuse."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from penstock_tasks.notify.entrypoint import Arguments, step
from tests.unit.notices.chat_server import chat_server
from tests.unit.notices.hostile import hostile_text
from tests.unit.notices.mail_server import mail_server
from tests.unit.stub_server import StubAnswer, StubRequest, stub_server

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import remember_failure
from penstock.bundle.models import Run
from penstock.bundle.steps import begin
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.foundation.errors import UsageError, WorldError
from penstock.notices.notice import Notice, NoticeLink
from penstock.notices.notify import hold_receivers, notify, receivers_in
from penstock.report.summary import bare

LINKS = (NoticeLink("report", "https://reports.example.org/7"),)


@pytest.fixture
def chat() -> Iterator[tuple[str, list[dict[str, str]]]]:
    received: list[dict[str, str]] = []

    def answer(request: StubRequest) -> StubAnswer:
        received.append(request.json())
        return StubAnswer(500 if "refuse" in request.path else 200)

    with stub_server(answer) as url:
        yield url.replace("http://", "json://user:hunter2@"), received


NOTICE = Notice("sonic-lite 1.1.0: rejected", "LSE-D 17 % worse", LINKS, ("FID rose",), "failure")


@pytest.mark.slow
def test_sent(chat: tuple[str, list[dict[str, str]]]) -> None:
    url, received = chat
    told = notify([f"{url}/a", f"{url}/b"], NOTICE)
    assert (told.sent, told.failed, told.error()) == (2, (), None)
    assert [message["title"] for message in received] == ["sonic-lite 1.1.0: rejected"] * 2
    assert [message["type"] for message in received] == ["failure"] * 2
    assert "[report](https://reports.example.org/7)" in received[0]["message"]


def test_one_refuses_and_the_others_still_come(chat: tuple[str, list[dict[str, str]]]) -> None:
    url, received = chat
    told = notify([f"{url}/refuse", "nosuchservice://user:hunter2@host", "msteams://a/hunter2", f"{url}/ok"], NOTICE)
    assert told.sent == 1
    error = told.error()
    assert isinstance(error, WorldError)
    assert "3 of 4 notifications were not sent: address 1 (json://…)" in str(error)
    assert "address 2 (nosuchservice://…): not an address that apprise knows" in str(error)
    assert "address 3 (msteams://…): Microsoft has switched these connectors off" in str(error)
    assert len(received) == 2
    assert "hunter2" not in str(error)


def test_a_sender_that_fails_stops_nobody_else(
    chat: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: object, **_: object) -> bool:
        raise TypeError("hunter2")

    monkeypatch.setattr("apprise.plugins.custom_xml.NotifyXML.send", fail)
    url, received = chat
    told = notify([url.replace("json://", "xml://") + "/hunter2", f"{url}/ok"], NOTICE)
    assert (told.sent, len(received)) == (1, 1)
    assert "hunter2" not in str(told.error())


def test_nobody() -> None:
    assert notify([], NOTICE).error() is None
    assert receivers_in(None) == []


@pytest.mark.parametrize(
    "url", ["nosuchservice://user:hunter2@host", "wecombot://hunter2/x", "http://[", "hunter2", ""]
)
def test_an_address_that_cannot_be_one_is_not_shown(url: str) -> None:
    error = notify([url], NOTICE).error()
    assert isinstance(error, UsageError)
    with pytest.raises(UsageError, match="address 2") as caught:
        hold_receivers(["json://localhost", url])
    assert "hunter2" not in str(caught.value) + str(error)


def test_receivers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="urls"):
        receivers_in(tmp_path)
    with pytest.raises(UsageError, match=r"there is no file 'no\.txt'"):
        receivers_in(tmp_path / "no.txt")
    (tmp_path / "urls").write_text("# ours\njson://a\n\n json://b \n")
    assert receivers_in(tmp_path) == receivers_in(tmp_path / "urls") == ["json://a", "json://b"]
    (tmp_path / "urls").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError):
        receivers_in(tmp_path)


def test_the_six_services_at_once() -> None:
    """The log that people see, and which of them has it: nothing is lost without a word."""
    with chat_server() as server, mail_server() as mail:
        services = ("wecombot", "dingtalk", "feishu", "slack", "workflows")
        urls = [server.address(name) for name in services] + [f"{mail.address}&to=ann@example.org"]
        told = notify(urls, NOTICE, places=server.places)
        assert (told.sent, told.failed) == (6, ())
        assert len(server.taken) == 5
        wrong = [server.address(name, key="wrong1wrong1") for name in services]
        told = notify([*urls[-1:], *wrong], NOTICE, places=server.places)
        assert told.sent == 1
        assert [line.partition(":")[0] for line in told.failed] == [
            f"address {number} ({name}" for number, name in enumerate(services, 2)
        ]
        assert "wrong1wrong1" not in str(told.error())
        assert len(mail.mails) == 2


def test_a_mail_has_two_forms_and_says_the_same_in_both() -> None:
    with mail_server() as mail:
        assert notify([f"{mail.address}&to=ann@example.org"], NOTICE).sent == 1
        (found,) = mail.mails
        assert (found["subject"], found["to"]) == ("sonic-lite 1.1.0: rejected", "ann@example.org")
        forms = {part.get_content_type(): part.get_content() for part in found.walk() if not part.is_multipart()}
        assert set(forms) == {"text/plain", "text/html"}
        for text in forms.values():
            for words in (
                "sonic-lite 1.1.0: rejected",
                "LSE-D 17 % worse",
                "https://reports.example.org/7",
                "FID rose",
            ):
                assert words in text


def test_a_mail_that_is_refused_is_lost() -> None:
    with mail_server() as mail:
        mail.refused = "ann@"
        told = notify([f"{mail.address}&to=ann@example.org"], NOTICE)
        assert (told.sent, mail.mails) == (0, [])
    told = notify([f"{mail.address}&to=ann@example.org"], NOTICE)
    assert told.failed == ("address 1 (mailto://…): could not be reached, or refused",)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(what=hostile_text, why=hostile_text)
def test_hostile_text_in_a_mail(what: str, why: str) -> None:
    with mail_server() as mail:
        assert notify([f"{mail.address}&to=ann@example.org"], Notice(what, why)).sent == 1
        (found,) = mail.mails
        assert set(found.keys()) >= {"Subject", "To", "From"}
        assert found["to"] == "ann@example.org", "no header of its own"
        assert "bcc" not in found
        for part in found.walk():
            if not part.is_multipart():
                text = part.get_content()
                assert "//" not in text
                assert "@" not in text
                assert not re.search(r"<(?!/?(?:p|b)>)", text) or part.get_content_type() == "text/plain"


HOSTILE = (
    "<b>x</b> <script>a</script> [l](http://evil.test) <http://evil.test> http://evil.test ![i](http://evil.test/x) "
    "@everyone @here <!channel> <@U1> &lt;img src=x onerror=y&gt; &#60;i&#62; **bold** `code` *a* _b_ ~~s~~ #12 \u202e"
)
FORBIDDEN = ("<b>", "<script", "<a ", "<img", "<em", "<strong", "<code", "<i>", "&lt;img src=x onerror=y&gt;")
NOTIFIED = ("@everyone", "@here", "<!channel>", "<@U1>", "://evil", "&lt;img", "&#60;", "\u202e")


def hostile_bundle(folder: Path, ending: str) -> Bundle:
    """A run whose every name comes from a hostile repository."""
    bundle = Bundle(folder / "bundle")
    begin(bundle, run_id="run-1", track="release")
    code = {"url": "https://git/x", "revision": "v1", "commit": "c" * 40, "committer_date": "", "tree": "t"}
    run = bundle.run().model_dump() | {"model": HOSTILE, "source": code | {"version": HOSTILE}}
    bundle.update_run(Run.model_validate(run))
    if ending == "verdict":
        values = {"baseline": 1.0, "candidate": 2.0, "change": 1.0, "interval": None, "n": 3}
        words = {"slice": HOSTILE, "limit": HOSTILE, "reason": HOSTILE}
        rule = RuleResult.model_validate({"metric": "lse_d", "verdict": "fail", **values, **words})
        bundle.write_verdict(Verdict(verdict="fail", rules=[rule], baseline=HOSTILE, level=0.95))
    else:
        remember_failure(bundle, "infer", f"the model exited with code 1; the end of its log: {HOSTILE}")
    return bundle


@pytest.mark.parametrize("ending", ["verdict", "broke"])
@pytest.mark.parametrize("form", ["html", "markdown", "text"])
def test_text_from_a_repository_is_text_in_every_kind_of_message(
    chat: tuple[str, list[dict[str, str]]], tmp_path: Path, form: str, ending: str
) -> None:
    url, received = chat
    (tmp_path / "receivers").mkdir()
    (tmp_path / "receivers" / "urls").write_text(f"{url}/x?format={form}\n")
    bundle = hostile_bundle(tmp_path, ending)
    status = "Failed" if ending == "broke" else "Succeeded"
    places = {"bundle": bundle.path, "baseline": None, "cache": None}
    places |= {"receivers": tmp_path / "receivers", "forge": None}
    step(Arguments(status=status, pull_request="", fork=False, url="", revision="", store="", **places))
    (message,) = received
    for word in NOTIFIED:
        assert word not in message["title"]
        assert word not in message["message"]
    assert not [word for word in FORBIDDEN if word in message["title"]]
    if form == "html":
        assert not [word for word in FORBIDDEN if word in message["message"].replace("<strong>LSE-D", "")]
    assert "bold" in message["message"]  # it is told all the same


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("sonic-lite 1.1.0: rejected", "sonic-lite 1.1.0: rejected"),
        ("my_model v1_2+b&c: accepted", "my_model v1_2+b&\u200bc: accepted"),
        ("_x_ *y* <b>", "?x? ?y? ?b?"),
        ("two\nlines", "two lines"),
        ("x@everyone", "x@\u200beveryone"),
    ],
)
def test_titles_stay_readable(text: str, title: str) -> None:
    assert bare(text) == title


def test_a_host_that_cannot_be_one_stops_nobody_else_from_being_told() -> None:
    address = "https://a..b/workflows/1/triggers/manual/paths/invoke?sig=hunter2"
    told = notify([address, "nosuchservice://x"], NOTICE)
    assert told.sent == 0
    assert len(told.failed) == 2
    assert "a host or a port that none has" in told.failed[0]
    assert "hunter2" not in str(told)
