"""Notifications: a real server that takes them, and one that refuses."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from penstock_tasks.notify.entrypoint import Arguments, step

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import remember_failure
from penstock.bundle.models import Run
from penstock.bundle.steps import begin
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.foundation.errors import UsageError, WorldError
from penstock.notices.notify import notify, receivers_in
from penstock.report.summary import bare


@pytest.fixture
def chat() -> Iterator[tuple[str, list[dict[str, str]]]]:
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if "refuse" in self.path else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"json://user:hunter2@127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
def test_sent(chat: tuple[str, list[dict[str, str]]]) -> None:
    url, received = chat
    assert notify([f"{url}/a", f"{url}/b"], "sonic-lite 1.1.0: rejected", "LSE-D 17 % worse", kind="failure") == 2
    assert [message["title"] for message in received] == ["sonic-lite 1.1.0: rejected"] * 2


def test_one_refuses_and_the_other_still_comes(chat: tuple[str, list[dict[str, str]]]) -> None:
    url, received = chat
    with pytest.raises(WorldError, match="1 of 2") as caught:
        notify([f"{url}/refuse", f"{url}/ok"], "title", "body")
    assert len(received) == 2
    assert "hunter2" not in str(caught.value)


def test_nobody() -> None:
    assert notify([], "title", "body") == 0
    assert receivers_in(None) == []


def test_unknown_address_is_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        notify(["nosuchservice://user:hunter2@host"], "title", "body")
    assert "hunter2" not in str(caught.value)


def test_receivers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="urls"):
        receivers_in(tmp_path)
    (tmp_path / "urls").write_text("# ours\njson://a\n\n json://b \n")
    assert receivers_in(tmp_path) == ["json://a", "json://b"]
    (tmp_path / "urls").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError):
        receivers_in(tmp_path)


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
    places = {"bundle": bundle.path, "baseline": None, "receivers": tmp_path / "receivers", "forge": None}
    step(Arguments(status=status, pull_request="", **places))
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
