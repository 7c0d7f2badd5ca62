"""``penstock watch``: a canary beside the stable version, on live evidence."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.releases import CREDENTIALS_HELP, LOCAL_STORE, STORE_HELP
from penstock.foundation.errors import ExitCode, UsageError
from penstock.local_run.run_folder import OUT

if TYPE_CHECKING:
    from penstock.cli.watch_probes import WatchedProbes
    from penstock.watch.records import RecordsSource
    from penstock.watch.verdict_server import Look
    from penstock.watch.watch_policy import WatchPolicy
    from penstock.watch.watcher import EvidenceSource, WatchVerdict

STANDARD_INPUT = "-"


def watch(
    policy: Annotated[
        Path | None,
        typer.Argument(metavar="[POLICY]", help="What is watched, and the margins: a YAML file.", show_default=False),
    ] = None,
    records: Annotated[
        str, typer.Option(metavar="FILE", help="Requests as JSON lines, in place of Prometheus; - is standard input.")
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="When the canary was started: Unix seconds, or 2026-11-27T00:00:00Z. Of records, by default the "
            "canary's first; with Prometheus and --follow or --serve, now.",
        ),
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Look after each stretch until it is decided.")] = False,
    serve: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Give the verdict over HTTP: GET /verdict?since=TIME."),
    ] = "",
    release: Annotated[
        str, typer.Option(metavar="VERSION", help="With --follow and 'probes.model': which release the canary is.")
    ] = "",
    scheduled: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="No canary: run the current release of this model again, and compare it with its own record.",
        ),
    ] = "",
    store: Annotated[str, typer.Option(help=f"With --scheduled or 'probes.model'. {STORE_HELP}")] = LOCAL_STORE,
    store_credentials: Annotated[Path | None, typer.Option(help=CREDENTIALS_HELP)] = None,
    out: Annotated[Path, typer.Option(help="With --scheduled: where runs and cache lie.")] = OUT,
    python: Annotated[
        str, typer.Option(help="With --scheduled: the model's Python environment, as for 'run'.", metavar="PATH")
    ] = "",
    param: Annotated[
        list[str] | None,
        typer.Option(
            help="With --scheduled: a parameter of the pipeline, e.g. shards=2. With 'probes.model': allow-http=true.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    workspace: Annotated[
        list[str] | None,
        typer.Option(help="With --scheduled or 'probes.model': a workspace, e.g. basic-auth=DIR.", metavar="NAME=DIR"),
    ] = None,
    notify: Annotated[
        Path | None,
        typer.Option(
            help="With --scheduled: who is told of what moved: a file with one address a line, or a folder with 'urls' "
            "and 'links'."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="With --scheduled: show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict, or what moved, as JSON.")] = False,
) -> None:
    """Compare a canary with the stable version on live evidence: errors, latency, users' feedback; where traffic is
    scarce, cases of the suite put to both ('probes' in the policy).

    It may be looked at as often as one likes. Exit 0: good, promote it; 1: bad, roll it back; 3: inconclusive, or not
    yet; 2: a policy or records that cannot be read. Evidence that is missing is never good.

    With --scheduled the released model itself is watched: does it still come to its recorded values? The store is only
    read. Exit 0: nothing moved; 1: values moved; 3: driver, card, data or software did, and no value is known to have;
    4: it could not be run again.

    Example: penstock watch watch.yaml --since 2026-11-27T00:00:00Z --follow

    Example: penstock watch watch.yaml --records requests.jsonl --json

    Example: penstock watch watch.yaml --serve 0.0.0.0:8080 --store s3://releases/penstock

    Example: penstock watch --scheduled sonic-lite --store s3://releases/penstock --notify receivers
    """
    if scheduled:
        from penstock.cli.drift_watch import watch_release
        from penstock.local_run.scheduled_watch import ScheduledWatch

        if policy is not None or records or since or serve or follow or release:
            todo = "Leave the policy and the options of a canary out."
            raise UsageError("a released model is watched by its own record", where="--scheduled", todo=todo)
        again = ScheduledWatch(scheduled, out, python, tuple(param or ()), tuple(workspace or ()))
        raise typer.Exit(watch_release(again, store, store_credentials, notify, quiet=quiet, as_json=as_json))
    if policy is None:
        raise UsageError(
            "what is to be watched?",
            where="penstock watch",
            todo="Give a policy, or --scheduled MODEL.",
        )
    from penstock.cli.watch_display import progress_line, verdict_json, verdict_lines
    from penstock.cli.watch_probes import ReleasesAt, journal_of, last_moment, probes_of
    from penstock.watch.watch_policy import load_watch_policy
    from penstock.watch.watcher import CanaryWatch, steady_clock
    from penstock.watch.watcher import follow as follow_watcher

    if release and not follow:
        raise UsageError("who asks says which release", where="--release", todo="Give --follow, or leave it out.")
    if serve and (follow or as_json):
        raise UsageError("--serve prints no verdict", where="--serve", todo="Leave --follow and --json out.")
    rules = load_watch_policy(policy)
    growing = follow or bool(serve)
    log = _records(records, rules, growing=growing)
    source = log if log is not None else _prometheus(rules, policy)
    begun = _since(since, log, growing=growing)
    clock = steady_clock() if follow else time.time
    releases = ReleasesAt(store, store_credentials, param or (), workspace or ())
    with (
        journal_of(rules, policy, growing=growing) as journal,
        probes_of(rules, policy, journal, growing=growing, clock=clock, releases=releases) as probes,
    ):
        if serve:
            _serve(serve, _look(rules, source, begun, log, probes))
            return
        probes.choose(release)
        watcher = CanaryWatch(rules, source, begun if begun is not None else time.time(), probes.source)
        if not follow:
            verdict = watcher.look(last_moment(log, journal))
        else:
            for verdict in follow_watcher(watcher, clock=clock):
                sys.stderr.write(progress_line(verdict) + "\n")
    typer.echo(verdict_json(verdict) if as_json else "\n".join(verdict_lines(verdict)))
    raise typer.Exit(exit_code(verdict))


def exit_code(verdict: WatchVerdict) -> int:
    """0 for good, 1 for bad, 3 for the rest."""
    codes = {"Successful": ExitCode.OK, "Failed": ExitCode.REJECTED}
    return int(codes.get(verdict.phase, ExitCode.INCONCLUSIVE))


def _records(given: str, rules: WatchPolicy, *, growing: bool) -> RecordsSource | None:
    from penstock.watch.records import RecordsSource

    if not given:
        return None
    if not rules.signals.names:
        todo = "Name errors, latency or feedback in 'signals'."
        raise UsageError("no signal of users' requests is watched", where="--records", todo=todo)
    if given != STANDARD_INPUT:
        return RecordsSource(Path(given), whole=not growing)
    if growing:
        raise UsageError("standard input is read to its end", where="--records -", todo="Give a file that grows.")
    return RecordsSource(None, stream=sys.stdin.buffer)


def _prometheus(rules: WatchPolicy, policy: Path) -> EvidenceSource | None:
    """Where users' requests are counted; ``None``: probes alone are looked at."""
    from penstock.watch.prometheus import PrometheusEvidence

    if not rules.signals.names:
        return None
    if rules.prometheus is None:
        raise UsageError(
            "there is no 'prometheus' in the policy", where=str(policy), todo="Add it, or give --records FILE."
        )
    names = rules.signals.names
    return PrometheusEvidence(rules.prometheus, latency="latency" in names, feedback="feedback" in names)


def _since(given: str, log: RecordsSource | None, *, growing: bool) -> float | None:
    """When the canary was started; ``None``: not known yet."""
    from penstock.watch.records import parse_start

    if given:
        return parse_start(given, where="--since")
    if log is not None:
        return log.first_canary()
    if growing:
        return time.time()
    raise UsageError("when was the canary started?", where="--since", todo="Give --since TIME.")


def _look(
    rules: WatchPolicy,
    source: EvidenceSource | None,
    begun: float | None,
    log: RecordsSource | None,
    probes: WatchedProbes,
) -> Look:
    """What the server calls."""
    from penstock.watch.evidence import EvidenceError
    from penstock.watch.watcher import CanaryWatch

    started = time.time()

    def look(since: float | None, version: str) -> WatchVerdict:
        probes.choose(version)
        first = None
        if log is not None and begun is None:
            with contextlib.suppress(EvidenceError):  # the look itself says why
                first = log.first_canary()
        return CanaryWatch(rules, source, since or begun or first or started, probes.source).look(time.time())

    return look


def _serve(place: str, look: Look) -> None:
    from penstock.watch.verdict_server import VerdictServer

    host, colon, port = place.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"'{place}' is not an address", where="--serve", todo="Write 127.0.0.1:8080.")
    with VerdictServer(host.strip("[]") or "127.0.0.1", int(port), look) as server:
        sys.stderr.write(f"listening on {host or '127.0.0.1'}:{server.server_port}\n")
        sys.stderr.flush()
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the first process of a container has none
        server.serve_forever()
