"""Which media Penstock reads: the one list that ``penstock check``, *plan*, *measure* and ``penstock score`` go by.

A file is what its first bytes say, whatever its name is. Nothing is decoded here and only the standard library is
used, so that ``penstock check`` stays instant and a driver in a model's image can look, too.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, Literal

from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular

Kind = Literal["image", "audio", "video", "text"]
EVERY_KIND: tuple[Kind, ...] = ("image", "audio", "video")
"""What an input of this name must be. Containers of video are accepted for sound: they hold both. A text is a table
that cases compare with, and no input."""
TEXT: tuple[Kind, ...] = ("text",)

MAX_BYTES: dict[Kind, int] = {"image": 64 << 20, "audio": 512 << 20, "video": 512 << 20, "text": 4 << 20}
"""The largest file of a suite, by its kind."""
SUFFIXES = {
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "video/x-matroska": ".mkv",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "application/json": ".json",
}
"""Media type of an answer → the suffix of the file that holds it."""
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
IS_LFS_POINTER = "this is a Git LFS pointer, not the file itself"
PULL = "Run `git lfs pull` where the repository is cloned."
_READ: dict[Kind, str] = {
    "image": "PNG, JPEG or WebP",
    "audio": "WAV, FLAC, MP3, Ogg or M4A",
    "video": "MP4, MOV, Matroska, WebM or AVI",
    "text": "a text in UTF-8",
}


@dataclass(frozen=True)
class Format:
    """A format that is read: its ``name`` for people, its kind, and FFmpeg's ``demuxer`` (pictures have none)."""

    name: str
    kind: Kind
    demuxer: str = ""


PNG, JPEG, WEBP = Format("PNG", "image"), Format("JPEG", "image"), Format("WebP", "image")
WAV, FLAC, MP3 = Format("WAV", "audio", "wav"), Format("FLAC", "audio", "flac"), Format("MP3", "audio", "mp3")
OGG, OGG_VIDEO = Format("Ogg", "audio", "ogg"), Format("Ogg", "video", "ogg")
M4A, MP4 = Format("M4A", "audio", "mov"), Format("MP4", "video", "mov")
MATROSKA, AVI = Format("Matroska", "video", "matroska"), Format("AVI", "video", "avi")

_MEDIA_TYPES = {
    PNG: "image/png",
    JPEG: "image/jpeg",
    WEBP: "image/webp",
    WAV: "audio/wav",
    FLAC: "audio/flac",
    MP3: "audio/mpeg",
    OGG: "audio/ogg",
    OGG_VIDEO: "video/ogg",
    M4A: "audio/mp4",
    AVI: "video/x-msvideo",
}
"""Those whose first bytes leave no doubt: MP4 and QuickTime, Matroska and WebM are told apart by their names."""
_HEAD_BYTES = 4096
_ID3_BYTES = 10
_MOST_TAGS = 8
_MOST_BOXES = 32
_RIFF: dict[tuple[bytes, bytes], Format] = {
    (b"RIFF", b"WAVE"): WAV,
    (b"RF64", b"WAVE"): WAV,
    (b"BW64", b"WAVE"): WAV,
    (b"RIFF", b"WEBP"): WEBP,
    (b"RIFF", b"AVI "): AVI,
    (b"RIFF", b"AVIX"): AVI,
}
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P "})
_PICTURE_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})
_AHEAD_OF_THE_MOVIE = frozenset({b"wide", b"free", b"skip", b"junk", b"pict", b"pnot", b"uuid", b"udta", b"prfl"})
"""Boxes with which a QuickTime file may begin."""
_OTHERS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL), "a BMP picture"),
    (re.compile(rb"GIF8[79]a"), "a GIF picture"),
    (re.compile(rb"II\*\0|MM\0\*|II\+\0|MM\0\+"), "a TIFF picture"),
    (re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"), "a JPEG 2000 picture"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "), "a JPEG XL picture"),
    (re.compile(rb"FORM.{4}AIF[FC]", re.DOTALL), "an AIFF sound"),
    (re.compile(rb"\xff[\xf0\xf1\xf8\xf9]|ADIF"), "a bare AAC sound"),
    (re.compile(rb"riff\x2e\x91\xcf\x11"), "a Wave64 sound"),
    (re.compile(rb"caff\0\x01"), "a CAF sound"),
    (re.compile(rb"\.snd|dns\."), "an AU sound"),
    (re.compile(rb"#!AMR"), "an AMR sound"),
    (re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "a Windows Media file"),
    (re.compile(rb"FLV\x01"), "a Flash video"),
    (re.compile(rb"\0\0\x01[\xb3\xba]"), "an MPEG programme stream"),
    (re.compile(rb"(?:G.{187}){2}G|.{4}G.{191}G", re.DOTALL), "an MPEG transport stream"),
)


def recognise(file: BinaryIO) -> Format | None:
    """The format of an open file; ``None`` if it is not one that is read. The file may be left anywhere."""
    at, head = _behind_tags(file)
    if (found := _RIFF.get((head[:4], head[8:12]))) is not None:
        return found
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"fLaC"):
        return FLAC
    if head.startswith(b"OggS"):
        return OGG_VIDEO if b"\x80theora" in head else OGG
    if head.startswith(b"\x1aE\xdf\xa3"):
        return MATROSKA
    return MP3 if _is_mp3(head.lstrip(b"\0") if at else head) else _movie(file, at)


def media_type_of(file: BinaryIO) -> str | None:
    """The media type of an open file by its first bytes, where they leave no doubt. The file may be left anywhere."""
    found = recognise(file)
    return None if found is None else _MEDIA_TYPES.get(found)


def _behind_tags(file: BinaryIO) -> tuple[int, bytes]:
    """Where the content begins behind the ID3 tags with which a file may begin, and its first bytes."""
    at = 0
    for _ in range(_MOST_TAGS):
        file.seek(at)
        head = file.read(_HEAD_BYTES)
        if head[:3] != b"ID3" or len(head) < _ID3_BYTES or max(head[6:10]) > 0x7F:
            break
        footer = _ID3_BYTES if head[5] & 0x10 else 0
        at += _ID3_BYTES + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + footer
    return at, head


def _is_mp3(head: bytes) -> bool:
    """A frame header of MPEG audio, layer I to III. (Layer 0 is AAC; FF FE is what UTF-16 text begins with.)"""
    return (
        len(head) >= 4
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and head[1] & 0x06 != 0  # the layer
        and head[1] & 0x18 != 0x08  # the version
        and head[1] != 0xFE
        and head[2] & 0xF0 != 0xF0  # the bit rate
        and head[2] & 0x0C != 0x0C  # the sample rate
    )


def _movie(file: BinaryIO, at: int) -> Format | None:
    """MP4, QuickTime and their kin: boxes, each with its length and type."""
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if kind == b"ftyp":
            brand = head[8:12]
            return None if brand in _PICTURE_BRANDS else M4A if brand in _AUDIO_BRANDS else MP4
        if kind in (b"moov", b"mdat"):
            return MP4
        size = int.from_bytes(head[8:16], "big") if size == 1 else size
        if kind not in _AHEAD_OF_THE_MOVIE or size < 8:
            return None
        at += size
    return None


def _other(file: BinaryIO) -> str:
    """What a file is that is not read, as far as its first bytes tell."""
    _, head = _behind_tags(file)
    if head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS:
        return "a HEIF or AVIF picture, which is not read"
    for pattern, name in _OTHERS:
        if pattern.match(head):
            return f"{name}, which is not read"
    return "no image, sound or video that Penstock knows"


def unread(file: BinaryIO, expected: tuple[Kind, ...] = EVERY_KIND) -> tuple[str, str]:
    """Why an open file is not read that :func:`recognise` does not know, and what to give in its place."""
    file.seek(0)
    if file.read(len(LFS_POINTER)) == LFS_POINTER:
        return IS_LFS_POINTER, PULL
    return f"this is {_other(file)}", f"Use {'; '.join(_READ[kind] for kind in expected)}."


def media_fault(path: Path, *, expected: tuple[Kind, ...] = EVERY_KIND) -> tuple[str, str] | None:
    """What is wrong with a media file at first sight, and what to do; ``None`` if nothing is."""
    try:
        with open_regular(path, where="") as file:
            size = os.fstat(file.fileno()).st_size
            if expected == TEXT:
                return _text_fault(file, size)
            found = recognise(file)
            fault = unread(file, expected) if found is None else None
    except (UsageError, OSError) as error:
        what = error.what if isinstance(error, UsageError) else f"the file cannot be read: {error.strerror}".lower()
        return what, "Add the file, or change the path." if "missing" in what else ""
    if size == 0:
        return "the file is empty", "Add it again."
    if found is None:
        return fault
    if found.kind not in expected:
        article = "an" if found.kind[0] in "aeiou" else "a"
        what = f"this is {article} {found.kind} file, where {' or '.join(expected)} is wanted"
        return what, "Check which file is which."
    if size > MAX_BYTES[found.kind]:
        return (
            f"the file is larger than {MAX_BYTES[found.kind] >> 20} MiB ({size >> 20} MiB)",
            "Cut it down: a suite is made of short cases.",
        )
    return None


def _text_fault(file: BinaryIO, size: int) -> tuple[str, str] | None:
    if size > MAX_BYTES["text"]:
        return f"the file is larger than {MAX_BYTES['text'] >> 20} MiB", "Split it."
    content = file.read()
    if content.startswith(LFS_POINTER):
        return IS_LFS_POINTER, PULL
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"this is not a text in UTF-8 (byte {error.start})", "Save it as UTF-8."
    return None if content.strip() else ("the file is empty", "Add it again.")


_NOTE_SUFFIXES = frozenset(
    {".md", ".txt", ".rst", ".pdf", ".html", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".csv", ".tsv"}
    | {".license", ".sha256", ".sha256sum", ".md5"}
)
_NOTE_NAMES = frozenset(
    {"license", "licence", "copying", "notice", "readme", "authors", "credits", "citation", "sha256sums", "md5sums"}
)


def is_note(name: str) -> bool:
    """Whether a file of a set of pictures is a note, a licence or a list, which is passed over; hidden files are."""
    lower = name.lower()
    return lower.startswith(".") or PurePath(lower).suffix in _NOTE_SUFFIXES or lower in _NOTE_NAMES


def set_files(directory: Path) -> list[Path]:
    """The files of a set of pictures and videos, sorted by name: all but notes and licences (:func:`is_note`).

    Raises:
        UsageError: the directory is missing or cannot be read, or nothing is in it.
    """
    try:
        files = sorted(file for file in directory.iterdir() if not is_note(file.name))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"the directory cannot be read: {reason}", where=str(directory), todo="Check the path."
        ) from error
    if not files:
        todo = "Put images or videos there."
        raise UsageError("the directory holds no image or video", where=str(directory), todo=todo)
    return files


def set_fault(path: Path) -> tuple[str, str] | None:
    """What is wrong at first sight with a file of a set of pictures, and what to do; ``None`` if nothing is.

    Every file must be an image or a video, so that none is left out without a word.
    """
    if path.is_dir():
        return "this is a folder: what is in it would not be counted", "Move its files up, or take it out."
    return media_fault(path, expected=("image", "video"))
