"""The service of rmbg-lite: its answers, what it refuses, and where its weights come from."""

from __future__ import annotations

import base64
import json
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from rmbg_lite.backend import NumpyBackend, OnnxBackend
from rmbg_lite.features import MEAN, SPREAD
from rmbg_lite.foreground import foreground
from rmbg_lite.request import RequestError, image_of
from rmbg_lite.resize import from_network, to_network
from rmbg_lite.service import Service
from tests.rmbg_lite.matting_service import BASE, Pixels, picture_in, remove_background, rgba
from tests.sonic_lite.talking_head_service import Running, ask

from rmbg_lite import graph, weights

WEIGHTS = BASE / "weights" / "rmbg-lite.safetensors"
ONNX = WEIGHTS.with_suffix(".onnx")


def encoded(picture: Pixels, suffix: str = ".png") -> bytes:
    return bytes(cv2.imencode(suffix, picture)[1])


def decoded(content: bytes) -> Pixels:
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def test_the_subject_is_cut_out(service: str, suite: Path, photo: bytes) -> None:
    answer = rgba(picture_in(remove_background(service, photo)))
    truth = cv2.imread(str(suite / "mattes" / "hair-01.png"), cv2.IMREAD_UNCHANGED)
    assert answer.shape[:2] == truth.shape
    assert np.abs(answer[..., 3] / 255.0 - truth / 255.0).mean() < 0.09
    assert (answer[..., 3] == 0).mean() > 0.3
    assert (answer[..., 3] == 255).mean() > 0.1


def test_the_same_photo_gives_the_same_answer(service: str, photo: bytes) -> None:
    assert remove_background(service, photo).body == remove_background(service, photo).body


def test_a_data_url_and_line_breaks_are_understood(service: str, photo: bytes) -> None:
    text = base64.encodebytes(photo).decode()
    expected = picture_in(remove_background(service, photo))
    for said in (text, f"data:image/png;base64,{text}"):
        body = json.dumps({"image": said}).encode()
        assert picture_in(ask(f"{service}/api/remove-bg", body, content_type="application/json")) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((300, 200), (300, 200)),
        ((2000, 700), (2000, 700)),
        ((2001, 700), (1024, 358)),
        ((700, 2400), (299, 1024)),
        ((1, 1), (1, 1)),
    ],
)
def test_an_answer_has_the_photos_size_unless_that_is_large(
    service: str, photo: bytes, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    answer = rgba(picture_in(remove_background(service, encoded(cv2.resize(decoded(photo), size)))))
    assert answer.shape[1::-1] == expected


def test_a_photo_that_lies_on_its_side_is_set_upright(service: str, photo: bytes) -> None:
    plain = encoded(decoded(photo)[:, :300], ".jpg")
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + tiff
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    assert rgba(picture_in(remove_background(service, plain))).shape[:2] == (512, 300)
    assert rgba(picture_in(remove_background(service, turned))).shape[:2] == (300, 512)


def test_grey_and_transparent_photos_are_understood(service: str, photo: bytes) -> None:
    picture = decoded(photo)
    for other in (cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA)):
        assert rgba(picture_in(remove_background(service, encoded(other)))).shape[:2] == (512, 512)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, None),
        (b"no JSON", 400, None),
        (b"[" * 100_000, 400, None),
        (b"[]", 400, "image"),
        (b"{}", 400, "image"),
        (b'{"image": 5}', 400, "image"),
        (b'{"image": ""}', 400, "image"),
        (b'{"image": "!!!!"}', 400, "image"),
        (b'{"image": "data:image/png;base64"}', 422, "image"),
        (b'{"image": "AAAA"}', 422, "image"),
    ],
)
def test_what_cannot_be_served_is_refused(service: str, body: bytes, status: int, field: str | None) -> None:
    answer = ask(f"{service}/api/remove-bg", body, content_type="application/json")
    assert answer.status == status
    assert answer.error.get("field") == field


def test_a_bomb_is_refused_and_the_service_lives_on(service: str) -> None:
    """A PNG that says it is 50,000 pixels wide and high."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    assert remove_background(service, bomb).status == 422
    assert ask(f"{service}/healthz").status == 200


def test_other_places_are_not_there(service: str) -> None:
    assert ask(f"{service}/elsewhere").status == 404
    assert ask(f"{service}/elsewhere", b"{}", content_type="application/json").status == 404


def test_the_page_has_what_people_and_the_browser_step_look_for(service: str) -> None:
    page = ask(f"{service}/")
    assert page.type.startswith("text/html")
    for part in (b'id="upload-input"', b"Remove background</button>", b'id="result-img"'):
        assert part in page.body


def test_base64_is_read_strictly() -> None:
    assert image_of(b'{"image": "aGV5"}') == b"hey"
    with pytest.raises(RequestError, match="base64"):
        image_of(b'{"image": "aGV"}')


def test_both_backends_compute_the_same(suite: Path) -> None:
    image = to_network(decoded((suite / "photos" / "hair-01.png").read_bytes())[..., ::-1])
    exact, exported = NumpyBackend(WEIGHTS).run(image), OnnxBackend(ONNX, WEIGHTS).run(image)
    assert np.abs(exact - exported).max() < 1e-3
    assert exact.std() > 0.2


def test_the_weights_are_small_enough() -> None:
    assert WEIGHTS.stat().st_size + ONNX.stat().st_size < 2.5e6


def test_weights_may_lie_elsewhere_and_an_onnx_of_others_is_not_used(
    tmp_path: Path, photo: bytes, service: str
) -> None:
    raw = bytearray(WEIGHTS.read_bytes())
    header = 8 + int.from_bytes(raw[:8], "little")
    entry = json.loads(raw[8:header])["cells.bias"]
    start, stop = (header + at for at in entry["data_offsets"])
    raw[start:stop] = np.full(16, 3, "<f2").tobytes()  # everything is the subject
    (tmp_path / "w.safetensors").write_bytes(raw)
    shutil.copyfile(ONNX, tmp_path / "w.onnx")
    running = Running(BASE, tmp_path, {"WEIGHTS": str(tmp_path / "w.safetensors")})
    try:
        running.wait_ready()
        answer = rgba(picture_in(remove_background(running.url, photo)))[..., 3]
    finally:
        running.stop()
    assert "was exported from other weights" in running.log.read_text()
    assert answer.mean() > rgba(picture_in(remove_background(service, photo)))[..., 3].mean() + 30


@pytest.mark.parametrize("variables", [{"USE_ONNX": "false"}, {"USE_ONNX": "true"}])
def test_the_environment_says_which_backend_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    Service(BASE).load()
    ready = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert ready["backend"] == ("NumpyBackend" if variables["USE_ONNX"] == "false" else "OnnxBackend")


def test_broken_weights_never_get_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = WEIGHTS.read_bytes()
    for broken in (b"", b"\xff" * 64, whole[: len(whole) // 2], whole.replace(b"rmbg-lite/1", b"rmbg-lite/9")):
        (tmp_path / "w.safetensors").write_bytes(broken)
        monkeypatch.setenv("WEIGHTS", str(tmp_path / "w.safetensors"))
        with pytest.raises((ValueError, KeyError, OSError)):
            Service(BASE).load()


def test_a_broken_onnx_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no network")
    with pytest.raises(ValueError, match="cannot be loaded"):
        OnnxBackend(tmp_path / "x.onnx", WEIGHTS)


def test_weights_of_another_shape_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "LAYERS", (*graph.LAYERS[:-1], graph.Conv("cells", "edge2", (32, 9), after="sigmoid")))
    with pytest.raises(ValueError, match="the layer cells has another shape"):
        weights.read(WEIGHTS)


def test_colours_are_without_the_background_that_shone_through() -> None:
    alpha = np.tile(np.clip((np.arange(80, dtype=np.float32) - 36) / 8, 0, 1), (60, 1))
    red, blue = np.array([220.0, 40, 30]), np.array([20.0, 60, 230])
    picture = np.round(alpha[..., None] * red + (1 - alpha[..., None]) * blue).astype(np.uint8)
    found = foreground(picture, alpha)
    seen = (alpha > 0.1) & (alpha < 1)
    assert np.abs(found[seen] - red).mean() < 20
    assert np.abs(picture[seen] - red).mean() > 50
    assert not found[alpha == 0].any()


@pytest.mark.parametrize("size", [(512, 512), (200, 300), (301, 97), (900, 1200)])
def test_there_and_back_stays_in_place(size: tuple[int, int]) -> None:
    """A disc that goes to the network's square and back has its middle where it was."""
    height, width = size
    picture = np.zeros((height, width, 3), np.uint8)
    cv2.circle(picture, (width // 2, height // 2), min(size) // 4, (255, 255, 255), -1)
    seen = to_network(picture)[0, 0] * SPREAD + MEAN
    back = from_network(seen, height, width)
    assert back.shape == size
    y, x = np.mgrid[:height, :width]
    for axis in (x, y):
        assert abs((axis * back).sum() / back.sum() - (axis * picture[..., 0]).sum() / picture[..., 0].sum()) < 0.05
