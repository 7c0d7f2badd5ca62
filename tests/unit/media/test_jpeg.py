"""Frames that went through JPEG lose what JPEG loses."""

import numpy as np
from tests.unit.media.media_files import write_clip

from penstock import media


def test_reference_frames_lose_what_jpeg_loses(tmp_path):
    random = np.random.default_rng(1)
    frames = [random.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(6)]
    for pix_fmt in ("yuv420p", "yuv444p", "yuvj420p", "yuvj422p", "yuv422p10le", "gray"):
        codec = "mjpeg" if pix_fmt.startswith("yuvj") else "ffv1"
        path = write_clip(tmp_path / f"{pix_fmt}.mkv", frames, codec=codec, pix_fmt=pix_fmt)
        direct, lossy = (np.stack(list(read(path))) for read in (media.read_frames, media.read_reference_frames))
        assert lossy.shape == direct.shape == (6, 64, 64, 3)
        assert 2 < np.abs(lossy.astype(int) - direct).mean() < 60
