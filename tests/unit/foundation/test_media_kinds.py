"""One list says which media are read, wherever a file is looked at."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import wave
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from penstock import media
from penstock.evaluation.inputs import decode
from penstock.foundation.errors import UsageError
from penstock.foundation.media_kinds import EVERY_KIND, LFS_POINTER, TEXT, is_note, media_fault, recognise, unread

MP3_FRAME = b"\xff\xfb\x90\x64"


def id3(content: bytes, size: int = 300) -> bytes:
    return b"ID3\x04\0\0" + bytes([0, 0, size >> 7, size & 127]) + bytes(size) + content


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"RIFF\0\0\0\0WEBP", "image"),
        (b"RIFF\0\0\0\0WAVE", "audio"),
        (b"RIFX\0\0\0\0WAVE", None),  # FFmpeg swaps its bytes
        (b"RF64\xff\xff\xff\xffWAVE", "audio"),
        (b"RIFF\0\0\0\0AVI ", "video"),
        (b"RIFF\0\0\0\0EVIL", None),
        (b"fLaC", "audio"),
        (id3(b"fLaC"), "audio"),
        (id3(MP3_FRAME), "audio"),
        (id3(id3(bytes(20) + MP3_FRAME)), "audio"),
        (id3(b"\xff\xf1\x50\x80"), None),
        (id3(b""), None),
        (MP3_FRAME, "audio"),
        (b"\xff\xf1\x50\x80", None),  # AAC
        (b"OggS" + bytes(24) + b"\x01vorbis", "audio"),
        (b"OggS" + bytes(24) + b"\x80theora", "video"),
        (box(b"ftyp", b"isom"), "video"),
        (box(b"ftyp", b"qt  "), "video"),
        (box(b"ftyp", b"M4A "), "audio"),
        (box(b"ftyp", b"avif"), None),
        (box(b"ftyp", b"heic"), None),
        (box(b"wide") + box(b"mdat"), "video"),
        (box(b"free", bytes(5000)) + box(b"skip") + box(b"moov"), "video"),
        (box(b"wide") + b"\0\0\0\x01uuid" + struct.pack(">Q", 20) + bytes(4) + box(b"ftyp", b"M4A "), "audio"),
        (box(b"wide") * 40 + box(b"mdat"), None),
        (b"\0\0\0\0free", None),
        (b"\x1aE\xdf\xa3", "video"),
        (b"BM\x36\0\0\0\0\0\0\0", None),
        (b"GIF89a", None),
        (b"II*\0", None),
        (b"FORM\0\0\0\0AIFF", None),
        ((b"G" + b"\0" * 187) * 3, None),
        (b"\0\0\x01\xba", None),
        (b"Good morning", None),
        (b"\xff\xfeh\0i\0", None),
        (b"#!/bin/sh", None),
        (b"", None),
    ],
)
def test_media_are_known_by_their_first_bytes(head: bytes, kind: str | None) -> None:
    found = recognise(io.BytesIO(head))
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"BM\x36\0\0\0\0\0\0\0", "a BMP picture"),
        (b"GIF89a", "a GIF picture"),
        (b"MM\0*", "a TIFF picture"),
        (box(b"ftyp", b"heic"), "a HEIF or AVIF picture"),
        (b"FORM\0\0\0\0AIFF", "an AIFF sound"),
        (b"\xff\xf1\x50\x80", "a bare AAC sound"),
        (id3(b"\xff\xf1\x50\x80"), "a bare AAC sound"),
        (b"caff\0\x01", "a CAF sound"),
        ((b"G" + b"\0" * 187) * 3, "an MPEG transport stream"),
        (b"FLV\x01", "a Flash video"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer"),
        (b"#!/bin/sh", "no image, sound or video that Penstock knows"),
    ],
)
def test_what_is_not_read_is_named(head: bytes, what: str) -> None:
    text, todo = unread(io.BytesIO(head))
    assert what in text
    assert todo


def sound_file(path: Path) -> Path:
    """A second of sound in the format that the suffix names."""
    samples = (9000 * np.sin(np.arange(16_000) / 11)).astype(np.int16)
    if path.suffix == ".wav":
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        return path
    codecs = {".aac": "aac", ".aiff": "pcm_s16be", ".mp3": "libmp3lame", ".ts": "aac", ".au": "pcm_s16be"}
    formats = {".aac": "adts", ".ts": "mpegts"}
    codec = codecs.get(path.suffix, {".flac": "flac", ".ogg": "libopus"}.get(path.suffix, "aac"))
    with av.open(str(path), "w", format=formats.get(path.suffix)) as container:
        stream = container.add_stream(codec, rate=48_000 if codec == "libopus" else 16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 16_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg", ".m4a", ".mkv", ".aac", ".aiff", ".ts", ".au"])
def test_check_plan_and_score_agree_on_sound(tmp_path: Path, suffix: str) -> None:
    path = sound_file(tmp_path / f"sound{suffix}")
    fault = media_fault(path, expected=("audio", "video"))
    for read in (lambda: decode(path, sound_only=True), lambda: media.read_audio(path), lambda: media.probe(path)):
        if fault is None:
            read()
        else:
            with pytest.raises(UsageError) as caught:
                read()
            assert caught.value.what == fault[0]
    assert (fault is None) == (suffix in (".wav", ".flac", ".mp3", ".ogg", ".m4a", ".mkv"))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif", ".gif", ".ppm"])
def test_check_and_plan_agree_on_pictures(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    if suffix == ".gif":
        path.write_bytes(b"GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;")
    else:
        assert cv2.imwrite(str(path), np.full((20, 30, 3), 90, np.uint8))
    fault = media_fault(path, expected=EVERY_KIND)
    if fault is None:
        decode(path)
    else:
        with pytest.raises(UsageError) as caught:
            decode(path)
        assert caught.value.what == fault[0]
    assert (fault is None) == (suffix in (".png", ".jpg", ".webp"))


def test_what_is_known_by_its_first_bytes_is_opened_as_that(tmp_path: Path) -> None:
    """QuickTime that begins with `wide`, FLAC behind an ID3 tag."""
    wav = sound_file(tmp_path / "sound.wav")
    whole = media.read_audio(wav)
    movie = tmp_path / "wide.mov"
    with av.open(str(movie), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(whole[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 16_000, 0
        container.mux(stream.encode(frame))
    data = movie.read_bytes()
    assert data[4:8] == b"ftyp"
    begin = int.from_bytes(data[:4], "big")
    movie.write_bytes((box(b"wide") + box(b"free", bytes(begin - 16))) + data[begin:])
    flac = sound_file(tmp_path / "sound.flac")
    (tmp_path / "tagged.flac").write_bytes(id3(flac.read_bytes()))
    for name in ("wide.mov", "tagged.flac"):
        assert media_fault(tmp_path / name, expected=("audio", "video")) is None
        assert (media.read_audio(tmp_path / name) == whole).all(), name


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "a.PNG.license", ".hidden.png", "list.csv", "SHA256SUMS"])
def test_notes(name: str) -> None:
    assert is_note(name)


@pytest.mark.parametrize("name", ["a.png", "LICENSE.png", "frame", "a.dat", "a.tiff", "readme.png"])
def test_what_is_no_note(name: str) -> None:
    assert not is_note(name)


def test_the_list_needs_no_package() -> None:
    heavy = ("numpy", "cv2", "av", "yaml", "pydantic")
    code = f"import sys, penstock.foundation.media_kinds; print([m for m in {heavy} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("zh: {cup: [杯子]}\n".encode(), None),
        (b" \n", "the file is empty"),
        (b"", "the file is empty"),
        (b"\x89PNG\r\n", "this is not a text in UTF-8 (byte 0)"),
        (b"a" * ((4 << 20) + 1), "the file is larger than 4 MiB"),
        (LFS_POINTER + b"v1\n", "this is a Git LFS pointer, not the file itself"),
    ],
)
def test_a_text_that_cases_compare_with(tmp_path: Path, content: bytes, what: str | None) -> None:
    (tmp_path / "names.yaml").write_bytes(content)
    fault = media_fault(tmp_path / "names.yaml", expected=TEXT)
    assert (fault and fault[0]) == what
    assert "missing" in str(media_fault(tmp_path / "none.yaml", expected=TEXT))
