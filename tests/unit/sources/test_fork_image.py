"""What is pushed of a fork's image, by a program in skopeo's place that notes how it is called."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penstock.bundle.models import Image
from penstock.foundation.errors import UsageError, WorldError
from penstock.sources.fork_image import forget, layout_in, leave, push_left

DIGEST = f"sha256:{'d' * 64}"
LEFT = Image(kind="image", url="registry/tiny", digest=f"sha256:{'0' * 64}", key="a" * 64, directory="/model")
NAME = "registry:5000/forks/tiny"
PUSHES = f"""
open(next(word[13:] for word in sys.argv if word.startswith("--digestfile=")), "w").write("{DIGEST}")
"""


def skopeo(folder: Path, body: str = PUSHES) -> str:
    program = folder / "skopeo"
    noted = f"import sys; open({str(folder / 'called')!r}, 'w').write(chr(10).join(sys.argv[1:]))"
    program.write_text(f"#!{sys.executable}\n{noted}\n{body}", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def push(layers: Path, program: str) -> Image | None:
    return push_left(layers, NAME, access=["--tls-verify=false", "--authfile=/s/config.json"], skopeo=program)


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    path = tmp_path / "layers"
    path.mkdir()
    return path


def test_the_digest_is_that_of_what_was_pushed(layers: Path, tmp_path: Path) -> None:
    leave(LEFT, layers)
    found = push(layers, skopeo(tmp_path))
    assert found == LEFT.model_copy(update={"url": NAME, "digest": DIGEST})
    *options, source, target = (tmp_path / "called").read_text().splitlines()
    assert (source, target) == (f"oci:{layout_in(layers)}:{'a' * 12}", f"docker://{NAME}:{'a' * 12}")
    assert {"--preserve-digests", "--dest-tls-verify=false", "--authfile=/s/config.json"} <= set(options)


def test_where_nothing_was_built_nothing_is_pushed(layers: Path, tmp_path: Path) -> None:
    assert push(layers, skopeo(tmp_path)) is None
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    "change", [{"key": ""}, {"key": "../../../etc"}, {"key": "A" * 64}, {"key": "--override-arch"}, {"kind": "process"}]
)
def test_a_record_that_names_something_else_is_refused(layers: Path, tmp_path: Path, change: dict[str, str]) -> None:
    leave(LEFT.model_copy(update=change), layers)
    with pytest.raises(UsageError, match="no image"):
        push(layers, skopeo(tmp_path))
    assert not (tmp_path / "called").exists()


def test_a_link_in_its_place_is_not_followed(layers: Path, tmp_path: Path) -> None:
    leave(LEFT, tmp_path)
    (layers / "image.json").symlink_to(tmp_path / "image.json")
    assert push(layers, skopeo(tmp_path)) is None


def test_a_push_that_fails_or_names_no_digest(layers: Path, tmp_path: Path) -> None:
    leave(LEFT, layers)
    with pytest.raises(WorldError, match="cannot be pushed"):
        push(layers, skopeo(tmp_path, "sys.exit(1)"))
    with pytest.raises(WorldError, match="no digest"):
        push(layers, skopeo(tmp_path, ""))


def test_nothing_of_it_stays(layers: Path, tmp_path: Path) -> None:
    leave(LEFT, layers)
    (layers / "containers" / "x").mkdir(parents=True)
    (layers / "link").symlink_to(tmp_path)
    forget(layers)
    assert list(layers.iterdir()) == []
    assert tmp_path.is_dir()
