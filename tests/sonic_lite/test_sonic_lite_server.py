from __future__ import annotations

import http.client
import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import soundfile
from server import MAX_BODY_BYTES, Server
from sonic_lite.service import Service
from tests.sonic_lite.talking_head_service import ASSETS, BASE, SPEECH_S, Answer, ask, form

SMALL = {"min_resolution": "128", "motion_scale": "0"}


def generate(service: str, image: bytes, audio: bytes, **fields: str) -> Answer:
    asked = {"duration": str(SPEECH_S), **SMALL, **fields}
    return ask(f"{service}/generate", form(asked, {"image": image, "audio": audio}))


def decode(video: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Frames (n, H, W) grey and sound (m,)."""
    with av.open(io.BytesIO(video)) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    with av.open(io.BytesIO(video)) as container:
        sound = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.array(frames, np.float32), np.concatenate(sound)


def opening(frames: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """How far the mouth is open in each frame: how much the lower face differs from that of a mouth at rest."""
    height, width = rest.shape
    lower = np.s_[height // 2 : height * 3 // 4, width // 4 : -width // 4]
    return np.array([np.abs(frame[lower] - rest[lower]).mean() for frame in frames])


@pytest.fixture(scope="module")
def spoken(service: str, portrait: bytes, speech: bytes) -> Answer:
    return generate(service, portrait, speech)


def test_the_answer_is_a_video_of_the_asked_length_with_its_sound(spoken: Answer, speech: bytes) -> None:
    assert (spoken.status, spoken.type) == (200, "video/mp4")
    with av.open(io.BytesIO(spoken.body)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, float(video.average_rate)) == (128, 128, 25.0)
    frames, heard = decode(spoken.body)
    assert abs(len(frames) / 25 - SPEECH_S) <= 0.02
    original, _ = soundfile.read(io.BytesIO(speech), dtype="float32")
    length = min(len(heard), len(original))
    assert length / 16000 > SPEECH_S - 0.1
    lags = range(-400, 401, 40)
    fits = [np.corrcoef(np.roll(heard[:length], lag), original[:length])[0, 1] for lag in lags]
    assert lags[int(np.argmax(fits))] == 0
    assert max(fits) > 0.95


@pytest.fixture(scope="module")
def silent(service: str, portrait: bytes) -> np.ndarray:
    """The frames of a portrait that hears silence."""
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(8000, np.float32), 16000, format="WAV")
    return decode(generate(service, portrait, silence.getvalue(), duration="0.5").body)[0]


def test_the_mouth_follows_this_speech_and_not_another(
    service: str, portrait: bytes, speech: bytes, spoken: Answer, silent: np.ndarray
) -> None:
    moved = opening(decode(spoken.body)[0], silent[5])
    assert moved.std() > 0.5
    another = (ASSETS / "speech" / "es-f3-01.flac").read_bytes()
    other = opening(decode(generate(service, portrait, another, duration="2.744625").body)[0], silent[5])
    assert np.corrcoef(moved, other[: len(moved)])[0, 1] < 0.5
    samples = soundfile.read(io.BytesIO(speech))[0][: 62 * 640]
    loud = np.sqrt((samples.reshape(62, 640) ** 2).mean(axis=1))
    assert moved[:62][loud > np.quantile(loud, 0.5)].mean() > 1.3 * moved[:62][loud < np.quantile(loud, 0.2)].mean()


def test_silence_keeps_the_mouth_shut(spoken: Answer, silent: np.ndarray) -> None:
    assert opening(silent, silent[5]).max() < 0.1 * opening(decode(spoken.body)[0], silent[5]).max()


def test_the_same_request_gives_the_same_file(service: str, portrait: bytes, speech: bytes, spoken: Answer) -> None:
    assert generate(service, portrait, speech).body == spoken.body


def test_few_steps_flicker(service: str, portrait: bytes, speech: bytes, spoken: Answer) -> None:
    rough = generate(service, portrait, speech, inference_steps="8")

    def flicker(answer: Answer) -> float:
        return float(np.abs(np.diff(decode(answer.body)[0].mean(axis=(1, 2)))).mean())

    assert flicker(rough) > 3 * flicker(spoken)


def test_sound_of_another_rate_with_two_channels_is_understood(service: str, portrait: bytes, speech: bytes) -> None:
    wave = soundfile.read(io.BytesIO(speech))[0]
    stereo = io.BytesIO()
    soundfile.write(stereo, np.repeat(np.repeat(wave, 3)[:, None], 2, axis=1), 48000, format="WAV")
    assert generate(service, portrait, stereo.getvalue()).status == 200


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("duration", "3.1", 422),
        ("duration", "long", 400),
        ("duration", "nan", 422),
        ("duration", "0", 422),
        ("duration", "-1e400", 422),
        ("min_resolution", "1e3", 400),
        ("min_resolution", "9999", 422),
        ("expand_ratio", "-0.1", 422),
        ("inference_steps", "0", 422),
        ("inference_steps", "2.5", 400),
        ("dynamic_scale", "9", 422),
        ("motion_scale", "", 400),
        ("lip_sync_align", "maybe", 400),
        ("colour", "red", 400),
    ],
)
def test_a_bad_parameter_is_refused_by_name(
    service: str, portrait: bytes, speech: bytes, field: str, value: str, status: int
) -> None:
    answer = generate(service, portrait, speech, **{field: value})
    assert answer.status == status
    assert answer.error["field"] == field


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_bad_picture_is_refused(service: str, speech: bytes, content: bytes) -> None:
    answer = generate(service, content, speech)
    assert answer.status in (400, 422)
    assert answer.error["field"] == "image"


@pytest.mark.parametrize("content", [b"", b"not a sound", b"RIFF\x10\0\0\0WAVEfmt "])
def test_a_bad_sound_is_refused(service: str, portrait: bytes, content: bytes) -> None:
    answer = generate(service, portrait, content)
    assert answer.status in (400, 422)
    assert answer.error["field"] == "audio"


def test_what_is_no_form_is_refused_and_the_service_lives_on(service: str) -> None:
    assert ask(f"{service}/generate", b"{}", content_type="application/json").status == 400
    assert (
        ask(f"{service}/generate", b"--x\r\nbroken off", content_type="multipart/form-data; boundary=x").status == 400
    )
    assert ask(f"{service}/elsewhere", b"").status == 404
    assert ask(f"{service}/elsewhere").status == 404
    assert ask(f"{service}/healthz").status == 200


@pytest.mark.parametrize(("header", "status"), [(None, 411), ("many", 411), (str(MAX_BODY_BYTES + 1), 413)])
def test_a_body_of_unknown_or_great_length_is_not_read(service: str, header: str | None, status: int) -> None:
    connection = http.client.HTTPConnection(service.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/generate")
    if header is not None:
        connection.putheader("Content-Length", header)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_a_caller_that_hangs_up_does_no_harm(service: str) -> None:
    host, port = service.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
    assert ask(f"{service}/healthz").status == 200


@pytest.fixture
def loading() -> Iterator[tuple[Service, str]]:
    behind = Service(BASE)
    server = Server(("127.0.0.1", 0), behind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield behind, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_it_is_ready_only_once_the_model_is_loaded(loading: tuple[Service, str]) -> None:
    behind, url = loading
    assert ask(f"{url}/healthz").status == 503
    assert ask(f"{url}/generate", b"x").status == 503
    behind.load()
    assert ask(f"{url}/healthz").status == 200


def test_broken_weights_never_get_ready(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    whole = (BASE / "weights" / "sonic-lite.safetensors").read_bytes()
    for broken in (b"", b"\xff" * 64, whole[: len(whole) // 2], whole.replace(b"sonic-lite/1", b"sonic-lite/9")):
        (tmp_path / "weights" / "sonic-lite.safetensors").write_bytes(broken)
        with pytest.raises((ValueError, KeyError, OSError)):
            Service(tmp_path).load()


def test_grey_and_transparent_and_oblong_portraits_speak(service: str, portrait: bytes, speech: bytes) -> None:
    colour = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    grey = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)
    clear = cv2.cvtColor(colour, cv2.COLOR_BGR2BGRA)
    oblong = colour[:, 80:-80]
    for image in (grey, clear, oblong):
        encoded = cv2.imencode(".png", image)[1].tobytes()
        assert generate(service, encoded, speech, min_resolution="64").status == 200
    tiny = cv2.imencode(".png", colour[:20, :20])[1].tobytes()
    assert generate(service, tiny, speech).status == 422
