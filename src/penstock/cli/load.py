"""``penstock load``: requests to a service at a stated rate, and how long it takes to answer."""

from __future__ import annotations

import contextlib
import math
import signal
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.foundation.errors import ExitCode, UsageError, WorldError

if TYPE_CHECKING:
    from penstock.load.generator import ClosedLoop, OpenLoop
    from penstock.load.timeline import Timeline

MAX_SECONDS = 86_400.0


class Arrivals(StrEnum):
    """How requests follow each other."""

    CONSTANT = "constant"
    POISSON = "poisson"


def load(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the requests go: http:// or https://.")],
    seconds: Annotated[float, typer.Option(metavar="S", help="How long.")],
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="R", help="Requests a second, whether or not earlier ones are answered.", show_default=False
        ),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="In place of --rate: N requests at a time, each as soon as the one before it is answered.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(metavar="M", help="The method; by default POST with a body, else GET.", show_default=False)
    ] = "",
    header: Annotated[list[str] | None, typer.Option(metavar="H", help="A header, 'Name: value'; repeatable.")] = None,
    body: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="The body; several are sent in turn.")] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="For one request, from the moment at which it is due.")
    ] = 10.0,
    warm_up: Annotated[float, typer.Option(metavar="S", help="Before that, for so long, unmeasured.")] = 0.0,
    connections: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="At most so many at the same time; by default 1,000, or what the limit of open files allows.",
            show_default=False,
        ),
    ] = None,
    arrivals: Annotated[
        Arrivals, typer.Option(help="The pauses between requests: equal, or as of many independent users.")
    ] = Arrivals.CONSTANT,
    seed: Annotated[int, typer.Option(help="What Poisson arrivals are drawn from.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure a service under load: latency from the moment at which each request was due, errors, achieved rate.

    Good is a whole answer with a status of 200 to 299; redirects are not followed. Requests that fail, and those that
    could not be sent within the timeout (dropped), count with the whole timeout. Ctrl-C ends it with what was measured.
    Exit 0 when measured, 2 for arguments that cannot be, 4 when nothing was reached or nothing answered.

    Example: penstock load http://127.0.0.1:8080/recognize --rate 20 --seconds 60 --body photo.jpg --json
    """
    _check(seconds=seconds, rate=rate, concurrency=concurrency, timeout=timeout, warm_up=warm_up)
    most = _most_connections(connections, concurrency)
    from penstock.cli.load_display import print_json, print_summary
    from penstock.load.generator import ClosedLoop, Generator, GeneratorLimits
    from penstock.load.load_request import find_destination, make_requests, parse_load_url
    from penstock.load.summary import summarise
    from penstock.load.timeline import Timeline

    place = parse_load_url(url)
    requests = make_requests(place, method=method, headers=header or (), bodies=body or ())
    loop: OpenLoop | ClosedLoop
    if rate is not None:
        loop = _open_loop(rate, warm_up + seconds, arrivals, seed)
        _check_any_due(loop, warm_up)
    else:
        loop = ClosedLoop(concurrency or 1, warm_up + seconds)
    asked = {
        "url": place.shown,
        "method": requests[0].method,
        "rate": rate,
        "concurrency": concurrency,
        "warm_up_s": warm_up,
        "arrivals": arrivals.value if rate is not None else None,
        "seed": seed if rate is not None and arrivals is Arrivals.POISSON else None,
    }
    show = print_json if as_json else print_summary
    progress = _progress(seconds + warm_up)
    try:
        generator = Generator(
            find_destination(place), requests, loop, GeneratorLimits(most, timeout), progress=progress
        )
    except WorldError:
        if as_json:  # who reads the object finds one, whatever happened; the message says why there is nothing in it
            show(summarise(Timeline(), warm_up_s=warm_up, seconds=0.0, timeout_s=timeout), asked)
        raise
    with _until_ctrl_c(generator.stop):
        timeline = generator.run()
    summary = summarise(timeline, warm_up_s=warm_up, seconds=seconds, timeout_s=timeout)
    show(summary, asked)
    if summary.interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)
    if not any(timeline.status):
        raise WorldError(_without_an_answer(timeline), where=place.shown, todo="Look into its log.")
    if not summary.requests:
        raise WorldError(
            "nothing was measured: the requests of the warm-up took until after the end",
            where=place.shown,
            todo="Raise --seconds, or lower --timeout.",
        )


def _without_an_answer(timeline: Timeline) -> str:
    """What came where nothing was a whole answer."""
    from penstock.load.timeline import RequestEnding

    if RequestEnding.BROKEN not in timeline.ending:
        return "the service gave no answer at all"
    _, said = timeline.messages.get(RequestEnding.BROKEN, (0, ""))
    return f"the service gave no whole HTTP answer{f': {said}' if said else ''}"


def _open_loop(rate: float, seconds: float, arrivals: Arrivals, seed: int) -> OpenLoop:
    from penstock.load.arrivals import constant_arrivals, poisson_arrivals
    from penstock.load.generator import MAX_REQUESTS, OpenLoop

    if rate * seconds > MAX_REQUESTS:
        raise UsageError(
            f"these are {rate * seconds:,.0f} requests; at most {MAX_REQUESTS:,} are kept account of",
            where="--rate",
            todo="Lower --rate or --seconds.",
        )
    if arrivals is Arrivals.POISSON:
        return OpenLoop(poisson_arrivals(rate, seconds, seed))
    return OpenLoop(constant_arrivals(rate, seconds))


def _check_any_due(loop: OpenLoop, warm_up: float) -> None:
    """Arrivals are drawn beforehand: that none is measured need not be waited for."""
    if not loop.due or loop.due[-1] < warm_up:
        raise UsageError(
            "no request is due in the time that is measured", where="--rate", todo="Raise --rate or --seconds."
        )


def _most_connections(given: int | None, concurrency: int | None) -> int:
    from penstock.load.connection_limit import default_connections

    if given is None:
        return max(default_connections(), concurrency or 0)
    _at_least_one("--connections", given)
    if concurrency is not None and given < concurrency:
        raise UsageError(
            f"{concurrency} requests at a time need as many connections, not {given}",
            where="--connections",
            todo="Leave it out, or lower --concurrency.",
        )
    return given


def _check(*, seconds: float, rate: float | None, concurrency: int | None, timeout: float, warm_up: float) -> None:
    if (rate is None) == (concurrency is None):
        raise UsageError("give --rate or --concurrency", where="--rate", todo="One of the two.")
    for option, value in (("--seconds", seconds), ("--rate", rate), ("--timeout", timeout)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise UsageError(f"{value:g} is not a number above 0", where=option, todo="Give a number such as 10.")
    if not (math.isfinite(warm_up) and warm_up >= 0):
        raise UsageError(f"{warm_up:g} is not a number from 0 on", where="--warm-up", todo="Give a number such as 5.")
    for option, value in (("--seconds", seconds), ("--timeout", timeout), ("--warm-up", warm_up)):
        if value > MAX_SECONDS:
            raise UsageError(f"{value:g} seconds are more than a day", where=option, todo="Give a shorter time.")
    if concurrency is not None:
        _at_least_one("--concurrency", concurrency)


def _at_least_one(option: str, value: int) -> None:
    from penstock.load.connection_limit import MAX_CONNECTIONS

    if not 1 <= value <= MAX_CONNECTIONS:
        raise UsageError(
            f"{value} is not a number from 1 to {MAX_CONNECTIONS}", where=option, todo="Give such a number."
        )


def _progress(seconds: float) -> Callable[[Timeline], None] | None:
    """A line for who waits at a terminal."""
    if not sys.stderr.isatty():
        return None

    def show(timeline: Timeline) -> None:
        begun = timeline.due[-1] if timeline.due else 0.0
        sys.stderr.write(f"\r\x1b[K{begun:.0f} s of {seconds:g} s, {len(timeline.due):,} requests")
        sys.stderr.flush()

    return show


@contextlib.contextmanager
def _until_ctrl_c(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C calls ``stop``, another one ends the command at once."""

    def stop_once(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    before = signal.signal(signal.SIGINT, stop_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
