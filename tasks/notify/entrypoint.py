"""Tell people how it ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.report.message import headline, message
from penstock.report.notify import notify, receivers_in
from penstock.tekton.step import log, param, run_step, shorten, workspace


@dataclass(frozen=True)
class Arguments:
    """Send one message about the run."""

    status: str = param("Tekton's aggregate status of the tasks: Succeeded, Failed, Completed or None", default="")
    bundle: Path = workspace("the run's bundle")
    receivers: Path | None = workspace("a file 'urls' with one Apprise URL a line", optional=True)


RESULTS: tuple[str, ...] = ("sent", "summary")
MAX_SUMMARY_BYTES = 700


def step(arguments: Arguments) -> dict[str, str]:
    """Send the verdict's headline to each receiver; without receivers, log it."""
    bundle = Bundle(arguments.bundle)
    title, body = message(bundle, arguments.status)
    sent = notify(receivers_in(arguments.receivers), title, body)
    log("notified", title=title, sent=sent)
    return {"sent": str(sent), "summary": shorten(headline(bundle, arguments.status), MAX_SUMMARY_BYTES)}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-notify``."""
    return run_step("notify", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
