"""A server on this machine that takes and refuses messages as WeCom, DingTalk, Feishu, Slack and Teams document it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import re
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "hunter2hunter2"
SECRET = "SECquietquiet"
SLACK_TOKENS = "T000/B000/hunter2hunter2"
HOOK = "https://{host}/workflows/ab12/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun"

Reply = tuple[int, Any, Mapping[str, str]]


@dataclass
class ChatServer:
    """The services' memory."""

    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    """What members of the groups see."""
    requests: int = 0
    signed: bool = False
    """DingTalk and Feishu: whether the robot wants a signature."""
    fetches: bool = True
    """Whether Slack gets the pictures of a message."""
    limited: int = 0
    """So many requests are too many."""
    reply: tuple[int, bytes] | None = None
    """What is answered to everything, if set."""
    on_request: Callable[[BaseHTTPRequestHandler], None] | None = None
    http: ThreadingHTTPServer | None = None

    def over_tls(self, folder: Path) -> None:
        """From now on with a certificate that it made itself."""
        assert self.http is not None
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days"]
        command += ["1", "-subj", "/CN=127.0.0.1", "-keyout", str(folder / "key"), "-out", str(folder / "certificate")]
        subprocess.run(command, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "certificate", folder / "key")
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.http.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = self.url.replace("http:", "https:")

    @property
    def places(self) -> dict[str, str]:
        names = ("wecombot", "dingtalk", "feishu", "lark", "slack", "workflows")
        return dict.fromkeys(names, self.url)

    def address(self, service: str, key: str = KEY, secret: str = "") -> str:
        """A robot's address."""
        if service == "slack":
            return f"slack://{SLACK_TOKENS.replace(KEY, key)}"
        if service == "workflows":
            return f"{HOOK.format(host='prod-1.example.org')}&sv=1.0&sig={key}"
        return f"{service}://{secret}{'@' if secret else ''}{key}"


def _wecom(server: ChatServer, query: dict[str, list[str]], raw: bytes, value: Any) -> Reply:
    more = ", hint: [1708397705432012366598976], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/"
    if query.get("key") != [KEY]:
        return 200, {"errcode": 93000, "errmsg": f"invalid webhook url{more}"}, {}
    if server.limited:
        return 200, {"errcode": 45009, "errmsg": f"api freq out of limit{more}"}, {}
    if value["msgtype"] == "image":
        content = base64.b64decode(value["image"]["base64"], validate=True)
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != value["image"]["md5"]:
            return 200, {"errcode": 40009, "errmsg": f"invalid image md5{more}"}, {}
        if len(content) > 2 << 20 or not content.startswith(b"\x89PNG"):
            return 200, {"errcode": 40009, "errmsg": f"invalid image size{more}"}, {}
        return 200, {"errcode": 0, "errmsg": "ok"}, {}
    if len(value["markdown"]["content"].encode()) > 2048:
        return 200, {"errcode": 40058, "errmsg": "markdown.content exceed max length 2048"}, {}
    return 200, {"errcode": 0, "errmsg": "ok"}, {}


def _dingtalk(server: ChatServer, query: dict[str, list[str]], raw: bytes, value: Any) -> Reply:
    if query.get("access_token") != [KEY]:
        return 200, {"errcode": 300005, "errmsg": "token is not exist"}, {}
    if server.signed:
        (stamp,), (sign,) = query.get("timestamp", [""]), query.get("sign", [""])
        digest = hmac.new(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256).digest()
        if sign != base64.b64encode(digest).decode():
            return 200, {"errcode": 310000, "errmsg": "sign not match"}, {}
    if server.limited:
        return 200, {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}, {}
    if len(raw) > 20_000:
        return 200, {"errcode": 460101, "errmsg": "message too long, exceed 20000 bytes"}, {}
    assert value["markdown"]["title"]
    return 200, {"errcode": 0, "errmsg": "ok"}, {}


def _feishu(server: ChatServer, query: dict[str, list[str]], raw: bytes, value: Any) -> Reply:
    if server.signed:
        key = f"{value.get('timestamp')}\n{SECRET}".encode()
        if value.get("sign") != base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode():
            return (
                200,
                {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"},
                {},
            )
    if server.limited:
        return 200, {"code": 11232, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"}, {}
    if len(raw) > 20 << 10 or "zh_cn" not in value["content"]["post"]:
        return 400, {"code": 9499, "msg": "Bad Request", "data": {}}, {}
    return 200, {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}, {}


def _slack(server: ChatServer, query: dict[str, list[str]], raw: bytes, value: Any) -> Reply:
    if server.limited:
        return 429, "rate_limited", {"Retry-After": "1"}
    pictures = [block for block in value["blocks"] if block["type"] == "image"]
    if any(len(each["image_url"]) > 3000 or not 0 < len(each["alt_text"]) <= 2000 for each in pictures):
        return 400, "invalid_blocks", {}
    if pictures and not server.fetches:
        return 400, "invalid_blocks", {}
    texts = [(block["type"], block["text"]["text"]) for block in value["blocks"] if block not in pictures]
    if any(not 0 < len(text) <= (150 if kind == "header" else 3000) for kind, text in texts):
        return 400, "invalid_blocks", {}
    return 200, "ok", {}


def _teams(server: ChatServer, query: dict[str, list[str]], raw: bytes, value: Any) -> Reply:
    if query.get("sig") != [KEY]:
        return 401, {"error": {"code": "InvalidAuthorization", "message": "The signature is not valid."}}, {}
    if server.limited:
        return 429, {"error": {"code": "WorkflowTriggerIsThrottled", "message": "Too many requests"}}, {}
    if 2 * len(raw.decode()) > 28 << 10:
        return 413, {"error": {"code": "RequestEntityTooLarge", "message": "Request Entity too large"}}, {}
    assert [each["contentType"] for each in value["attachments"]] == ["application/vnd.microsoft.card.adaptive"]
    return 202, "", {}


def _act(server: ChatServer, path: str, raw: bytes) -> Reply:
    parts, value = urlsplit(path), json.loads(raw)
    query = parse_qs(parts.query)
    if parts.path == "/cgi-bin/webhook/send":
        return _wecom(server, query, raw, value)
    if parts.path == "/robot/send":
        return _dingtalk(server, query, raw, value)
    if parts.path.startswith("/open-apis/bot/v2/hook/"):
        if parts.path != f"/open-apis/bot/v2/hook/{KEY}":
            return 200, {"code": 19001, "data": {}, "msg": "param invalid: incoming webhook access token invalid"}, {}
        return _feishu(server, query, raw, value)
    if parts.path.startswith("/services/"):
        return (
            _slack(server, query, raw, value) if parts.path == f"/services/{SLACK_TOKENS}" else (404, "no_service", {})
        )
    if re.fullmatch(r"/workflows/[^/]+/triggers/manual/paths/invoke", parts.path):
        return _teams(server, query, raw, value)
    return 404, "not found", {}


@contextlib.contextmanager
def chat_server() -> Iterator[ChatServer]:
    """All services on one port."""
    server = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            server.requests += 1
            if server.on_request is not None:
                return server.on_request(self)
            if server.reply is not None:
                status, content, headers = *server.reply, dict[str, str]()
            else:
                status, answer, headers = _act(server, self.path, raw)
                content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                if server.limited:
                    server.limited -= 1
                elif status in (200, 202) and not _refused(content):
                    server.taken.append(json.loads(raw))
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return None

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.http = http
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    http.shutdown()
    http.server_close()
    thread.join()


def _refused(content: bytes) -> bool:
    try:
        answer = json.loads(content)
    except ValueError:
        return False
    return bool(answer.get("errcode") or answer.get("code"))
