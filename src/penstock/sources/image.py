"""Building a model's image with buildah and naming it by digest; or saying that the model runs as a process."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal

from penstock.bundle.models import Image
from penstock.contract.models import Build
from penstock.foundation.errors import NoSpaceError, UsageError, WorldError
from penstock.foundation.files import disk_errors
from penstock.sources.build_context import BuildContext, build_context
from penstock.sources.built_images import find_built, keep_built
from penstock.sources.image_registry import registry_access
from penstock.sources.known_blobs import known_blobs
from penstock.sources.program import Finished, cut_to_end, run

log = logging.getLogger(__name__)

Mode = Literal["auto", "image", "process"]
MODES: tuple[Mode, ...] = ("auto", "image", "process")
REGISTRY = re.compile(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$")
_NAME = re.compile(r"^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$")
_TARGET = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")
_ARG = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
_NO_TAG = re.compile(r"[^A-Za-z0-9_.-]")
_PASSED_ON = ["PATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR"]
_PROXIES = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]
_UNREACHABLE = re.compile(
    r"connection refused|connection reset|no such host|i/o timeout|no route to host|: EOF\b", re.I
)
LOG_LINES = 20
LOCK_FILE = "building.lock"
PUSH_WAITS_S = (2.0, 4.0, 8.0, 16.0)
"""How long to wait before each further try to push: a registry that restarts is back by then."""
_UNAVAILABLE = re.compile(r"\b(502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out)\b", re.I)
_STEP = re.compile(rb"^STEP \d+(/\d+)?: (?!FROM|ARG)", re.M)
_CACHED = re.compile(rb"^--> Using cache ", re.M)


def build(
    source_dir: Path,
    contract: Build,
    *,
    image_name: str,
    tree: str,
    commit: str = "",
    beside: Collection[str] = (),
    registry: str | None = None,
    mode: Mode = "auto",
    cache_dir: Path | None = None,
    reuse: bool = True,
    labels: Mapping[str, str] | None = None,
    tls_verify: bool = True,
    authfile: Path | None = None,
    log_file: Path | None = None,
    layout: Path | None = None,
    timeout_s: float = 3600.0,
    buildah: str = "buildah",
    skopeo: str = "skopeo",
) -> Image:
    """Build the model's image and push it, or say that the model runs as a process.

    Where an earlier run with the same cache has built an image from the same files and the registry still has it, that
    one is used again, by its digest. The files are those of :mod:`penstock.sources.build_context`: the weights are not
    among them.

    Args:
        source_dir: the clone.
        contract: the ``build`` section of ``penstock.yaml``.
        image_name: repository below the registry, lower case (the model's name).
        tree: SHA-256 of the clone's files: the digest of a process.
        commit: what is built, for the record.
        beside: paths of weights, which are mounted beside the image.
        registry: ``host[:port][/path]`` to push to.
        mode: ``image``: an image or a failure. ``process``: no image. ``auto``: an image where buildah works and a
            registry is named.
        cache_dir: where buildah keeps its layers between runs, by default its own place; and which images were built.
        reuse: False: build, whatever was built before.
        labels: labels of the image (``org.opencontainers.image.revision`` and the like).
        tls_verify: whether the registry's certificate is checked; False also speaks plain http.
        authfile: credentials of the registry (``config.json`` of a docker-config secret).
        log_file: the whole log of the build is appended here.
        layout: put the image into this directory, in the OCI layout, and push it nowhere: no registry is asked.
        timeout_s: limit of each of the two commands.
        buildah: the program.
        skopeo: the program that asks the registry whether it still has an image; without it, none is used again.

    Returns:
        The image with its digest, or ``kind="process"`` with the digest of the source tree.

    Raises:
        UsageError: a build section, name or registry that cannot be.
        WorldError: the build or the push failed (with the end of its log), or ``mode`` is ``image`` and there is no
            buildah.
    """
    if not _NAME.match(image_name):
        raise UsageError(
            f"'{image_name[:80]}' is not an image's name",
            where="image name",
            todo="Use lower-case letters, digits and '-'.",
        )
    if registry is not None and not REGISTRY.match(registry):
        raise UsageError(
            f"'{registry[:80]}' is not a registry", where="registry", todo="Write host[:port][/path], without a scheme."
        )
    reason = _why_no_image(mode, registry, buildah)
    if reason is None:
        context = build_context(source_dir, contract, beside)
        name, key = f"{registry}/{image_name}" if registry else image_name, context.key(contract)
        access = registry_access(tls_verify, authfile)
        known = find_built(cache_dir, name, key) if reuse and layout is None else None
        if known is not None and _is_in_registry(known, skopeo, access):
            log.info("used again: %s@%s, built from %s", known.url, known.digest, known.built_from[:12])
            return known
        with known_blobs(cache_dir):
            built = _build(
                context,
                contract,
                name=name,
                tag=key[:12],
                cache_dir=cache_dir,
                options=[f"--label={key}={value}" for key, value in sorted((labels or {}).items())],
                push=access if layout is None else [],
                to=None if layout is None else f"oci:{layout}:{key[:12]}",
                log_file=log_file,
                timeout_s=timeout_s,
                buildah=buildah,
            )
        built = built.model_copy(update={"key": key, "built_from": commit})
        if layout is None:
            keep_built(cache_dir, built)
        return built
    if mode == "image":
        raise WorldError(
            f"no image can be built: {reason}", todo="Install buildah and name a registry, or let the mode be 'auto'."
        )
    log.info("no image is built (%s): the model runs as a process", reason)
    return Image(kind="process", digest=f"sha256:{tree}")


def _is_in_registry(image: Image, skopeo: str, access: list[str]) -> bool:
    """Whether the registry has an image by its digest.

    Raises:
        WorldError: it cannot be asked.
    """
    if shutil.which(skopeo) is None:
        return False
    reference = f"docker://{image.url}@{image.digest}"
    argv = [skopeo, "inspect", "--no-tags", "--retry-times=3", *access, "--format={{.Digest}}", reference]
    answer = run(argv, env=registry_environment(), timeout_s=120.0)
    if answer.code and not is_absent(answer):
        raise failed("the registry cannot be asked for the image", answer, reference)
    if answer.code:
        log.info("the registry has %s no more: it is built again", image.digest)
    return answer.code == 0


def is_absent(answer: Finished) -> bool:
    """Whether skopeo says that the registry has no such image."""
    return any(sign in answer.tail.lower() for sign in ("manifest unknown", "not found", "name unknown"))


def _why_no_image(mode: Mode, registry: str | None, buildah: str) -> str | None:
    if mode == "process":
        return "the run asks for a process"
    if shutil.which(buildah) is None:
        return "buildah is not installed"
    if registry is None:
        return "no registry is named that it could be pushed to"
    try:
        works = run([buildah, "version"], env=registry_environment(), timeout_s=30.0)
    except WorldError as error:
        return error.what
    return (
        None
        if works.code == 0
        else f"buildah does not work here: {works.tail.splitlines()[-1] if works.tail else 'it failed'}"
    )


def _build(
    context: BuildContext,
    contract: Build,
    *,
    name: str,
    tag: str,
    cache_dir: Path | None,
    options: list[str],
    push: list[str],
    to: str | None,
    log_file: Path | None,
    timeout_s: float,
    buildah: str,
) -> Image:
    if log_file is not None:
        with disk_errors(log_file):
            log_file.parent.mkdir(parents=True, exist_ok=True)
    environment, storage = registry_environment(), _storage(cache_dir)
    reference = f"{name}:{tag}"
    with _alone(cache_dir / LOCK_FILE if cache_dir is not None else None), context.copied(cache_dir) as folder:
        argv = [
            buildah,
            *storage,
            "build",
            "--layers",
            "--isolation=chroot",
            "--format=oci",
            f"--file={context.containerfile}",
            f"--tag={reference}",
            *_build_options(contract),
            *options,
            str(folder),
        ]
        log.info("buildah builds %s", reference)
        built = run(argv, cwd=folder, env=environment, timeout_s=timeout_s, join=True, log_file=log_file)
    if built.code:
        raise _not_built(built, context)
    inspect = [buildah, *storage, "inspect", "--type=image", "--format={{.OCIv1.Config.WorkingDir}}", reference]
    inspected = run(inspect, env=environment, timeout_s=60.0)
    if inspected.code:
        raise failed("the image that was built cannot be read", inspected, reference)
    directory = inspected.output.decode("utf-8", "replace").strip() or "/"
    with disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="penstock-image-") as folder:
        digest_file = Path(folder) / "digest"
        argv = [
            buildah,
            *storage,
            "push",
            f"--digestfile={digest_file}",
            *push,
            reference,
            to or f"docker://{reference}",
        ]
        pushed = _push(argv, environment, timeout_s, log_file)
        if pushed.code:
            raise failed("the image cannot be pushed", pushed, reference)
        digest = digest_file.read_text(encoding="ascii").strip() if digest_file.is_file() else ""
    if not _DIGEST.match(digest):
        raise WorldError("buildah named no digest of what it pushed", where=reference, todo="Update buildah.")
    log.info("%s %s@%s", "pushed" if to is None else "built", name, digest)
    return Image(kind="image", url=name, digest=digest, directory=directory)


def _not_built(built: Finished, context: BuildContext) -> WorldError:
    """The error of a build; one that looks for what it does not see says so."""
    error = failed("the image cannot be built", built, context.containerfile)
    names = sorted(path.relative_to(context.context).as_posix() for path in context.left_out if path.exists())
    folders = {name.split("/")[0] for name in names}
    if any(name in error.todo for name in folders | set(names)):
        hint = "The build does not see the weights, which are mounted beside the image: take their COPY out."
        return WorldError(error.what, where=error.where, todo=f"{hint} {error.todo}")
    return error


def _push(argv: list[str], environment: dict[str, str], timeout_s: float, log_file: Path | None) -> Finished:
    """Push, and try again while the registry cannot be reached. What has arrived is not sent again."""
    pushed = run(argv, env=environment, timeout_s=timeout_s, join=True, log_file=log_file)
    for wait_s in PUSH_WAITS_S:
        if pushed.code == 0 or not (_UNREACHABLE.search(pushed.tail) or _UNAVAILABLE.search(pushed.tail)):
            break
        log.warning("the registry cannot be reached: pushing again in %g s", wait_s)
        time.sleep(wait_s)
        pushed = run(argv, env=environment, timeout_s=timeout_s, join=True, log_file=log_file)
    return pushed


def steps_from_cache(log_file: Path, *, since: int = 0) -> tuple[int, int]:
    """How many of a Containerfile's steps buildah took from its layers of earlier builds, and of how many.

    Args:
        log_file: the log of the build.
        since: the byte at which this build's part begins.
    """
    with contextlib.suppress(OSError), log_file.open("rb") as file:
        file.seek(since)
        text = file.read()
        return len(_CACHED.findall(text)), len(_STEP.findall(text))
    return 0, 0


def _build_options(contract: Build) -> list[str]:
    options = []
    if contract.target is not None:
        if not _TARGET.match(contract.target):
            raise UsageError(f"'{contract.target[:80]}' is not the name of a build stage", where="build.target")
        options.append(f"--target={contract.target}")
    for key, value in contract.args.items():
        if not _ARG.match(key) or not value.isprintable():
            raise UsageError(
                f"'{key[:80]}' is not a build argument", where="build.args", todo="Use plain names and values."
            )
        options.append(f"--build-arg={key}={value}")
    return options


@contextlib.contextmanager
def _alone(lock: Path | None) -> Iterator[None]:
    """Within, nobody else builds with the same layers.

    Two builds that make the same layer at the same time make two, with other times of files in them; which of the two a
    later build takes from the cache is chance, and the same code would have another image, another digest.
    """
    if lock is None:
        yield
        return
    with disk_errors(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("another build with the same cache is under way: waiting for its layers")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _storage(cache_dir: Path | None) -> list[str]:
    return [] if cache_dir is None else [f"--root={cache_dir.absolute() / 'containers'}"]


def registry_environment() -> dict[str, str]:
    """What buildah and skopeo see of our environment: no credentials but those that are named to them."""
    return {name: os.environ[name] for name in (*_PASSED_ON, *_PROXIES) if name in os.environ} | {"LC_ALL": "C.UTF-8"}


def failed(what: str, finished: Finished, where: object) -> WorldError:
    end = "\n".join(finished.tail.splitlines()[-LOG_LINES:])
    if "no space left" in finished.tail.lower():
        return NoSpaceError(
            f"{what}: no space is left on the disk",
            where=str(where),
            todo="Free space, or use a larger volume, and run it again.",
        )
    lost = [line for line in finished.tail.splitlines() if _UNREACHABLE.search(line)]
    if lost:
        return WorldError(
            f"{what}: the registry cannot be reached ({cut_to_end(lost[-1])})",
            where=str(where),
            todo="Check that the registry runs and that steps may reach it, then run it again.",
        )
    return WorldError(f"{what}: exit code {finished.code}", where=str(where), todo=f"The end of its log:\n{end}")


def tag_image(
    image: Image,
    version: str,
    *,
    tls_verify: bool = True,
    authfile: Path | None = None,
    timeout_s: float = 600.0,
    skopeo: str = "skopeo",
) -> None:
    """Give a pushed image the tag ``version`` in its registry, by digest. A tag that names it already is left alone.

    Raises:
        UsageError: the image was not pushed.
        WorldError: the tag names another image, or the registry fails.
    """
    if image.kind != "image" or not _DIGEST.match(image.digest) or not REGISTRY.match(image.url):
        raise UsageError("only a pushed image can be tagged", where=image.url)
    tag = _NO_TAG.sub("_", version).lstrip(".-")[:128]
    target = f"docker://{image.url}:{tag}"
    verify = str(tls_verify).lower()
    auth = [f"--authfile={authfile}"] if authfile else []
    environment = registry_environment()
    inspect = [skopeo, "inspect", "--no-tags", f"--tls-verify={verify}", *auth, "--format={{.Digest}}", target]
    there = run(inspect, env=environment, timeout_s=timeout_s)
    if there.code == 0:
        found = there.output.decode("ascii", "replace").strip()
        if found == image.digest:
            return
        raise WorldError(f"the tag '{tag}' names another image ({found})", where=image.url, todo="Raise the version.")
    if not is_absent(there):
        # Not knowing whether the tag is there, we must not write over it.
        raise failed("the registry cannot be asked for the tag", there, target)
    sides = (f"--src-tls-verify={verify}", f"--dest-tls-verify={verify}")
    copy = [skopeo, "copy", "--preserve-digests", "--all", *sides, *auth]
    copied = run([*copy, f"docker://{image.url}@{image.digest}", target], env=environment, timeout_s=timeout_s)
    if copied.code:
        raise failed("the image cannot be tagged", copied, target)
    log.info("tagged %s as %s", image.digest, tag)
