import os
import struct
import zlib

import cv2
import numpy as np
import pytest

from penstock.foundation.errors import UsageError
from penstock.foundation.media_kinds import set_files
from penstock.media.images import ImageLimits, read_as_stored, read_image


def picture(height=24, width=32, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def encoded(suffix, image=None):
    return cv2.imencode(suffix, picture() if image is None else image)[1].tobytes()


def webp_lossless(image):
    return cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()


def test_lossless_formats_come_back_as_they_were(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(".png"))
    (tmp_path / "a.webp").write_bytes(webp_lossless(picture()))
    for file in set_files(tmp_path):
        assert np.array_equal(read_image(file), picture())


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_formats_come_back_nearly_so(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encoded(suffix))
    image = read_image(path)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - picture()).mean() < 6


def test_as_stored_alpha_stays_and_everything_else_becomes_bgr(tmp_path):
    image = picture()
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    with_alpha = np.dstack([image, np.arange(24 * 32, dtype=np.uint8).reshape(24, 32)])
    path = tmp_path / "a.png"
    for written, expected in [
        (image, image),
        (with_alpha, with_alpha),
        (with_alpha.astype(np.uint16) * 257, with_alpha),
        (grey, cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)),
    ]:
        path.write_bytes(encoded(".png", written))
        assert np.array_equal(read_as_stored(path), expected)
    path.write_bytes(encoded(".png", with_alpha)[:-20])
    with pytest.raises(UsageError, match="not a whole PNG"):
        read_as_stored(path)


def test_grey_transparent_deep_and_progressive_pictures_become_bgr(tmp_path):
    image = picture()
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    with_alpha = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    with_alpha[..., 3] = 10
    files = {
        "grey.png": encoded(".png", grey),
        "alpha.png": encoded(".png", with_alpha),
        "deep.png": encoded(".png", image.astype(np.uint16) * 257),
        "progressive.jpg": cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes(),
        "restart.jpg": cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_RST_INTERVAL, 1])[1].tobytes(),
        "alpha.webp": webp_lossless(with_alpha),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert read_image(tmp_path / name).shape == (24, 32, 3), name
    assert np.array_equal(read_image(tmp_path / "alpha.png"), image)
    assert np.array_equal(read_image(tmp_path / "deep.png"), image)


def test_a_jpeg_on_its_side_is_turned_upright(tmp_path):
    """EXIF orientation 6: to be turned right by 90 degrees."""
    tiff = b"MM\x00*\x00\x00\x00\x08" + struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 6, 0) + b"\x00" * 4
    segment = b"Exif\x00\x00" + tiff
    data = encoded(".jpg")
    path = tmp_path / "side.jpg"
    path.write_bytes(data[:2] + b"\xff\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:])
    assert read_image(path).shape == (32, 24, 3)


def test_a_name_that_is_no_text_is_read_and_shown_safely(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff\x1b[31m.png"
    with open(name, "wb") as file:  # noqa: PTH123
        file.write(encoded(".png")[:40])
    (path,) = set_files(tmp_path)
    with pytest.raises(UsageError) as caught:
        read_image(path)
    assert "\x1b" not in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_picture_cut_anywhere_is_refused(tmp_path, suffix):
    data = encoded(suffix)
    path = tmp_path / f"a{suffix}"
    for length in {0, 1, 2, 5, 8, 12, 20, 29, len(data) // 2, len(data) - 2, len(data) - 1}:
        path.write_bytes(data[:length])
        with pytest.raises(UsageError, match=f"a{suffix}"):
            read_image(path)


def test_content_that_is_something_else_is_refused(tmp_path):
    path = tmp_path / "a.png"
    for data in (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        b"GIF89a" + bytes(40),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"\xff\xd8" + b"\xff" * 100_000,
        b"\xff\xd8\xff\xda\x00\x00\xff\xd9",
        b"\xff\xd8" + bytes(100),
        b"RIFF\x20\x00\x00\x00WEBPJUNK" + bytes(100),
    ):
        path.write_bytes(data)
        with pytest.raises(UsageError):
            read_image(path)


def test_damage_inside_is_found(tmp_path):
    data = bytearray(encoded(".png"))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UsageError, match="damaged"):
        read_image(tmp_path / "a.png")


def test_a_picture_larger_than_the_limit_is_not_decoded(tmp_path):
    """A PNG of a few hundred bytes that says that it has 400 million pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb)
    with pytest.raises(UsageError, match="20000x20000 pixels"):
        read_image(path)

    for suffix in (".png", ".jpg", ".webp"):
        path.write_bytes(encoded(suffix))
        assert read_image(path, limits=ImageLimits(side_pixels=32, pixels=32 * 24)).shape == (24, 32, 3)
        for limits in (ImageLimits(side_pixels=31), ImageLimits(pixels=32 * 24 - 1), ImageLimits(file_bytes=20)):
            with pytest.raises(UsageError):
                read_image(path, limits=limits)


def test_a_lossless_webp_says_its_size(tmp_path):
    path = tmp_path / "a.webp"
    path.write_bytes(webp_lossless(picture(24, 40)))
    with pytest.raises(UsageError, match="40x24 pixels"):
        read_image(path, limits=ImageLimits(side_pixels=30))


def test_pipes_devices_and_missing_files_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for name in ("pipe.png", "zero.png", "missing.png"):
        with pytest.raises(UsageError, match=name):
            read_image(tmp_path / name)
