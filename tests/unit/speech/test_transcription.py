"""Who hears words: a server on this machine, and PocketSphinx."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import socket
import threading
import wave
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.speech.recordings import recording

from penstock.foundation.errors import UsageError, WorldError
from penstock.speech import transcription
from penstock.speech.sounds import Word
from penstock.speech.transcription import EmbeddedTranscriber, key_in, open_transcriber, words_of_answer

KEY = "sk-not-to-be-told"
ANSWER = {
    "text": "Bob moves",
    "words": [{"word": " Bob", "start": 0.1, "end": 0.4}, {"word": "moves", "start": 0.4, "end": 1}],
}
Asked = list[tuple[str, dict[str, str], bytes]]


@pytest.fixture
def server() -> Iterator[Callable[..., tuple[str, Asked]]]:
    """Start a server with one answer; its address, and what it was asked."""
    started: list[HTTPServer] = []

    def start(content: bytes, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> tuple[str, Asked]:
        asked: Asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked.append((self.path, dict(self.headers), body))
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *said: object) -> None:
                pass

        started.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=started[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{started[-1].server_port}/v1/", asked

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


def test_a_server_is_asked_once_with_the_sound_and_the_key(server, tmp_path: Path) -> None:
    url, asked = server(json.dumps(ANSWER).encode())
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="utf-8")
    transcriber = open_transcriber(url, tmp_path / "key", model="large-v3")
    sound = recording("en-us-m3-01")
    assert transcriber.words(sound) == (Word("Bob", 0.1, 0.4), Word("moves", 0.4, 1.0))
    [(path, headers, body)] = asked
    assert path == "/v1/audio/transcriptions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert b"verbose_json" in body
    assert b"large-v3" in body
    with wave.open(io.BytesIO(body[body.index(b"RIFF") :])) as sent:
        assert (sent.getframerate(), sent.getnchannels()) == (16_000, 1)
        assert sent.readframes(8_000) == sound[:8_000].tobytes()
    assert KEY not in repr(transcriber) + transcriber.name


@pytest.mark.parametrize(
    ("status", "headers", "says"),
    [(401, (), "status 401"), (500, (), "status 500"), (302, (("Location", "http://127.0.0.1:1/"),), "status 302")],
)
def test_a_server_that_refuses(server, status: int, headers, says: str) -> None:
    url, asked = server(b"no", status, headers)
    with pytest.raises(WorldError, match=says):
        open_transcriber(url).words(np.zeros(1600, np.int16))
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(400, UsageError), (413, UsageError), (404, WorldError), (429, WorldError)]
)
def test_who_refuses_one_recording_may_take_the_next(server, status: int, kind: type[Exception]) -> None:
    url, _ = server(b"no", status)
    with pytest.raises(kind, match=f"answered with status {status}"):
        open_transcriber(url).words(np.zeros(1600, np.int16))


def test_a_server_that_is_away_or_says_too_much(server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorldError, match="cannot be reached"):
        open_transcriber("http://127.0.0.1:9/v1").words(np.zeros(1600, np.int16))
    monkeypatch.setattr(transcription, "MAX_ANSWER_BYTES", 1000)
    url, _ = server(b" " * 5000)
    with pytest.raises(UsageError, match="the transcriber's answer is larger than 1,000 bytes"):
        open_transcriber(url).words(np.zeros(1600, np.int16))


def test_a_compressed_answer_is_not_unpacked(server) -> None:
    content = gzip.compress(gzip.compress(bytes(1 << 22)))
    url, asked = server(content, headers=(("Content-Encoding", "gzip, gzip"),))
    with pytest.raises(WorldError, match="gives no answer: its answer is compressed"):
        open_transcriber(url).words(np.zeros(1600, np.int16))
    assert asked[0][1]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"])
def test_an_answer_that_comes_byte_by_byte_has_a_limit(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcription, "DEADLINE_S", 0.15)
    over = threading.Event()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):  # the other side has had enough
            connection.sendall(start)
            while not over.wait(0.01):
                connection.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with pytest.raises(WorldError, match="gives no answer: no whole answer within"):
                open_transcriber(f"http://127.0.0.1:{listening.getsockname()[1]}/v1").words(np.zeros(1600, np.int16))
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        "{", "[]", "{}", '{"words": {}}', '{"words": [1]}', '{"words": [{"word": 1, "start": 0, "end": 1}]}',
        '{"words": [{"word": "a", "start": 1, "end": 0}]}', '{"words": [{"word": "a", "start": 0, "end": 99}]}',
        '{"words": [{"word": "a", "start": NaN, "end": 1}]}', '{"words": [{"word": " ", "start": 0, "end": 1}]}',
        '{"words": [{"word": "a", "start": true, "end": 1}]}',
    ],
)  # fmt: skip
def test_answers_that_are_none(answer: str) -> None:
    with pytest.raises(UsageError, match="the transcriber's answer"):
        words_of_answer(answer.encode(), 2.0, where="server")


@settings(max_examples=30)
@given(st.binary(max_size=80) | st.recursive(st.none() | st.text(max_size=5) | st.floats(), st.lists).map(repr))
def test_any_answer_is_words_or_one_message(answer) -> None:
    content = answer if isinstance(answer, bytes) else b'{"words": ' + answer.encode("utf-8", "replace") + b"}"
    with contextlib.suppress(UsageError):  # nothing else
        assert all(isinstance(word, Word) for word in words_of_answer(content, 2.0, where="server"))


@pytest.mark.parametrize(
    "named", ["whisper", "ftp://host/v1", "http://", "https://me:pw@host/v1", "https://host/v1?key=1"]
)
def test_names_that_are_none(named: str) -> None:
    with pytest.raises(UsageError, match="neither 'pocketsphinx' nor"):
        open_transcriber(named)


def test_keys_that_are_none_and_keys_in_clear_text(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY, encoding="utf-8")
    with pytest.raises(UsageError, match="without encryption"):
        open_transcriber("http://whisper.example.org/v1", file)
    file.write_text("two words\n", encoding="utf-8")
    with pytest.raises(UsageError, match="holds no key"):
        open_transcriber("https://whisper.example.org/v1", file)


def test_a_recording_that_is_too_long() -> None:
    with pytest.raises(UsageError, match="too long"):
        EmbeddedTranscriber().words(np.zeros(601 * 16_000, np.int16))


@pytest.mark.slow
def test_pocketsphinx_hears_most_words_the_same_each_time() -> None:
    transcriber = open_transcriber("pocketsphinx")
    sound = recording("en-us-f3-01")
    words = transcriber.words(sound)
    assert len({"we", "open", "the", "valve", "slowly", "water", "begins", "to", "move"} & {w.text for w in words}) >= 4
    assert all(0 <= word.start_s <= word.end_s <= 3.2 for word in words)
    assert words == transcriber.words(sound)


def test_the_key_of_a_workspace(tmp_path: Path) -> None:
    assert key_in(None) is None
    assert key_in(tmp_path / "none") is None
    assert key_in(tmp_path) is None, "a Secret that a site need not have is an empty folder"
    (tmp_path / "..data").mkdir()
    assert key_in(tmp_path) is None
    (tmp_path / "token").write_text(KEY, encoding="utf-8")
    with pytest.raises(UsageError, match=r"no file 'key'.*It holds token") as raised:
        key_in(tmp_path)
    assert KEY not in str(raised.value)
    (tmp_path / "key").write_text(KEY, encoding="utf-8")
    assert key_in(tmp_path) == tmp_path / "key"
