"""Mattes and cut-outs of every kind of PNG, and what is no such file: one clear reason each."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.unit.media.png_files import END, GREY, GREY_ALPHA, PALETTE, RGB, RGBA, chunk, header, png

from penstock.foundation.errors import UsageError
from penstock.media.mattes import read_cutout, read_matte, read_trimap

PLTE = chunk(b"PLTE", bytes([10, 10, 10, 200, 200, 200]))


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "alpha"),
    [
        (png(GREY, 8, [b"\x00\x33\xff"], 3), [0, 0.2, 1]),
        (png(GREY, 1, [b"\xa0"], 3), [1, 0, 1]),
        (png(GREY, 2, [b"\x1b"], 4), [0, 1 / 3, 2 / 3, 1]),
        (png(GREY, 4, [b"\x1f"], 2), [1 / 15, 1]),
        (png(GREY, 16, [b"\x00\x01\xff\xff"], 2), [1 / 65535, 1]),
        (png(RGB, 8, [b"\x33\x33\x33\xff\xff\xff"], 2), [0.2, 1]),
        (png(PALETTE, 8, [b"\x00\x01"], 2, before=PLTE), [10 / 255, 200 / 255]),
        (png(PALETTE, 8, [b"\x00\x01"], 2, before=PLTE + chunk(b"tRNS", b"\x33")), [0.2, 1]),
        (png(GREY_ALPHA, 8, [b"\x80\x33\x80\x00"], 2), [0.2, 0]),
        (png(GREY_ALPHA, 8, [b"\x33\xff\x66\xff"], 2), [0.2, 0.4]),  # an opaque alpha says nothing
        (png(GREY_ALPHA, 16, [b"\x80\x00\x00\x02"], 1), [2 / 65535]),
        (png(RGBA, 8, [b"\x01\x02\x03\x33\x04\x05\x06\xff"], 2), [0.2, 1]),
        (png(RGBA, 8, [b"\x01\x02\x03\xff\x04\x05\x06\xff"], 2), [1, 1]),  # a cut-out of a photo that is all subject
        (png(RGBA, 16, [b"\x01\x02\x03\x04\x05\x06\x00\x03"], 1), [3 / 65535]),
        (png(GREY, 8, [b"\x80"], 1, before=chunk(b"gAMA", struct.pack(">I", 100_000))), [128 / 255]),
    ],
)
def test_a_matte_is_a_share_as_exact_as_the_file(tmp_path: Path, data: bytes, alpha: list[float]) -> None:
    found = read_matte(write(tmp_path, data))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, [alpha], rtol=0, atol=1e-15)


def test_a_cutout_has_colours_in_8_bits_and_alpha_in_16(tmp_path: Path) -> None:
    row = struct.pack(">8H", 0, 257 * 7, 65535, 30_000, 128, 129, 385, 65535)
    found = read_cutout(write(tmp_path, png(RGBA, 16, [row], 2)))
    assert found.rgba.dtype == np.uint8
    assert found.rgba.tolist() == [[[0, 7, 255, 117], [0, 1, 1, 255]]]
    assert found.alpha.tolist() == [[30_000 / 65535, 1.0]]


def test_a_palette_with_transparency_and_grey_with_alpha_are_cutouts(tmp_path: Path) -> None:
    palette = png(PALETTE, 8, [b"\x00\x01"], 2, before=PLTE + chunk(b"tRNS", b"\x33"))
    assert read_cutout(write(tmp_path, palette)).rgba.tolist() == [[[10, 10, 10, 51], [200, 200, 200, 255]]]
    assert read_cutout(write(tmp_path, png(GREY_ALPHA, 8, [b"\x80\x33"], 1))).rgba.tolist() == [[[128, 128, 128, 51]]]


def test_an_orientation_in_the_file_turns_nothing(tmp_path: Path) -> None:
    turned = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    data = png(GREY_ALPHA, 8, [b"\x80\x33\x80\x66"], 2, before=chunk(b"eXIf", turned))
    assert read_cutout(write(tmp_path, data)).alpha.shape == (1, 2)


def jpeg() -> bytes:
    return cv2.imencode(".jpg", np.full((8, 8, 3), 90, np.uint8))[1].tobytes()


def webp() -> bytes:
    return cv2.imencode(".webp", np.full((8, 8, 4), 90, np.uint8))[1].tobytes()


WHOLE = png(RGBA, 8, [bytes(range(16))] * 4, 4)
ANIMATED = png(RGBA, 8, [bytes(4)], 1, before=chunk(b"acTL", struct.pack(">II", 12, 0)))
BOMB = header(RGBA, 8, 50_000, 50_000) + chunk(b"IDAT", zlib.compress(bytes(1000))) + END
SHORT = header(RGBA, 8, 4, 4) + chunk(b"IDAT", zlib.compress(bytes(17))) + END


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (jpeg(), "this is a JPEG picture, where a PNG is wanted"),
        (webp(), "this is a WebP picture, where a PNG is wanted"),
        (b"<!DOCTYPE html><html><body>502</body></html>", "it is an HTML page"),
        (b'{"image": "abc"}', "not a whole PNG, JPEG or WebP picture: it is of another format"),
        (WHOLE[:-20], "not a whole PNG, JPEG or WebP picture: it is cut short"),
        (WHOLE[:60] + bytes([WHOLE[60] ^ 255]) + WHOLE[61:], "the picture is damaged"),
        (SHORT, "the picture is damaged"),
        (ANIMATED, "this is an animated PNG of 12 frames"),
        (BOMB, "the picture is 50000x50000 pixels, more than"),
        (png(RGB, 8, [bytes(3)], 1), "the picture has no alpha: it is a coloured PNG without any"),
        (png(GREY, 8, [bytes(1)], 1), "the picture has no alpha: it is a grey PNG without any"),
        (b"", "the file is empty"),
    ],
)
def test_what_is_no_cutout_has_a_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_cutout(write(tmp_path, data))


def test_a_coloured_picture_without_alpha_is_no_matte(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="coloured and has no alpha"):
        read_matte(write(tmp_path, png(RGB, 8, [b"\x01\x02\x03"], 1)))


@pytest.mark.parametrize("data", [png(GREY, 8, [b"\x00\x80\xff"], 3), png(GREY, 16, [b"\x00\x00\x80\x80\xff\xff"], 3)])
def test_a_trimap_marks_what_is_unknown_with_128(tmp_path: Path, data: bytes) -> None:
    assert read_trimap(write(tmp_path, data)).tolist() == [[False, True, False]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png(GREY, 8, [b"\x00\x7f\xff"], 3), "no pixel of the trimap is 128, .* there are 0, 127, 255"),
        (png(RGB, 8, [b"\x80\x80\x81"], 1), "the trimap is coloured"),
    ],
)
def test_a_trimap_that_marks_nothing_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_trimap(write(tmp_path, data))
