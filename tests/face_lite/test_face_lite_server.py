"""The service of face-lite: its answers, what it refuses, how it stops, and what it logs."""

from __future__ import annotations

import http.client
import signal
import socket
import struct
import threading
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from face_lite.finder import Face, squared
from face_lite.request import RequestError, file_name, files_of
from face_lite.service import Service
from tests.face_lite.face_service import BASE, CHINESE, Serving, compare, feature, said, vector
from tests.sonic_lite.talking_head_service import BOUNDARY, Answer, ask, form

from face_lite import align, bands, quality

WEIGHTS = BASE / "weights" / "face-lite.onnx"


def read(suite: Path, name: str) -> bytes:
    return (suite / "photos" / f"{name}.jpg").read_bytes()


def test_a_face_is_a_vector_with_a_score(service: str, photo: bytes) -> None:
    answer = feature(service, photo)
    assert list(said(answer)) == ["feature", "quality_score", "resolution", "detected_face_area_ratio"]
    assert vector(answer).std() > 0
    assert said(answer)["resolution"] == "112x112"
    assert 0.4 < said(answer)["quality_score"] <= 1
    assert 0.1 < said(answer)["detected_face_area_ratio"] < 0.6


def test_one_person_is_nearer_than_another(service: str, suite: Path) -> None:
    found = {
        (who, k): vector(feature(service, read(suite, f"person-0{who}-{k}"))) for who in (2, 3, 4) for k in (1, 2, 3)
    }
    same = [found[who, 1] @ found[who, k] for who in (2, 3, 4) for k in (2, 3)]
    other = [found[2, k] @ found[who, k] for who in (3, 4) for k in (1, 2, 3)]
    assert np.mean(same) > np.mean(other) + 0.3


def test_the_same_photo_gives_the_same_answer(service: str, photo: bytes) -> None:
    assert feature(service, photo).body == feature(service, photo).body


def test_a_large_photo_is_understood(service: str, suite: Path) -> None:
    large, small = (feature(service, read(suite, f"person-01-{which}")) for which in ("large", "1"))
    assert vector(large) @ vector(small) > 0.3


def test_a_score_is_low_where_recognition_should_not_be_asked(service: str, suite: Path) -> None:
    good = np.mean([said(feature(service, read(suite, f"person-0{k}-1")))["quality_score"] for k in range(1, 7)])
    for name in ("blur-01", "low-light-02", "mask-01", "several-faces-01"):
        assert said(feature(service, read(suite, name)))["quality_score"] < good - 0.2, name


def test_nobody_is_a_refusal(service: str, suite: Path, photo: bytes) -> None:
    nobody = read(suite, "no-face-01")
    answer = feature(service, nobody)
    assert (answer.status, answer.error) == (422, {"error": "there is no face on the photograph", "field": "image"})
    answer = compare(service, photo, nobody)
    assert (answer.status, answer.error["field"]) == (422, "image2")


def test_a_comparison_says_what_the_vectors_say(service: str, suite: Path) -> None:
    first, second = (read(suite, f"person-02-{k}") for k in (1, 2))
    found = said(compare(service, first, second))
    assert list(found) == ["similarity", "quality_score1", "quality_score2", "decision", "advice"]
    cosine = vector(feature(service, first)) @ vector(feature(service, second))
    assert found["similarity"] == pytest.approx(cosine, abs=1e-5)
    scores = [said(feature(service, content))["quality_score"] for content in (first, second)]
    assert [found["quality_score1"], found["quality_score2"]] == scores
    assert found["decision"] == bands.decision(min(scores))


def test_a_comparison_is_refused_below_a_score_whatever_the_similarity(service: str, suite: Path) -> None:
    crowd = read(suite, "several-faces-01")
    found = said(compare(service, crowd, crowd))
    assert found["decision"] == "refused"
    assert found["similarity"] is None
    assert "image1 and image2" in found["advice"]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (1.0, "pass"),
        (0.8, "pass"),
        (0.7999, "mark"),
        (0.6, "mark"),
        (0.5999, "retry"),
        (0.4, "retry"),
        (0.39, "refused"),
    ],
)
def test_the_bands(score: float, expected: str) -> None:
    found = bands.comparison(0.9, (1.0, score))
    assert found["decision"] == expected
    assert (found["similarity"] is None) is (expected == "refused")
    assert found["advice"]
    assert ("image2" in found["advice"]) is (expected == "refused")


def test_a_crowd_is_always_refused() -> None:
    def face(side: float) -> Face:
        return Face((0, 0, side, side), np.zeros((3, 2), np.float32), 1)

    assert quality.score(99.0, [face(50), face(30)]) < bands.RETRY
    assert quality.score(99.0, [face(50), face(10)]) > bands.PASS
    assert quality.score(-1e9, [face(50)]) == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status", "field"),
    [
        ("feature", b"", "", 400, None),
        ("feature", b"{}", "application/json", 400, None),
        ("feature", form({}, {"picture": b"x"}), "", 400, "image"),
        ("feature", form({}, {"image": b""}), "", 400, "image"),
        ("feature", form({}, {"image": b"no picture"}), "", 422, "image"),
        ("compare", form({}, {"image1": b"x"}), "", 400, "image2"),
        ("elsewhere", form({}, {"image": b"x"}), "", 404, None),
    ],
)
def test_what_cannot_be_served_is_refused(
    service: str, path: str, body: bytes, content_type: str, status: int, field: str | None
) -> None:
    answer = ask(f"{service}/{path}", body, content_type=content_type)
    assert answer.status == status
    assert answer.error["error"]
    assert answer.error.get("field") == field


def test_a_bomb_is_refused_and_the_service_lives_on(service: str) -> None:
    """A PNG that says it is 50,000 pixels wide and high."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    assert feature(service, bomb).status == 422
    assert ask(f"{service}/health").status == 200
    assert ask(f"{service}/elsewhere").status == 404


def test_a_chinese_file_name_is_only_a_name() -> None:
    name = f'Content-Disposition: form-data; name="image"; filename="{CHINESE}"'.encode()
    assert file_name(name) == CHINESE
    body = b"--b\r\n" + name + b"\r\n\r\nabc\r\n--b--\r\n"
    assert files_of("multipart/form-data; boundary=b", body, ("image",)) == {"image": (CHINESE, b"abc")}
    with pytest.raises(RequestError, match="broken off"):
        files_of("multipart/form-data; boundary=b", body[:-4], ("image",))


def test_the_log_has_the_fields_and_no_more(tmp_path: Path, photo: bytes, suite: Path) -> None:
    running = Serving(BASE, tmp_path)
    try:
        feature(running.url, photo)
        feature(running.url, read(suite, "no-face-01"))
        running.process.terminate()
        running.process.wait(20)
    finally:
        running.stop()
    ready, *looked_at, _ = running.events()
    assert ready["event"] == "ready"
    # the line is written behind the answer: the second request's may stand first
    answered, nobody = sorted(looked_at, key=lambda event: event["status"])
    assert set(answered) == set(nobody) == {"event", "path", "image_hash", "latency_ms", "faces_found", "status"}
    assert (answered["faces_found"], answered["status"]) == (1, 200)
    assert len(answered["image_hash"]) == 16
    assert (nobody["event"], nobody["faces_found"], nobody["status"]) == ("answered", 0, 422)


def test_the_log_is_json_though_a_connection_breaks_off(tmp_path: Path, photo: bytes) -> None:
    running = Serving(BASE, tmp_path)
    try:
        with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2]))) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            # closed without a farewell: the service's read fails
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        feature(running.url, photo)
        running.process.terminate()
        running.process.wait(20)
    finally:
        running.stop()
    assert sorted(event["event"] for event in running.events()) == ["answered", "broken off", "ready", "stopped"]


def test_it_answers_503_until_the_model_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    service = Service(BASE)
    assert not service.ready
    with pytest.raises(RequestError) as refused:
        service.feature(b"x")
    assert refused.value.status == 503
    for broken in (b"", b"no network"):
        (tmp_path / "w.onnx").write_bytes(broken)
        (tmp_path / "finder.onnx").write_bytes(broken)
        monkeypatch.setenv("WEIGHTS", str(tmp_path / "w.onnx"))
        with pytest.raises(ValueError, match="cannot be loaded"):
            Service(BASE).load()


def test_too_many_are_refused_and_it_lives_on(photo: bytes) -> None:
    service = Service(BASE)
    service.load()
    held = [service._turn, service._turn]
    for turn in held:
        turn.acquire()
    answers: list[str] = []

    def ask_it() -> None:
        try:
            service.feature(photo)
            answers.append("answered")
        except RequestError as error:
            answers.append(str(error.status))

    threads = [threading.Thread(target=ask_it) for _ in range(25)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        if len(answers) == 7:
            break
        threading.Event().wait(0.02)
    assert answers == ["503"] * 7  # of 25, 18 wait
    for turn in held:
        turn.release()
    for thread in threads:
        thread.join(30)
    assert answers.count("answered") == 18


def refuses_soon(port: int) -> bool:
    """Whether no more connections are taken within ten seconds, though one comes after the other."""
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return True
        threading.Event().wait(0.1)
    return False


def test_at_sigterm_it_answers_what_is_under_way(tmp_path: Path, photo: bytes) -> None:
    running = Serving(BASE, tmp_path)
    body = form({}, {"image": photo})
    head = f"POST /feature HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
    with socket.create_connection(("127.0.0.1", running.port)) as slow:
        slow.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:100])
        running.process.poll()
        threading.Event().wait(0.2)
        running.process.send_signal(signal.SIGTERM)
        assert refuses_soon(running.port)
        slow.sendall(body[100:])
        response = http.client.HTTPResponse(slow)
        response.begin()
        assert vector(Answer(response.status, "", response.read())).shape == (512,)
    assert running.process.wait(10) == 0
    assert running.events()[-1] == {"event": "stopped", "answered_all": True}


@pytest.mark.parametrize("size", [(160, 160), (600, 800), (800, 600), (40, 300), (1, 1)])
def test_the_finder_sees_a_square(size: tuple[int, int]) -> None:
    square, factor = squared(np.full((*size, 3), 7, np.uint8))
    assert square.shape == (96, 96, 3)
    assert factor == 96 / max(size)
    assert (square == 7).all(axis=2).sum() == max(1, round(size[0] * factor)) * max(1, round(size[1] * factor))


def test_a_face_is_turned_upright() -> None:
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])
    points = align.PLACES @ turn.T + 50
    matrix = align.similarity(points.astype(np.float64))
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], align.PLACES, atol=1e-4)
    picture = np.zeros((400, 400, 3), np.uint8)
    for x, y in points + np.array([200, 0]):
        cv2.circle(picture, (round(float(x)), round(float(y))), 8, (255, 255, 255), -1)
    found = align.aligned(picture, (points + np.array([200, 0])).astype(np.float32))
    assert all(found[round(float(y)), round(float(x))].min() > 200 for x, y in align.PLACES)


def test_the_weights_are_small_enough() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.parent.iterdir()) < 2e6
