"""The alpha of a clip, whatever the codec: of VP9 as well, whose alpha FFmpeg's own decoder leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.unit.families.matting.drawn_clips import cutouts, discs, write_clip, write_cutouts

from penstock.foundation.errors import UsageError
from penstock.media import alpha_frames
from penstock.media.alpha_frames import check_lossless, read_alpha_frames

ALPHAS = discs(3, (33, 21))


def fault(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        list(read_alpha_frames(path))
    return caught.value.what


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "off"),
    [
        ("a.webm", "libvpx-vp9", "yuva420p", 1),
        ("a.webm", "libvpx", "yuva420p", 8),
        ("a.mov", "png", "rgba", 0),
        ("a.mov", "png", "rgba64be", 0.02),
        ("a.mov", "png", "ya8", 1),
        ("a.mov", "png", "ya16be", 0.02),
        ("a.mov", "qtrle", "argb", 0),
        ("a.mkv", "ffv1", "yuva444p", 1),
        ("a.mkv", "ffv1", "yuva420p10le", 0.13),
        ("a.mov", "prores_ks", "yuva444p10le", 0.25),
        ("a.mkv", "ffv1", "bgra", 0),
        ("a.mkv", "ffv1", "gbrap16le", 0.02),
    ],
)
def test_alpha_of_every_codec_that_has_it_at_an_odd_size(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, off: float
) -> None:
    path = write_cutouts(tmp_path / name, ALPHAS, codec=codec, pix_fmt=pix_fmt)
    found = list(read_alpha_frames(path, colours=True))
    assert len(found) == 3
    for frame, alpha in zip(found, ALPHAS, strict=True):  # what it is off by is the writer's: it converts
        assert frame.alpha.dtype == np.float64
        assert np.abs(frame.alpha * 255 - alpha).max() <= off + 1e-9
        assert frame.rgba is not None
        assert frame.rgba.shape == (21, 33, 4)
        assert np.abs(frame.rgba[:, :, :3].astype(int) - 120).max() <= 3
        np.testing.assert_array_equal(frame.rgba[:, :, 3], np.rint(frame.alpha * 255))


def test_the_decoder_of_first_choice_leaves_out_the_alpha_of_vp9(tmp_path: Path) -> None:
    path = write_cutouts(tmp_path / "a.webm", ALPHAS)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).format.name == "yuv420p"


def test_grey_is_the_alpha_at_all_its_bits(tmp_path: Path) -> None:
    deep = [alpha.astype(np.uint16) * 257 + (alpha == 0) for alpha in ALPHAS]
    found = list(read_alpha_frames(write_clip(tmp_path / "a.mkv", deep, pix_fmt="gray16le", source="gray16le")))
    np.testing.assert_array_equal(found[1].alpha, deep[1] / 65535)
    assert found[1].rgba is None
    ten = list(read_alpha_frames(write_clip(tmp_path / "b.mkv", [*deep], pix_fmt="gray10le", source="gray16le")))
    assert np.abs(ten[1].alpha - deep[1] / 65535).max() <= 1 / 1023
    rgb = [np.dstack([alpha] * 3) for alpha in ALPHAS]
    coloured = write_clip(tmp_path / "c.mov", rgb, codec="png", pix_fmt="rgb24", source="rgb24")
    np.testing.assert_array_equal(next(read_alpha_frames(coloured, colours=True)).alpha, ALPHAS[0] / 255)


def test_yuv_without_colour_is_of_limited_range_unless_it_says_otherwise(tmp_path: Path) -> None:
    even = discs(3, (32, 20))
    rgb = [np.dstack([alpha] * 3) for alpha in even]
    limited = write_clip(tmp_path / "a.mkv", rgb, pix_fmt="yuv420p", source="rgb24")
    assert np.abs(next(read_alpha_frames(limited)).alpha * 255 - even[0]).max() <= 1.2
    full = write_clip(tmp_path / "b.mov", rgb, codec="mjpeg", pix_fmt="yuvj420p", source="rgb24")
    assert np.abs(next(read_alpha_frames(full)).alpha * 255 - even[0]).mean() <= 4


def test_what_has_no_alpha_is_refused(tmp_path: Path) -> None:
    colours = [np.dstack([alpha, 255 - alpha, alpha]) for alpha in ALPHAS]
    for name, form in (
        ("a.webm", {"codec": "libvpx-vp9", "pix_fmt": "yuv420p"}),
        ("a.mov", {"codec": "png", "pix_fmt": "rgb24"}),
        ("a.mkv", {"codec": "ffv1", "pix_fmt": "bgr0"}),
    ):
        assert "no alpha" in fault(write_clip(tmp_path / name, colours, source="rgb24", **form))
    palette = write_clip(tmp_path / "p.mov", ALPHAS, codec="png", pix_fmt="monob")
    assert "format monob are not read" in fault(palette)


def test_frames_with_alpha_and_frames_without_are_no_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        av.VideoFrame.from_ndarray(cutouts(ALPHAS)[0], format="rgba"),
        av.VideoFrame.from_ndarray(ALPHAS[0], "gray"),
    ]
    monkeypatch.setattr(alpha_frames, "read_raw_frames", lambda *_, **__: iter(made))
    assert "some frames have alpha and others have none" in fault(tmp_path / "a.webm")


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "empty"), (b"<html>", "no image, sound or video"), (b"\x89PNG\r\n\x1a\n" + bytes(30), "PNG")],
)
def test_what_is_no_video(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "a.webm"
    path.write_bytes(content)
    assert what in fault(path)


def test_a_clip_that_is_cut_short_is_damaged(tmp_path: Path) -> None:
    whole = write_cutouts(tmp_path / "a.webm", discs(50)).read_bytes()
    cut = tmp_path / "cut.webm"
    cut.write_bytes(whole[: len(whole) * 6 // 10])
    assert "truncated" in fault(cut)


def test_frames_count_whatever_their_times(tmp_path: Path) -> None:
    path = write_cutouts(tmp_path / "a.webm", ALPHAS)
    uneven = write_clip(tmp_path / "b.mkv", ALPHAS, times=[0, 40, 400])
    assert [len(list(read_alpha_frames(each))) for each in (path, uneven)] == [3, 3]


def test_what_blurs_is_no_truth(tmp_path: Path) -> None:
    check_lossless(write_clip(tmp_path / "a.mkv", ALPHAS))
    check_lossless(write_cutouts(tmp_path / "a.mov", ALPHAS, codec="png", pix_fmt="rgba"))
    lossy: list[tuple[str, dict[str, Any]]] = [
        ("b.mov", {"codec": "prores_ks", "pix_fmt": "yuva444p10le"}),
        ("b.webm", {}),
    ]
    for name, form in lossy:
        with pytest.raises(UsageError, match="changes what it stores"):
            check_lossless(
                write_clip(
                    tmp_path / name,
                    cutouts(ALPHAS),
                    source="rgba",
                    **(form or {"codec": "libvpx-vp9", "pix_fmt": "yuva420p"}),
                )
            )
