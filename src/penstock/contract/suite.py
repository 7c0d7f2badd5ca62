"""A first look at the files of a suite: there, regular, of a sensible size, and of a known kind by their first bytes.

Nothing is decoded here, so that ``penstock check`` stays instant; what is broken further in is found by the steps that
decode it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from penstock.contract.faults import Fault, fault_at
from penstock.contract.load import below
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.presets import RESERVED, parameters, placeholders, text_of, unknown_placeholder
from penstock.contract.yaml_text import Document, KeyPath
from penstock.errors import UsageError
from penstock.files import inside, open_regular

MAX_MEDIA_BYTES = 512 << 20
HEAD_BYTES = 189
"""Enough for the second packet of an MPEG transport stream."""
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
Kind = Literal["image", "audio", "video"]
EXPECTED: dict[str, tuple[Kind, ...]] = {"image": ("image",), "audio": ("audio", "video"), "video": ("video",)}
"""What an input of this name must be. Containers of video are accepted for sound: they hold both."""


def media_kind(head: bytes) -> Kind | None:
    """What kind of media begins with ``head``; ``None`` if it is none that Penstock knows."""
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")):
        return "image"
    if head.startswith(b"RIFF"):
        form = head[8:12]
        return "audio" if form == b"WAVE" else "image" if form == b"WEBP" else "video" if form == b"AVI " else None
    if head.startswith((b"fLaC", b"OggS", b"ID3", b"FORM", b"RF64")) or _mpeg_audio(head):
        return "audio"
    if head[4:8] in (b"ftyp", b"moov", b"mdat") or head.startswith(
        (b"\x1aE\xdf\xa3", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")
    ):
        return "image" if head[8:12] in (b"avif", b"heic") else "audio" if head[8:12] in (b"M4A ", b"M4B ") else "video"
    return "video" if head[:1] == head[188:189] == b"G" else None


def _mpeg_audio(head: bytes) -> bool:
    """A frame of MP3 or AAC; FF FE is what UTF-16 text begins with."""
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] != 0xFE


def media_fault(path: Path, *, expected: tuple[Kind, ...] = ("image", "audio", "video")) -> tuple[str, str] | None:
    """What is wrong with a media file at first sight, and what to do; ``None`` if nothing is."""
    try:
        with open_regular(path, where="") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(HEAD_BYTES)
    except UsageError as error:
        return error.what, "Add the file, or change the path." if "missing" in error.what else error.todo
    if size == 0:
        return "the file is empty", "Add it again."
    if size > MAX_MEDIA_BYTES:
        return (
            f"the file is larger than {MAX_MEDIA_BYTES >> 20} MiB ({size >> 20} MiB)",
            "Cut it down: a suite is made of short cases.",
        )
    if head.startswith(LFS_POINTER):
        return "this is a Git LFS pointer, not the file itself", "Run `git lfs pull`."
    kind = media_kind(head)
    if kind is None:
        return "this is no image, sound or video that Penstock knows", "Use PNG, JPEG, WAV, FLAC, MP3, MP4 or WebM."
    if kind not in expected:
        return (
            f"this is {'an' if kind[0] in 'aeiou' else 'a'} {kind} file, where {' or '.join(expected)} is wanted",
            "Check which file is which.",
        )
    return None


def suite_file_faults(directory: Path, folder: str, suite: Suite, document: Document) -> Iterator[Fault]:
    """Files of the suite that are missing or not what they should be. Paths that leave it are reported elsewhere."""
    for index, case in enumerate(suite.cases):
        for name, file in case.inputs.items():
            path = _path(directory, folder, file)
            if (
                path is not None
                and (found := media_fault(path, expected=EXPECTED.get(name, ("image", "audio", "video")))) is not None
            ):
                what, todo = found
                yield fault_at(
                    document, ("cases", index, "inputs", name), f"{file}: {what} (case '{case.name}')", todo=todo
                )
    if suite.reference is not None and (path := _path(directory, folder, suite.reference)) is not None:
        yield from _reference_faults(path, suite.reference, document)


def _path(directory: Path, folder: str, file: str) -> Path | None:
    try:
        return inside(directory, below(folder, file), where="")
    except UsageError:
        return None


def _reference_faults(path: Path, written: str, document: Document) -> Iterator[Fault]:
    if not path.is_dir():
        what = "must be a directory" if path.exists() else "the directory is missing"
        yield fault_at(
            document,
            ("reference",),
            f"{written}: {what}",
            todo="Put the images or videos there that FID and KID compare with.",
        )
        return
    # Notes and licences may lie beside the media; what must not happen is that nothing is left to compare with.
    faults = [
        (file, media_fault(file, expected=("image", "video")))
        for file in sorted(path.iterdir())
        if not file.name.startswith(".")
    ]
    if all(fault is not None for _, fault in faults):
        todo = f"{faults[0][0].name}: {faults[0][1][0]}." if faults and faults[0][1] else "Add some."
        yield fault_at(document, ("reference",), f"{written}: there is no image or video in it", todo=todo)


def call_faults(
    contract: Contract, suite: Suite, contract_document: Document, suite_document: Document
) -> Iterator[Fault]:
    """Hold what the call wants against what each case gives: inputs and parameters."""
    http, command = contract.call.http, contract.call.command
    if http is not None:
        for index, text in enumerate(http.argv):
            for name in placeholders(text):
                if name != "port":
                    error = unknown_placeholder(name, ["port"], case=None, where="")
                    yield fault_at(contract_document, ("call", "http", "argv", index), error.what, todo=error.todo)
    for index, case in enumerate(suite.cases):
        given = parameters(contract, case)
        for name in sorted({*case.inputs, *case.parameters} & set(RESERVED)):
            yield fault_at(
                suite_document,
                ("cases", index),
                f"the name '{name}' has a meaning of its own in the call",
                todo="Choose another.",
            )
        for name in sorted(set(case.inputs) & set(given)):
            yield fault_at(
                suite_document, ("cases", index), f"'{name}' is an input and a parameter", todo="Rename one of them."
            )
        if http is not None:
            for field, wanted in http.files.items():
                if wanted not in case.inputs:
                    todo = f"call.http.files.{field} of penstock.yaml sends it."
                    yield fault_at(
                        suite_document,
                        ("cases", index, "inputs"),
                        f"the case '{case.name}' has no input '{wanted}'",
                        todo=todo,
                    )
            for field, value in http.fields.items():
                yield from _unfilled(
                    text_of(value), set(given), case, index, f"call.http.fields.{field}", suite_document
                )
        if command is not None:
            for position, text in enumerate(command.argv):
                known = {*given, *case.inputs, "output"}
                yield from _unfilled(text, known, case, index, f"call.command.argv[{position}]", suite_document)


def _unfilled(text: str, known: set[str], case: Case, index: int, field: str, document: Document) -> Iterator[Fault]:
    for name in placeholders(text):
        if name not in known:
            path: KeyPath = ("cases", index, "parameters")
            what = f"the case '{case.name}' gives no '{name}', which {field} of penstock.yaml wants"
            yield fault_at(
                document, path, what, todo=f"Write 'parameters: {{{name}: …}}', or a default in call.parameters."
            )


def output_faults(contract: Contract, document: Document) -> Iterator[Fault]:
    """A command that is never told where to write cannot be called."""
    command = contract.call.command
    if command is not None and not any("output" in placeholders(text) for text in command.argv):
        yield fault_at(
            document,
            ("call", "command", "argv"),
            "no argument holds '{output}', so that the program cannot know where to write",
        )
    http = contract.call.http
    if http is not None and not any("port" in placeholders(text) for text in http.argv):
        what = "no argument holds '{port}': the service must listen on the port in the environment variable PORT"
        yield fault_at(document, ("call", "http", "argv"), what, todo="If it does, all is well.", warning=True)
