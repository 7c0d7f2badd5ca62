"""The image of a fork's code: built in a container without a secret, pushed from another that runs nothing of it.

What the first has left is taken as something that the fork could have written.
"""

from __future__ import annotations

import logging
import re
import tempfile
from pathlib import Path

from penstock.bundle.directory import read_model, write_model
from penstock.bundle.models import Image
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import disk_errors
from penstock.foundation.handles import discard_tree
from penstock.sources.built_images import BuiltImage
from penstock.sources.image import failed, registry_environment
from penstock.sources.program import run

log = logging.getLogger(__name__)

PREFIX = "forks"
"""Below the registry: images of forks are apart from all others."""
_LAYOUT, _RECORD = "image", "image.json"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[0-9a-f]{12}")


def layout_in(layers: Path) -> Path:
    """Where the image lies between the two containers."""
    return layers / _LAYOUT


def leave(image: Image, layers: Path) -> None:
    """Say what was built.

    Raises:
        WorldError: the disk is full.
    """
    with disk_errors(layers):
        write_model(layers / _RECORD, BuiltImage(image=image))


def push_left(
    layers: Path, name: str, *, access: list[str], timeout_s: float = 3600.0, skopeo: str = "skopeo"
) -> Image | None:
    """Push the image that the container before has left; ``None`` if it has built none.

    Args:
        layers: what both containers see.
        name: ``host[:port]/path`` of the image.
        access: options of skopeo, the credentials among them.
        timeout_s: limit of the copy.
        skopeo: the program.

    Returns:
        The image by the digest that was pushed, whatever the record says.

    Raises:
        UsageError: what was left is no image.
        WorldError: it cannot be pushed.
    """
    file = layers / _RECORD
    if not file.is_file() or file.is_symlink():
        return None
    left = read_model(file, BuiltImage).image
    tag = left.key[:12]
    if left.kind != "image" or not _TAG.fullmatch(tag):
        raise UsageError("what was left is no image", where=file.name, todo="Start the run again.")
    with disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="penstock-push-") as folder:
        digest_file = Path(folder) / "digest"
        argv = [skopeo, "copy", "--preserve-digests", f"--digestfile={digest_file}", *_of_target(access)]
        pushed = run(
            [*argv, f"oci:{layout_in(layers)}:{tag}", f"docker://{name}:{tag}"],
            # the container before ran RUN lines in the same pod: nothing of a home folder that both may see is read
            env=registry_environment() | {"HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_CONFIG_HOME": folder},
            timeout_s=timeout_s,
        )
        if pushed.code:
            raise failed("the image cannot be pushed", pushed, name)
        digest = digest_file.read_text(encoding="ascii", errors="replace").strip() if digest_file.is_file() else ""
    if not _DIGEST.fullmatch(digest):
        raise WorldError("skopeo named no digest of what it pushed", where=name, todo="Update skopeo.")
    log.info("pushed %s@%s", name, digest)
    return left.model_copy(update={"url": name, "digest": digest})


def forget(layers: Path) -> None:
    """Remove image, layers and record: they are large, and nobody needs them any more.

    Raises:
        WorldError: they cannot be removed.
    """
    with disk_errors(layers):
        for path in list(layers.iterdir()):
            if path.is_dir() and not path.is_symlink():
                discard_tree(path)
            else:
                path.unlink()


def _of_target(access: list[str]) -> list[str]:
    """``--tls-verify`` of skopeo copy is about both sides; of the target alone it has a name of its own."""
    return [option.replace("--tls-verify=", "--dest-tls-verify=") for option in access]
