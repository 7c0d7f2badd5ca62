"""The image that was built, read out of its registry: configuration, history, and each layer once."""

from __future__ import annotations

import json
import logging
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.bundle.directory import read_model, write_model
from penstock.bundle.environment_record import LayerRecord
from penstock.bundle.models import Image
from penstock.environment.layer_files import LayerFiles, MergedFiles, merge, read_layer
from penstock.foundation.errors import UsageError, WorldError, printable
from penstock.foundation.files import disk_errors
from penstock.foundation.handles import discard_tree
from penstock.sources.image import registry_environment
from penstock.sources.program import run

log = logging.getLogger(__name__)

FOLDER = Path("images") / "layers"
"""Below the cache: what was found in a layer, by its digest. Layers never change, and most images share theirs."""
RECIPE = 2
"""Goes up when more of a layer is kept."""
FETCH_TIMEOUT_S = 1800.0
ASK_TIMEOUT_S = 120.0
MAX_LAYERS = 500
MAX_KEPT_BYTES = 128 << 20
"""Of all layers together."""
MAX_VARIABLES = 1000
MAX_TEXT = 500
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageSettings:
    """An image's configuration."""

    environment: dict[str, str]
    user: str
    directory: str
    processor: str
    """``amd64``."""
    layers: list[LayerRecord]
    sources: list[str]
    """The layers' digests, from the lowest."""


@dataclass(frozen=True)
class ImageContent:
    """All that is known of it."""

    settings: ImageSettings
    files: MergedFiles


def read_image(
    image: Image,
    cache_dir: Path,
    *,
    tls_verify: bool = True,
    authfile: Path | None = None,
    skopeo: str = "skopeo",
) -> ImageContent:
    """Read an image that was pushed. A layer that an earlier run has read is neither fetched nor read again.

    Args:
        image: by digest.
        cache_dir: keeps what was found in each layer; fetched layers lie there for as long as they are read.
        tls_verify: whether the registry's certificate is checked.
        authfile: credentials of the registry.
        skopeo: the program that asks it.

    Raises:
        UsageError: what the registry gives is no image that can be read; ``what`` says why.
        WorldError: the registry cannot be asked, or the disk is full.
    """
    if shutil.which(skopeo) is None:
        raise WorldError("skopeo is not installed", todo="Install it.")
    access = [f"--tls-verify={str(tls_verify).lower()}", *([f"--authfile={authfile}"] if authfile else [])]
    reference = f"docker://{image.url}@{image.digest}"
    manifest = _ask([skopeo, "inspect", "--raw", *access, reference])
    settings = settings_of(manifest, _ask([skopeo, "inspect", "--config", "--raw", *access, reference]))
    missing = {digest for digest in settings.sources if _kept(cache_dir, digest) is None}
    if missing:
        _read_layers(reference, settings, missing, cache_dir, access=access, skopeo=skopeo)
    return ImageContent(settings, merge(_all_kept(cache_dir, settings.sources)))


def _all_kept(cache_dir: Path, digests: list[str]) -> Iterator[LayerFiles]:
    size = 0
    for digest in digests:
        layer = _kept(cache_dir, digest)
        if layer is None:
            raise UsageError(
                f"layer {digest[7:19]}: what was found in it cannot be read again", todo="Look at the disk."
            )
        size += sum(map(len, (*layer.names, *layer.removed, *layer.emptied, *layer.contents, *layer.contents.values())))
        if size > MAX_KEPT_BYTES:
            raise UsageError(f"its layers have more than {MAX_KEPT_BYTES >> 20} MiB of packages' headers and names")
        yield layer


def settings_of(manifest: dict[str, Any], configuration: dict[str, Any]) -> ImageSettings:
    """What a manifest and a configuration say.

    Raises:
        UsageError: they are none.
    """
    try:
        entries = manifest["layers"]
        layers = [(str(entry["digest"]), int(entry["size"])) for entry in entries]
        config = configuration.get("config") or {}
        pairs = [str(pair).partition("=") for pair in (config.get("Env") or [])[:MAX_VARIABLES]]
        history = [entry for entry in configuration.get("history") or [] if not entry.get("empty_layer")]
        made_by = [str(entry.get("created_by") or "")[:MAX_TEXT] for entry in history]
        user, directory = str(config.get("User") or ""), str(config.get("WorkingDir") or "")
        processor = str(configuration.get("architecture") or "")
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError("the registry's answer is no image") from None
    if not layers or len(layers) > MAX_LAYERS or not all(_DIGEST.fullmatch(digest) for digest, _ in layers):
        raise UsageError("the image names no layers, or more than 500")
    made_by += [""] * (len(layers) - len(made_by))
    return ImageSettings(
        environment={name: value for name, _, value in pairs},
        user=user[:MAX_TEXT],
        directory=directory[:MAX_TEXT],
        processor=processor[:MAX_TEXT],
        layers=[
            LayerRecord(digest=digest, bytes=size, made_by=printable(line))
            for (digest, size), line in zip(layers, made_by, strict=False)
        ],
        sources=[digest for digest, _ in layers],
    )


def _ask(argv: list[str]) -> dict[str, Any]:
    answer = run(argv, env=registry_environment(), timeout_s=ASK_TIMEOUT_S)
    if answer.code:
        end = answer.tail.splitlines()[-1:] or [""]
        raise WorldError(f"the registry cannot be asked for the image: {end[0][-200:]}", where=argv[-1])
    try:
        found = json.loads(answer.output)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError("the registry's answer is no image", where=argv[-1])
    return found


def _read_layers(
    reference: str, settings: ImageSettings, missing: set[str], cache_dir: Path, *, access: list[str], skopeo: str
) -> None:
    """Fetch the layers that nothing is known of, read them, and drop them again."""
    place = cache_dir / FOLDER
    with disk_errors(place):
        place.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".tmp-", dir=place))
    try:
        blobs = folder / "blobs" / "sha256"
        with disk_errors(folder):
            blobs.mkdir(parents=True)
            for layer in settings.layers:
                if layer.digest not in missing:
                    # what lies there is not fetched: an empty file as long as the layer stands for one that is known
                    with (blobs / layer.digest.partition(":")[2]).open("wb") as file:
                        file.truncate(layer.bytes)
        source = [word.replace("--tls-verify", "--src-tls-verify") for word in access]
        argv = [skopeo, "copy", "--quiet", *source, reference, f"oci:{folder}:model"]
        copied = run(argv, env=registry_environment(), timeout_s=FETCH_TIMEOUT_S)
        if copied.code:
            end = copied.tail.splitlines()[-1:] or [""]
            raise WorldError(f"the image's layers cannot be fetched: {end[0][-200:]}", where=reference)
        for digest in sorted(missing):
            try:
                found = read_layer(blobs / digest.partition(":")[2])
            except UsageError as error:
                raise UsageError(f"layer {digest[7:19]}: {error.what}", where=reference) from None
            write_model(_file(cache_dir, digest), found)
            log.info("read the layer %s: %d paths kept", digest[7:19], len(found.names) + len(found.contents))
    finally:
        discard_tree(folder)


def _kept(cache_dir: Path, digest: str) -> LayerFiles | None:
    file = _file(cache_dir, digest)
    if not file.is_file():
        return None
    try:
        return read_model(file, LayerFiles)
    except UsageError as error:
        log.warning("%s: passed over: %s", file.name, error.what)
        return None


def _file(cache_dir: Path, digest: str) -> Path:
    return cache_dir / FOLDER / f"{RECIPE}-{digest.partition(':')[2]}.json"
