"""What a service receives: a real one says what came."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.invocation.conftest import contract_of

from penstock.contract.models import Case, Contract
from penstock.foundation.errors import UsageError
from penstock.invocation import http_request
from penstock.invocation.driver import start

ECHO = """
import base64, email.parser, email.policy, json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def received(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get("Content-Type", "")
        said = {"method": self.command, "path": self.path, "headers": dict(self.headers.items())}
        if kind.startswith("multipart/"):
            head = b"Content-Type: " + kind.encode() + b"\\r\\n\\r\\n"
            message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
            said["parts"] = [
                {
                    "name": part.get_param("name", header="content-disposition"),
                    "file": part.get_filename(),
                    "type": part.get_content_type(),
                    "content": base64.b64encode(part.get_payload(decode=True)).decode(),
                    "raw": body.partition(b"filename=")[2].partition(b"\\r")[0].decode("utf-8"),
                }
                for part in message.iter_parts()
            ]
        elif kind == "application/json":
            said["json"] = json.loads(body)
        else:
            said["body"] = base64.b64encode(body).decode()
        return json.dumps(said).encode()
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(self.received())
    do_POST = do_PUT = do_GET
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


class Echo:
    """Puts one case to a service that answers with what it received."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.source.mkdir()
        (self.source / "echo.py").write_text(ECHO, encoding="utf-8")
        self.folder = folder
        self.inputs = folder / "inputs"
        self.inputs.mkdir()

    def contract(self, **http: Any) -> Contract:
        known = {"argv": ["python", "echo.py", "{port}"], "path": "/put", "response": "application/json"}
        return contract_of({"http": {**known, **http}})

    def said(self, contract: Contract, file: str = "face.png", content: bytes = PNG, **parameters: Any) -> Any:
        path = self.inputs / file
        path.write_bytes(content)
        case = Case(name="one", inputs={"image": file}, parameters=parameters)
        output = self.folder / "output.json"
        with start(
            contract, self.source, self.folder / "scratch", self.folder / "log", readable=(self.inputs,)
        ) as model:
            result = model.call(case, {"image": path}, output, 10.0)
        assert (result.status, result.error) == ("ok", None)
        return json.loads(output.read_bytes())


@pytest.fixture
def echo(tmp_path: Path) -> Echo:
    return Echo(tmp_path)


def test_multipart_carries_the_files_own_name_and_type(echo: Echo) -> None:
    made = echo.contract(files={"photo": "image"}, fields={"n": "{n}", "on": True})
    said = echo.said(made, "人像 ü.jpeg", n=2)
    fields = [(part["name"], base64.b64decode(part["content"])) for part in said["parts"]]
    assert fields == [("n", b"2"), ("on", b"true"), ("photo", PNG)]
    photo = said["parts"][2]
    assert photo["raw"] == '"人像 ü.jpeg"'  # UTF-8, as browsers send it
    assert photo["type"] == "image/png"  # what the bytes say, whatever the name says
    assert said["headers"]["Accept-Encoding"] == "identity"


def test_json_carries_files_and_typed_values(echo: Echo) -> None:
    body = {"image": "{image|base64}", "url": "{image|data-url}", "deep": [{"n": "{n}", "on": "{on}", "t": "n={n}"}]}
    said = echo.said(echo.contract(method="PUT", body={"json": body}, headers={"X-Mode": "m{n}"}), n=0.5, on=False)
    text = base64.b64encode(PNG).decode()
    assert (said["method"], said["headers"]["X-Mode"]) == ("PUT", "m0.5")
    assert said["json"] == {
        "image": text,
        "url": f"data:image/png;base64,{text}",
        "deep": [{"n": 0.5, "on": False, "t": "n=0.5"}],
    }


def test_a_body_of_json_is_bounded(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_request, "MAX_JSON_BODY", 300)
    with pytest.raises(UsageError, match="the inputs make a body of JSON larger than"):
        echo.said(echo.contract(body={"json": ["{image|base64}"]}))


@pytest.mark.parametrize(
    ("body", "content", "expected"),
    [
        ({"file": "image"}, PNG, "image/png"),
        ({"file": "image", "media_type": "application/x-own"}, PNG, "application/x-own"),
        ({"file": "image"}, b"plain", "image/webp"),
    ],
)
def test_a_file_can_be_the_whole_body(echo: Echo, body: dict[str, str], content: bytes, expected: str) -> None:
    said = echo.said(echo.contract(body=body), "face.webp", content)
    assert base64.b64decode(said["body"]) == content
    assert said["headers"]["Content-Type"] == expected
    assert said["headers"]["Content-Length"] == str(len(content))


def test_get_has_a_query_and_no_body(echo: Echo) -> None:
    said = echo.said(echo.contract(method="GET", path="/find/{what}?q={what}&n=1"), what="ä/b&c")
    assert (said["method"], said["path"], said["body"]) == ("GET", "/find/%C3%A4%2Fb%26c?q=%C3%A4%2Fb%26c&n=1", "")
    assert "Content-Length" not in said["headers"]
