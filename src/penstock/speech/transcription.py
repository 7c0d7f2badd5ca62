"""What somebody hears in a recording: a server with OpenAI's ``/v1/audio/transcriptions``, or PocketSphinx here."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.foundation.files import read_regular
from penstock.foundation.loopback import is_loopback
from penstock.foundation.strict_json import read_json
from penstock.foundation.whole_answer import PLAIN, answered_within, plain_chunks
from penstock.speech.acoustic_model import model_folder
from penstock.speech.sounds import Word

Samples = npt.NDArray[np.int16]

RATE = 16_000
EMBEDDED = "pocketsphinx"
"""The name of the transcriber that needs no server."""
KEY_FILE = "key"
"""The file of the server's key in the workspace ``transcriber-key``."""
MAX_SECONDS = 600
MAX_ANSWER_BYTES = 4 << 20
MAX_WORDS = 5_000
MAX_WORD = 100
MAX_KEY_BYTES = 4096
DEADLINE_S = 120.0
"""From the first byte sent to the last of the answer."""
OF_EVERY_RECORDING = (401, 403, 404, 429)
"""Statuses that the next recording would get as well. Any other from 400 to 499 is of the one that was sent."""


class Transcriber(Protocol):
    """What hears words in a recording."""

    @property
    def name(self) -> str:
        """As reports name it; no secret."""

    def words(self, sound: Samples) -> tuple[Word, ...]:
        """The words of a recording, int16 ``(n,)`` at 16 kHz, in order.

        Raises:
            UsageError: the recording is too long or is refused, or the answer is none.
            WorldError: the server cannot be reached or takes no recording; PocketSphinx is not installed.
        """


def open_transcriber(named: str, key_file: Path | None = None, *, model: str = "whisper-1") -> Transcriber:
    """The transcriber of a name.

    Args:
        named: ``pocketsphinx``, or the address of a server up to ``/v1``: ``https://whisper.example.org/v1``.
        key_file: holds the server's key alone, sent as a bearer token.
        model: as the server names it.

    Raises:
        UsageError: the address is none, would send a key in clear text, or the file holds no key.
    """
    if named == EMBEDDED:
        return EmbeddedTranscriber()
    try:
        url = httpx.URL(named)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise UsageError(
            "the transcriber is neither 'pocketsphinx' nor the address of a server",
            where="transcriber",
            todo="Write an address such as https://whisper.example.org/v1, without a password or a query.",
        )
    key = _key(key_file) if key_file is not None else None
    if key is not None and url.scheme != "https" and not is_loopback(url.host):
        raise UsageError(
            "the key would be sent without encryption", where="transcriber", todo="Use an https address, or no key."
        )
    return ServerTranscriber(str(url).rstrip("/"), key, model)


def key_in(folder: Path | None) -> Path | None:
    """The file of the server's key in a workspace; ``None``: there is no workspace, or nothing is in it.

    Raises:
        UsageError: it holds something, but not under this name: a key is never left out in silence.
    """
    if folder is None or not folder.is_dir():
        return None
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith(".."))
    if names and KEY_FILE not in names:
        raise UsageError(
            f"there is no file '{KEY_FILE}'",
            where="workspace transcriber-key",
            todo=f"It holds {one_line(', '.join(names))[:200]}: name the key of the Secret '{KEY_FILE}'.",
        )
    return folder / KEY_FILE if names else None


@dataclass(frozen=True, repr=False)
class ServerTranscriber:
    """A server that speaks OpenAI's interface for transcriptions, with times of words."""

    url: str
    key: str | None
    model: str

    @property
    def name(self) -> str:
        """Model and host."""
        return f"{self.model} at {httpx.URL(self.url).host}"

    def words(self, sound: Samples) -> tuple[Word, ...]:
        """As :meth:`Transcriber.words`. One request, no redirect, no proxy of the environment; never sent again."""
        _check_length(sound)
        headers = PLAIN | ({"Authorization": f"Bearer {self.key}"} if self.key is not None else {})
        form = {"model": self.model, "response_format": "verbose_json", "timestamp_granularities[]": "word"}
        files = {"file": ("sound.wav", _wav(sound), "audio/wav")}
        url = f"{self.url}/audio/transcriptions"
        try:
            with (
                httpx.Client(timeout=httpx.Timeout(DEADLINE_S, connect=10.0), trust_env=False) as client,
                answered_within(client, DEADLINE_S),
                client.stream("POST", url, headers=headers, data=form, files=files) as answer,
            ):
                content = _limited(answer, where=self.name)
        except (httpx.ReadTimeout, httpx.DecodingError) as error:
            raise WorldError(f"the transcriber gives no answer: {error}", where=self.name) from error
        except (httpx.HTTPError, UnicodeError, OverflowError) as error:  # the last two: of a host or port that none has
            raise WorldError(f"the transcriber cannot be reached: {type(error).__name__}", where=self.name) from error
        if answer.status_code != httpx.codes.OK:
            refused = 400 <= answer.status_code < 500 and answer.status_code not in OF_EVERY_RECORDING
            raise (UsageError if refused else WorldError)(
                f"the transcriber answered with status {answer.status_code}",
                where=self.name,
                todo="Look at its log, at the key and at the model's name.",
            )
        return words_of_answer(content, sound.size / RATE, where=self.name)


class EmbeddedTranscriber:
    """PocketSphinx with its own English language model: enough to find a passage, often wrong in a word."""

    name = EMBEDDED

    def words(self, sound: Samples) -> tuple[Word, ...]:
        """As :meth:`Transcriber.words`. English; the same answer each time, since each recording has a decoder anew."""
        _check_length(sound)
        model_folder()  # raises where the package is not installed
        from pocketsphinx import Decoder

        decoder = Decoder(loglevel="FATAL", cmn="batch")
        # digital silence is no sound to the model, and dither is drawn the same way each time
        hiss = np.random.default_rng(0).normal(0, 8, sound.size)
        heard = np.clip(sound + hiss.round(), -32768, 32767).astype(np.int16)
        decoder.start_utt()
        decoder.process_raw(heard.tobytes(), full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is None:
            return ()
        found = [(each.word.partition("(")[0], each.start_frame, each.end_frame + 1) for each in decoder.seg()]
        return tuple(Word(text, start / 100, end / 100) for text, start, end in found if text[0] not in "<[+")


def words_of_answer(content: bytes, seconds: float, *, where: str) -> tuple[Word, ...]:
    """The words of a server's answer, which is checked.

    Args:
        content: JSON with ``words``, each with ``word``, ``start`` and ``end`` in seconds.
        seconds: of the recording: times beyond it by more than a second are refused.
        where: the server, for messages.

    Raises:
        UsageError: it is no such answer.
    """

    def wrong(what: str) -> UsageError:
        return UsageError(
            f"the transcriber's answer {what}",
            where=where,
            todo="Use a server that gives times of words (verbose_json).",
        )

    try:
        value = read_json(content)
    except ValueError as error:
        raise wrong("is no JSON") from error
    listed = value.get("words") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        raise wrong("has no list 'words'")
    if len(listed) > MAX_WORDS:
        raise wrong(f"has more than {MAX_WORDS} words")
    found: list[Word] = []
    for number, entry in enumerate(listed, 1):
        word = _word(entry, seconds + 1.0)
        if word is None or (found and word.start_s < found[-1].start_s - 1.0):
            raise wrong(f"has no word with its times at place {number}")
        found.append(word)
    return tuple(found)


def _word(entry: Any, latest: float) -> Word | None:
    if not isinstance(entry, Mapping) or not isinstance(text := entry.get("word"), str):
        return None
    start, end = (_seconds(entry.get(name)) for name in ("start", "end"))
    text = one_line(text).strip()
    if start is None or end is None or not start <= end <= latest or not 0 < len(text) <= MAX_WORD:
        return None
    return Word(text, round(start, 3), round(end, 3))


def _seconds(value: object) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return float(value) if fits and isinstance(value, int | float) else None


def _check_length(sound: Samples) -> None:
    if sound.size > MAX_SECONDS * RATE:
        raise UsageError(f"the recording of {sound.size / RATE:.0f} s is too long: {MAX_SECONDS} s are transcribed")


def _wav(sound: Samples) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(sound.astype("<i2").tobytes())
    return content.getvalue()


def _limited(answer: httpx.Response, *, where: str) -> bytes:
    content = bytearray()
    for piece in plain_chunks(answer):
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise UsageError(f"the transcriber's answer is larger than {MAX_ANSWER_BYTES:,} bytes", where=where)
    return bytes(content)


def _key(file: Path) -> str:
    raw = read_regular(file, max_bytes=MAX_KEY_BYTES, where=str(file))
    key = raw.decode("ascii", "replace").strip()
    if not key or not key.isprintable() or " " in key or not key.isascii():
        raise UsageError("the file holds no key: one line of printable ASCII", where=str(file))
    return key
