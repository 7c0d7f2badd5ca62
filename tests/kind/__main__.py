"""``python -m tests.kind up [--gpu=none]``, ``python -m tests.kind down``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial

from tests.kind import cluster
from tests.kind.programs import missing, run

from penstock.foundation.errors import ExitCode, PenstockError, UsageError


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code; an error is one message."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.kind", description="Penstock on kind, with this machine's GPU."
    )
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument(
        "--gpu", choices=["all", "none"], default="all", help="none: a machine without a card; one is pretended"
    )
    arguments = parser.parse_args(argv)
    try:
        if arguments.action == "up":
            up(gpu=arguments.gpu == "all")
        else:
            say("the cluster and its registry are taken down")
            cluster.delete()
    except PenstockError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.OK)


def up(*, gpu: bool) -> None:
    """Everything from nothing; what is there already is kept, so a second call mends what the first could not do."""
    lacking = missing(gpu=gpu)
    if lacking:
        lines = [f"  - {one.what}. {one.todo}" for one in lacking]
        raise UsageError("\n".join(["kind-up needs more than this machine has:", *lines]))
    steps: list[tuple[str, Callable[[], object]]] = [
        ("a registry", cluster.start_registry),
        ("two nodes (some minutes the first time)", partial(cluster.create, gpu=gpu)),
        ("the nodes meet the registry", cluster.connect_registry),
        ("NVIDIA's runtime and device plugin", cluster.give_cards)
        if gpu
        else ("no card: one is pretended", cluster.pretend_a_card),
        (
            f"Tekton Pipelines {cluster.PIPELINES_VERSION} and Triggers {cluster.TRIGGERS_VERSION}",
            cluster.install_tekton,
        ),
        ("every step's image", make_images),
        ("Penstock", install),
    ]
    for number, (what, step) in enumerate(steps, 1):
        say(f"{number}/{len(steps)} {what}")
        step()
    say(f"up: kubectl --context kind-{cluster.NAME} --namespace penstock get pipelines")
    say(f"models' images go to registry={cluster.IN_THE_CLUSTER} with tls-verify=false; next: docs/kind.md")


def make_images() -> None:
    """As ``make images`` does it for any registry."""
    run(
        "make",
        "--directory",
        str(cluster.ROOT),
        "images",
        f"REGISTRY={cluster.ON_THIS_MACHINE}",
        "TLS_VERIFY=false",
        "IMAGES_OPTIONS=--allow-tag",
        timeout_s=3600,
    )


def install() -> None:
    """As docs/install.md does it on any cluster."""
    cluster.kubectl("apply", "--kustomize", str(cluster.ROOT / "build" / "install"))


def say(text: str) -> None:
    """Tell the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
