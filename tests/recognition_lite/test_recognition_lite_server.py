"""The service of recognition-lite: its answers, its refusals, its log, and how it starts and stops."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import struct
import threading
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from recognition_lite.cuts import SIDE
from recognition_lite.describe import describe
from recognition_lite.form import image_of
from recognition_lite.objects import Found, apart, overlap, within
from recognition_lite.places import AT_A_TIME, WAITING, Places
from recognition_lite.request import RequestError
from recognition_lite.service import Service
from recognition_lite.text import best
from tests.recognition_lite.recognition_service import BASE, answered, form_of, logged, recognize
from tests.sonic_lite.talking_head_service import BOUNDARY, Running, ask

TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def test_an_answer_has_the_agreed_form(service: Running, picture: bytes) -> None:
    answer = answered(recognize(service.url, picture))
    assert list(answer) == ["objects", "description", "text", "latency_ms"]
    assert answer["objects"]
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    for each in answer["objects"]:
        assert list(each) == ["label", "confidence", "box"]
        assert 0 <= each["confidence"] <= 1
        x, y, width, height = each["box"]
        assert min(x, y) >= 0
        assert min(width, height) > 0
        assert x + width <= image.shape[1] + 0.1
        assert y + height <= image.shape[0] + 0.1
    assert isinstance(answer["text"], str)
    assert isinstance(answer["latency_ms"], float)


def test_its_openapi_document_describes_its_answers(service: Running, picture: bytes) -> None:
    document = answered(ask(f"{service.url}/openapi.json"))
    assert document["paths"].keys() == {"/healthz", "/recognize"}
    schema = document["components"]["schemas"]["Answer"]
    assert schema["required"] == list(answered(recognize(service.url, picture)))


def test_most_of_what_the_suite_holds_is_found(service: Running, suite: Path) -> None:
    """Good, not perfect: see docs/recognition-lite.md for the whole suite."""
    names = yaml.safe_load((suite / "synonyms.yaml").read_text(encoding="utf-8"))["zh"]
    english = {other: label for label, others in names.items() for other in others}
    hits = said = true = 0
    for case in yaml.safe_load((suite / "suite.yaml").read_text(encoding="utf-8"))["cases"]:
        answer = answered(recognize(service.url, (suite / case["inputs"]["image"]).read_bytes()))
        found = {each["label"] for each in answer["objects"] if each["confidence"] >= 0.5}
        wanted = {english.get(label, label) for label in case["labels"]}
        hits, said, true = hits + len(found & wanted), said + len(found), true + len(wanted)
    assert 2 * hits / (said + true) > 0.7


def test_a_sign_is_read_and_described(service: Running, suite: Path) -> None:
    answer = answered(recognize(service.url, (suite / "images" / "路牌-出口.jpg").read_bytes(), "路牌-出口.jpg"))
    assert answer["text"] == "出口"
    assert "出口" in answer["description"]
    assert "牌子" in answer["description"]
    assert "sign" in [each["label"] for each in answer["objects"]]


def test_several_at_a_time_get_the_same_answers(service: Running, suite: Path) -> None:
    pictures = [path.read_bytes() for path in sorted((suite / "images").iterdir())[:6]]

    def told(content: bytes) -> str:
        answer = answered(recognize(service.url, content))
        del answer["latency_ms"]
        return json.dumps(answer)

    alone = [told(content) for content in pictures]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(told, pictures * 3)) == alone * 3


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"x", "application/json", 400),
        (b"x", TYPE, 400),
        (form_of(b""), TYPE, 400),
        (form_of(b"no picture"), TYPE, 422),
        (form_of(b"x").replace(b'name="image"', b'name="photo"'), TYPE, 400),
        (form_of(b"x")[:-20], TYPE, 400),
    ],
)
def test_what_cannot_be_understood_is_refused(service: Running, body: bytes, content_type: str, status: int) -> None:
    answer = ask(f"{service.url}/recognize", body, content_type=content_type)
    assert answer.status == status
    assert answer.error["error"]


def test_a_refusal_names_the_file(service: Running) -> None:
    assert "'路牌.txt' cannot be read" in recognize(service.url, b"no picture", "路牌.txt").error["error"]


def test_other_places_are_not_there(service: Running) -> None:
    assert ask(f"{service.url}/elsewhere").status == 404
    assert ask(f"{service.url}/elsewhere", b"{}", content_type="application/json").status == 404


def test_the_log_has_a_json_line_for_each_picture_and_nothing_of_it(tmp_path: Path, picture: bytes) -> None:
    running = Running(BASE, tmp_path)
    try:
        running.wait_ready()
        answer = answered(recognize(running.url, picture))
    finally:
        running.stop()
    (line,) = [line for line in logged(running.log) if line["event"] == "recognized"]
    assert line["image_hash"] == hashlib.sha256(picture).hexdigest()[:16]
    assert line["objects_found"] == len(answer["objects"])
    assert line["latency_ms"] == answer["latency_ms"]
    assert set(line) == {"event", "image_hash", "objects_found", "latency_ms"}


def test_it_is_healthy_when_the_model_is_loaded_and_not_before(monkeypatch: pytest.MonkeyPatch, picture: bytes) -> None:
    monkeypatch.delenv("WEIGHTS", raising=False)
    service = Service(BASE)
    assert not service.ready
    with pytest.raises(RequestError) as refused:
        service.recognize(TYPE, form_of(picture))
    assert refused.value.status == 503
    service.load()
    assert service.ready
    assert service.recognize(TYPE, form_of(picture))["objects"]


def test_weights_may_lie_elsewhere_and_broken_ones_never_get_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIGHTS", str(tmp_path))
    for name in ("places", "objects", "glyphs"):
        (tmp_path / f"{name}.onnx").write_bytes((BASE / "weights" / f"{name}.onnx").read_bytes())
    Service(BASE).load()
    for name in ("places", "objects", "glyphs"):
        whole = (tmp_path / f"{name}.onnx").read_bytes()
        other = "objects" if name == "glyphs" else "glyphs"
        for broken in (b"", b"no network", (BASE / "weights" / f"{other}.onnx").read_bytes()):
            (tmp_path / f"{name}.onnx").write_bytes(broken)
            with pytest.raises(ValueError, match=f"{name}.onnx"):
                Service(BASE).load()
        (tmp_path / f"{name}.onnx").write_bytes(whole)


def test_at_a_stop_what_was_begun_is_answered(tmp_path: Path, picture: bytes) -> None:
    """A request whose body is still coming when the signal comes, too."""
    running = Running(BASE, tmp_path)
    try:
        running.wait_ready()
        body = form_of(picture)
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
            head = f"POST /recognize HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body[:1000])
            time.sleep(0.3)
            running.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            connection.sendall(body[1000:])
            answer = b""
            while part := connection.recv(1 << 16):
                answer += part
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"Connection: close" in answer
        assert running.process.wait(20) == 0
    finally:
        running.stop()
    assert logged(running.log)[-1] == {"event": "stopped", "all_answered": True}
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        ask(f"{running.url}/healthz")


def test_too_many_that_wait_are_told_to_come_again() -> None:
    places, over = Places(), threading.Event()

    def hold() -> bool:
        with places.taken():
            return over.wait(20)

    with ThreadPoolExecutor(AT_A_TIME + WAITING) as pool:
        held = [pool.submit(hold) for _ in range(AT_A_TIME + WAITING)]
        try:
            while places._room._value:  # until all of them work or wait
                time.sleep(0.01)
            with pytest.raises(RequestError) as refused, places.taken():
                pass
        finally:
            over.set()
        assert refused.value.status == 503
        assert all(each.result() for each in held)
    with places.taken():
        pass


def test_the_weights_are_small_enough_and_it_is_soon_done(service: Running, suite: Path) -> None:
    assert sum(path.stat().st_size for path in (BASE / "weights").iterdir()) < 5e6
    pictures = [path.read_bytes() for path in sorted((suite / "images").iterdir())[:8]]
    assert min(answered(recognize(service.url, content))["latency_ms"] for content in pictures) < 200


def test_a_description_counts_and_quotes() -> None:
    found = [Found(label, sure, (0, 0, 9, 9)) for label, sure in (("cup", 0.9), ("cup", 0.8), ("umbrella", 0.7))]
    assert describe(found, "") == "Two cups and an umbrella. 杯子、雨伞。"
    assert describe([*found, Found("sign", 0.9, (0, 0, 9, 9))], "出口") == (
        "Two cups, an umbrella and a sign, with the words “出口”. 杯子、雨伞、牌子，上面写着“出口”。"
    )
    assert describe([Found("cat", 0.4, (0, 0, 9, 9))], "") == "Nothing that I know. 没有认出什么。"


def test_of_two_boxes_on_one_thing_the_surer_stays() -> None:
    one, other = Found("cat", 0.6, (10, 10, 40, 40)), Found("cat", 0.9, (14, 10, 40, 40))
    assert overlap(one.box, one.box) == 1
    assert overlap(one.box, (50, 10, 40, 40)) == 0
    assert apart([one, other]) == [other]
    assert apart([one, Found("dog", 0.5, (100, 10, 40, 40))])[0] == one
    assert within((-5, -5, 20, 400), 240, 320) == (0, 0, 15, 240)


def test_the_likeliest_way_through_a_line_is_what_it_says() -> None:
    """Two halves that are likely characters lose against a whole that is likelier; a wide gap is a space."""
    spans = [(0, 10), (0, 30), (20, 30), (30 + SIDE, 40 + SIDE)]
    likely = np.log(np.array([[0.1, 0.6, 0.3], [0.05, 0.05, 0.9], [0.1, 0.6, 0.3], [0.1, 0.8, 0.1]], np.float32))
    line = best(spans, likely, "AB")
    assert line.text == "B A"
    assert line.likely == pytest.approx((30 * np.log(0.9) + 10 * np.log(0.8)) / 40)


def test_a_form_is_read_strictly() -> None:
    file = image_of(TYPE, form_of(b"\x89PNG", "路牌.png"))
    assert (file.name, file.content) == ("路牌.png", b"\x89PNG")
    with pytest.raises(RequestError, match="one file"):
        image_of(TYPE, form_of(b"a")[: -len(f"--{BOUNDARY}--\r\n")] + form_of(b"b"))


def test_the_log_is_json_though_a_connection_breaks_off(tmp_path: Path) -> None:
    running = Running(BASE, tmp_path)
    try:
        running.wait_ready()
        with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2]))) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            # closed without a farewell: the service's read fails
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for _ in range(200):
            if "broken_off" in running.log.read_text():
                break
            time.sleep(0.05)
        running.process.terminate()
        running.process.wait(20)
    finally:
        running.stop()
    assert "broken_off" in [line["event"] for line in logged(running.log)]
