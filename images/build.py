"""Build the image of every step and service, push it by digest, and write the overlay that installs them.

python -m images.build --registry registry.example.org/penstock --base python:3.11-slim@sha256:…
python -m images.build --registry 127.0.0.1:5000 --tls-verify=false --allow-tag --only measure
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from images.overlay import MADE, OUT, shown, write_overlay
from images.packages import label_packages, pushed_packages
from images.pins import pinned
from images.recipe import DEFAULT_BASE, ROOT, Recipe, keys, recipes, tag
from images.registry import Pushed, check_name, check_reachable, find

from penstock.foundation.errors import ExitCode, PenstockError, UsageError, WorldError
from penstock.foundation.files import write_json
from penstock.sources.program import run

LOGS = ROOT / "build" / "images"
TIMEOUT_S = 3600.0
LOG_LINES = 15
KEY_LABEL = "dev.penstock.key"
PACKAGES = "packages"
"""Folder beside the overlay: what is installed in each image."""


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    registry: str
    base: str
    """As it was asked for; from :func:`make` on ``NAME@sha256:…``."""
    allow_tag: bool
    tls_verify: bool
    only: tuple[str, ...]
    out: Path
    jobs: int
    anew: bool

    @property
    def verify(self) -> str:
        """The option of buildah."""
        return f"--tls-verify={str(self.tls_verify).lower()}"


@dataclass(frozen=True)
class Made:
    """One image, and how it came about."""

    name: str
    pushed: Pushed
    built: bool
    seconds: float


Say = Callable[[str], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, make the images, say what came of it; returns the exit code."""
    parser = _parser()
    chosen = parser.parse_args(argv)
    say = _progress()
    try:
        options = Options(
            registry=check_name(chosen.registry),
            base=chosen.base,
            allow_tag=chosen.allow_tag,
            tls_verify=chosen.tls_verify == "true",
            only=tuple(chosen.only),
            out=chosen.out,
            jobs=chosen.jobs,
            anew=chosen.no_cache,
        )
        made = make(options, say)
    except KeyboardInterrupt:
        say("interrupted; what was built is kept")
        return int(ExitCode.INTERRUPTED)
    except PenstockError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    if chosen.json:
        answer = {
            one.name: {"image": one.pushed.reference, "bytes": one.pushed.bytes, "built": one.built} for one in made
        }
        sys.stdout.write(json.dumps({"overlay": str(options.out), "images": answer}, indent=2) + "\n")
    else:
        built = sum(one.built for one in made)
        say(f"{built} built, {len(made) - built} unchanged; install them: kubectl apply -k {shown(options.out)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m images.build",
        description=(__doc__ or "").partition("\n")[0],
        epilog="example: make images REGISTRY=registry.example.org/penstock BASE=python:3.11-slim@sha256:…\n"
        "Needs buildah, and skopeo to see what is pushed already. Credentials: `buildah login`. "
        "Exit codes: 0 done, 2 bad usage, 4 the world failed.",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--registry", default="", metavar="HOST[:PORT][/PATH]", help="where the images are pushed to")
    parser.add_argument("--base", default=DEFAULT_BASE, metavar="IMAGE", help="what they stand on (%(default)s)")
    parser.add_argument("--allow-tag", action="store_true", help="take a base without a digest: what its tag names now")
    parser.add_argument("--tls-verify", choices=("true", "false"), default="true", help="false: also plain http")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this one only; can be repeated")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="where the overlay goes (build/install)")
    parser.add_argument("--jobs", type=int, default=max(1, min(4, os.cpu_count() or 1)), metavar="N", help="at a time")
    parser.add_argument("--no-cache", action="store_true", help="build all anew, such as for Debian's security fixes")
    parser.add_argument("--json", action="store_true", help="say on standard output, as JSON, which images there are")
    return parser


def _progress() -> Say:
    lock, started = threading.Lock(), time.monotonic()

    def say(text: str) -> None:
        with lock:
            sys.stderr.write(f"images {time.monotonic() - started:6.1f} s  {text}\n")
            sys.stderr.flush()

    return say


@dataclass(frozen=True)
class Work:
    """What all the builds share."""

    options: Options
    recipes: dict[str, Recipe]
    base: str
    """The id of the image that ours stand on."""
    keys: dict[str, str]
    say: Say

    def local(self, name: str) -> str:
        """An image's name here: the key is part of it, so that two builds at once cannot mix."""
        return f"localhost/penstock/{name}:{self.keys[name]}"

    def remote(self, name: str) -> str:
        """Where an image is pushed to."""
        return f"{self.options.registry}/{name}:{tag(self.keys[name])}"

    def parents(self, name: str) -> list[str]:
        """The keys of what an image stands on."""
        return [self.keys[parent] for parent in self.recipes[name].stands_on.values()] or [self.base]

    def shared(self, names: list[str]) -> list[str]:
        """What ``names`` stand on, in the order in which it has to be made."""
        wanted = set(names)
        for name in reversed(self.recipes):  # parents come first
            if name in wanted:
                wanted |= set(self.recipes[name].stands_on.values())
        return [name for name in self.recipes if name in wanted and self.recipes[name].is_shared]


def make(options: Options, say: Say) -> list[Made]:
    """Make the images that are wanted and are not there, push them, write the overlay.

    Raises:
        UsageError: a step, service or registry that cannot be.
        WorldError: no buildah; the registry or the base image is out of reach; a build or push failed.
    """
    all_of_them = recipes()
    pushed = [name for name, recipe in all_of_them.items() if not recipe.is_shared]
    if unknown := [name for name in options.only if name not in pushed]:
        todo = f"There are: {', '.join(sorted(pushed))}."
        raise UsageError(f"there is no step or service '{unknown[0]}'", where="--only", todo=todo)
    wanted = sorted(options.only or pushed)
    if shutil.which("buildah") is None:
        raise WorldError("buildah is not installed", todo="Install it: apt-get install buildah skopeo")
    check_reachable(options.registry, tls_verify=options.tls_verify)
    base_name = pinned(options.base, allow_tag=options.allow_tag, tls_verify=options.tls_verify)
    options = replace(options, base=base_name)
    say(f"the base image is {options.base}")
    base = _pull(options)
    work = Work(options, all_of_them, base, keys(all_of_them, base), say)
    with ThreadPoolExecutor(options.jobs) as pool:
        made = [] if options.anew else _made_before(work, wanted, pool)
        there = {one.name for one in made}
        missing = [name for name in wanted if name not in there]
        for name in work.shared(missing):
            _build(name, work)
        tasks = [pool.submit(_build_and_push, name, work) for name in missing]
        try:
            for number, task in enumerate(as_completed(tasks), 1):
                one = task.result()
                made.append(one)
                size = f"{one.pushed.bytes / 1e6:.0f} MB"
                say(f"[{number}/{len(missing)}] {one.name}: {one.seconds:.1f} s, {size}, {one.pushed.reference}")
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
    made.sort(key=lambda one: one.name)
    packages = {one.name: pushed_packages(one.pushed.reference, tls_verify=options.tls_verify) for one in made}
    write(options, made, packages)
    return made


def _pull(options: Options) -> str:
    """Have the base image here; returns its id, which changes with its content."""
    argv = ["buildah", "pull", "--quiet", "--policy=ifnewer", options.verify, options.base]
    pulled = run(argv, timeout_s=TIMEOUT_S)
    if pulled.code:
        raise WorldError(
            f"the base image cannot be had: {_last(pulled.tail)}",
            where=options.base,
            todo="Name one that can with --base (make images BASE=…), such as a mirror's.",
        )
    return pulled.output.decode("ascii", "replace").strip()


def _made_before(work: Work, wanted: list[str], pool: ThreadPoolExecutor) -> list[Made]:
    """The images that the registry has already under the key of what they would be made of now."""

    def look(name: str) -> Made | None:
        pushed = find(work.remote(name), tls_verify=work.options.tls_verify)
        return None if pushed is None else Made(name, pushed, built=False, seconds=0.0)

    return [one for one in pool.map(look, wanted) if one is not None]


def _build(name: str, work: Work) -> None:
    recipe, options = work.recipes[name], work.options
    started = time.monotonic()
    on = {argument: work.local(parent) for argument, parent in recipe.stands_on.items()} or {"BASE": options.base}
    log = _log(name)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    argv = [
        *("buildah", "build", "--isolation=chroot", "--format=oci", "--force-rm", options.verify),
        *(["--no-cache"] if options.anew else ["--layers"]),
        *(f"--build-arg={argument}={image}" for argument, image in on.items()),
        f"--label={KEY_LABEL}={work.keys[name]}",
        f"--label=org.opencontainers.image.title=penstock {name}",
        f"--label=org.opencontainers.image.base.name={options.base.partition('@')[0]}",
        f"--label=org.opencontainers.image.base.digest={options.base.partition('@')[2]}",
        *(f"--file={recipe.containerfile}", f"--tag={work.local(name)}", str(ROOT)),
    ]
    built = run(argv, cwd=ROOT, timeout_s=TIMEOUT_S, join=True, log_file=log)
    if built.code:
        # A mirror that drops a connection must not cost all the rest; finished layers are kept.
        work.say(f"{name}: failed, once more")
        built = run(argv, cwd=ROOT, timeout_s=TIMEOUT_S, join=True, log_file=log)
    if built.code:
        end = "\n  ".join(built.tail.splitlines()[-LOG_LINES:])
        raise WorldError(f"the image '{name}' cannot be built; the end of its log:\n  {end}", where=shown(log))
    if recipe.key(work.parents(name)) != work.keys[name]:
        raise WorldError(f"what the image '{name}' is made of changed meanwhile", todo="Run it again.")
    if recipe.is_shared:
        work.say(f"{name}: {time.monotonic() - started:.1f} s")


def _build_and_push(name: str, work: Work) -> Made:
    started, options = time.monotonic(), work.options
    _build(name, work)
    label_packages(work.local(name))
    with tempfile.TemporaryDirectory(prefix="penstock-image-") as folder:
        digest_file = Path(folder) / "digest"
        target = work.remote(name)
        argv = [
            "buildah",
            "push",
            options.verify,
            f"--digestfile={digest_file}",
            work.local(name),
            f"docker://{target}",
        ]
        pushed = run(argv, timeout_s=TIMEOUT_S, join=True, log_file=_log(name))
        digest = digest_file.read_text(encoding="ascii").strip() if digest_file.is_file() else ""
    if pushed.code or not digest.startswith("sha256:"):
        raise WorldError(f"the image '{name}' cannot be pushed: {_last(pushed.tail)}", where=target)
    reference = f"{options.registry}/{name}@{digest}"
    stored = find(reference, tls_verify=options.tls_verify) or Pushed(reference, 0, (), ())
    return Made(name, stored, built=True, seconds=time.monotonic() - started)


def _log(name: str) -> Path:
    return LOGS / f"{name}.log"


def write(options: Options, made: list[Made], packages: Mapping[str, dict[str, Any]]) -> None:
    """The overlay, and the records beside it: which images, on which base, with which packages.

    With ``--only``, the other images stay as the last overlay for this registry had them.
    """
    record = options.out / MADE
    before = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    kept = before.get("images", {}) if options.only and before.get("registry") == options.registry else {}
    images = kept | {one.name: one.pushed.reference for one in made}
    write_overlay(options.out, images)
    about = {"registry": options.registry, "tls_verify": options.tls_verify, "base": options.base}
    write_json(record, {**about, "images": images})
    for name, installed in packages.items():
        write_json(options.out / PACKAGES / f"{name}.json", {"image": images[name], "base": options.base, **installed})


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"


if __name__ == "__main__":
    sys.exit(main())
