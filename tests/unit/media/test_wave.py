"""WAV from a pipe, cut off, and without end."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from tests.unit.media.media_files import tone

from penstock import media
from penstock.foundation.errors import UsageError

PLACEHOLDERS = [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0x80000000, 0x7FFFF000, 0xFFFFFFFF - 36]


def riff(content: bytes, *, said: int, riff_said: int = 0xFFFFFFFF) -> bytes:
    """A WAV of 16-bit mono at 16 kHz whose header says another length."""
    begin = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", riff_said, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    return begin + struct.pack("<4sI", b"data", said) + content


@pytest.mark.parametrize("said", PLACEHOLDERS)
@pytest.mark.parametrize("more", [0, 1])
def test_wav_from_a_pipe_is_read_to_its_end(tmp_path: Path, said: int, more: int) -> None:
    sound = tone(1.3)[0]
    path = tmp_path / "pipe.wav"
    path.write_bytes(riff(sound.tobytes() + bytes(more), said=said, riff_said=said))
    assert (media.read_audio(path) == sound).all()
    assert media.probe(path).audio.rate == 16_000


def test_rf64_from_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    sound = tone(0.5)[0]
    data = riff(sound.tobytes(), said=0xFFFFFFFF)
    ds64 = struct.pack("<4sIQQQI", b"ds64", 28, 0, 0, 0, 0)
    path = tmp_path / "pipe.wav"
    path.write_bytes(b"RF64" + data[4:12] + ds64 + data[12:])
    assert (media.read_audio(path) == sound).all()
    honest = ds64[:16] + struct.pack("<Q", sound.nbytes * 2) + ds64[24:]
    path.write_bytes(b"RF64" + data[4:12] + honest + data[12:])
    with pytest.raises(UsageError, match="truncated: its header promises"):
        media.read_audio(path)


@pytest.mark.parametrize("missing", [1, 2, 100, 15_000])
def test_wav_that_promises_more_than_is_there_is_truncated(tmp_path: Path, missing: int) -> None:
    data = riff(tone(0.5)[0].tobytes(), said=16_000)
    path = tmp_path / "cut.wav"
    path.write_bytes(data[:-missing])
    for read in (media.read_audio, media.probe):
        with pytest.raises(UsageError, match=f"promises 16000 bytes of sound, {16_000 - missing} are there"):
            read(path)


def test_a_header_of_a_wav_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "odd.wav"
    for data in (b"RIFF\x24\0\0\0WAVE", b"RIFF\x24\0\0\0WAVEfmt \xff\xff\xff\x7f" + bytes(40), riff(b"", said=0)[:38]):
        path.write_bytes(data)
        with pytest.raises(UsageError, match=r"odd\.wav"):
            media.read_audio(path)
