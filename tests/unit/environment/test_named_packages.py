"""Packages that a recipe names."""

from __future__ import annotations

from penstock.environment.named_packages import named_packages, names_and_versions
from penstock.environment.recipe import Installs

FILES = {
    "requirements.txt": """\
numpy==2.4.6 \\
    --hash=sha256:abc
onnxruntime-gpu[cuda,cudnn]==1.31.1   # for the card
torch>=2.0
pywin32==306; sys_platform == 'win32'
-r more/other.txt
--extra-index-url https://download.pytorch.org/whl/cu118
https://example.org/x.whl
./local
""",
    "more/other.txt": "-r again.txt\n-r requirements.txt\nPillow===11.0\nscipy==1.*\n",
    "more/again.txt": "-r ../requirements.txt\n-r other.txt\n",
}


def test_files_that_name_files() -> None:
    named = named_packages(Installs(["requirements.txt", "absent.txt"], ["opencv-python==4.1"], []), FILES.get)
    assert names_and_versions(named.pinned) == [
        "opencv-python==4.1",
        "numpy==2.4.6",
        "onnxruntime-gpu==1.31.1",
        "pillow==11.0",
    ]
    assert named.unpinned == ["torch", "scipy"]
    assert named.extras["onnxruntime-gpu"] == {"cuda", "cudnn"}
    assert named.indexes == ["https://download.pytorch.org/whl/cu118"]
    assert "absent.txt" in named.unread


def test_files_without_end() -> None:
    named = named_packages(Installs(["a0"], [], []), lambda name: f"-r {name}0\n" + "x==1\n" * 10)
    assert len(named.pinned) == 500
