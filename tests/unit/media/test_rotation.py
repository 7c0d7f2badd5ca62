"""Every way in which a picture can lie."""

import pytest
from tests.unit.media.media_files import picture, write_clip

from penstock import media


def test_rotation_is_applied(tmp_path):
    plain = write_clip(tmp_path / "plain.mp4", [picture(n) for n in range(3)])
    turned = tmp_path / "turned.mp4"
    data = bytearray(plain.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of other fields
    one, minus = (0x10000).to_bytes(4, "big"), (0xFFFF0000).to_bytes(4, "big")
    zero = bytes(4)
    data[at : at + 36] = zero + one + zero + minus + zero + zero + zero + zero + (0x40000000).to_bytes(4, "big")
    turned.write_bytes(data)
    frame = next(media.read_frames(turned))
    assert frame.shape == (64, 48, 3)
    assert frame[:10, -8:].mean() > 240  # the bright corner went from top left to top right: a quarter turn clockwise
    assert (media.probe(turned).video.width, media.probe(turned).video.height) == (48, 64)


def matrix(path, target, a, b, c, d):
    """The clip with another display matrix."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    words = [a, b, 0, c, d, 0, 0, 0, 0x4000]
    data[at : at + 36] = b"".join((word << 16 & 0xFFFFFFFF).to_bytes(4, "big") for word in words)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize(
    ("numbers", "bright"),
    [
        ((1, 0, 0, 1), "top left"),
        ((-1, 0, 0, 1), "top right"),
        ((1, 0, 0, -1), "bottom left"),
        ((-1, 0, 0, -1), "bottom right"),
        ((0, 1, 1, 0), "top left"),
        ((0, 1, -1, 0), "top right"),
        ((0, -1, 1, 0), "bottom left"),
        ((0, -1, -1, 0), "bottom right"),
    ],
)
@pytest.mark.parametrize("read", [media.read_frames, media.read_reference_frames])
def test_every_way_a_picture_can_lie(tmp_path, read, numbers, bright):
    plain = write_clip(tmp_path / "plain.mp4", [picture(n) for n in range(2)])
    frame = next(read(matrix(plain, tmp_path / "turned.mp4", *numbers)))
    assert frame.shape == ((48, 64, 3) if numbers[0] else (64, 48, 3))
    rows = slice(0, 8) if "top" in bright else slice(-8, None)
    columns = slice(0, 8) if "left" in bright else slice(-8, None)
    assert frame[rows, columns].mean() > 230
