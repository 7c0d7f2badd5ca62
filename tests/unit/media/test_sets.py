import cv2
import numpy as np
import pytest

from penstock.foundation.errors import UsageError
from penstock.foundation.media_kinds import set_fault, set_files
from penstock.media.images import read_image
from penstock.media.sets import read_set


def picture(height=24, width=32, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def encoded(suffix, image=None):
    return cv2.imencode(suffix, picture() if image is None else image)[1].tobytes()


def test_a_directory_is_sorted_by_name_and_hidden_files_are_passed_over(tmp_path):
    names = ["2.png", "10.png", "é ü.PNG", "a\nb.png", "--option.png"]
    for name in [*names, ".DS_Store", ".hidden.png"]:
        (tmp_path / name).write_bytes(encoded(".png"))
    (tmp_path / ".cache").mkdir()
    files = set_files(tmp_path)
    assert [file.name for file in files] == sorted(names)
    for file in files:
        assert read_image(file).shape == (24, 32, 3)


NOT_COUNTED = {
    "005.png": (b"", "the file is empty"),
    "006.png": (b"<html>404</html>", "no image, sound or video"),
    "007.png": (b"not a picture any more", "no image, sound or video"),
    "008.png": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS pointer"),
    "009": (b"some data", "no image, sound or video"),
    "010.gif": (b"GIF89a" + bytes(40), "a GIF picture, which is not read"),
    "011.tif": (b"II*\0" + bytes(40), "a TIFF picture, which is not read"),
    "012.wav": (b"RIFF\x24\0\0\0WAVEfmt " + bytes(28), "an audio file, where image or video is wanted"),
    "013.mp4": (b"\0\0\0\x10ftypisom\0\0\0\0", "damaged|no video"),
    "014.webp": (b"RIFF\0\0\0\0WEBPVP8 ", "not a whole PNG, JPEG or WebP"),
}


@pytest.mark.parametrize("name", NOT_COUNTED)
def test_a_set_of_pictures_leaves_nothing_out_without_a_word(tmp_path, name):
    content, message = NOT_COUNTED[name]
    (tmp_path / "a.png").write_bytes(encoded(".png"))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        list(read_set(tmp_path))
    assert name in str(caught.value)
    assert caught.value.todo


def test_a_folder_in_a_set_is_refused_and_notes_are_passed_over(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(".png"))
    for note in ("notes.txt", "README.md", "LICENSE", "list.csv", ".hidden.png", "a.png.license"):
        (tmp_path / note).write_text("hello")
    assert len(list(read_set(tmp_path))) == 1
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match="folder: what is in it would not be counted"):
        list(read_set(tmp_path))
    assert set_fault(tmp_path / "folder.png") is not None


def test_no_directory_and_an_empty_one_are_refused(tmp_path):
    with pytest.raises(UsageError, match="holds no image or video"):
        set_files(tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        set_files(tmp_path / "missing")
