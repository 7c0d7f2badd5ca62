"""Lip sync of files outside a run: which files are videos, and what is refused before anything is scored."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.evaluation.conftest import syncnet, video

from penstock.extractors.syncnet import open_syncnet
from penstock.families.talking_head.lipsync_clip import score_clip, score_faces, video_files
from penstock.foundation.errors import UsageError
from penstock.metrics.face import Box


def test_videos_by_content_or_name_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b/two.mp4", "a.bin", ".hidden/x.mp4", ".y.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(video(6))
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "notes.txt").write_text("notes")
    assert [path.relative_to(tmp_path).as_posix() for path in video_files(tmp_path)] == [
        "a.bin",
        "b/two.mp4",
        "broken.mp4",
    ]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        video_files(tmp_path / "empty")


def test_face_in_a_box_is_scored_and_a_video_without_a_face_refused(tmp_path: Path) -> None:
    (tmp_path / "n.onnx").write_bytes(syncnet())
    (tmp_path / "v.mp4").write_bytes(video(12))
    network = open_syncnet(tmp_path / "n.onnx")
    scored = score_clip(tmp_path / "v.mp4", network, box=Box(8, 8, 40, 40))
    again = score_clip(tmp_path / "v.mp4", network, box=Box(8, 8, 40, 40))
    assert not isinstance(scored.score, str)
    assert not isinstance(again.score, str)
    assert scored.score.lse_d == again.score.lse_d > 0
    with pytest.raises(UsageError):
        score_faces(tmp_path / "v.mp4", network)
