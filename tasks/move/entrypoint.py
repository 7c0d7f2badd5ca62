"""What people do with published releases, on the cluster: roll back, promote to where they serve, withdraw; canaries.

A canary that is under way is looked at, paused, let go on and stopped by the account that has brought it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from penstock.foundation.errors import UsageError, one_line
from penstock.notices.audience import Audience, open_audience, tell_act, tell_news
from penstock.releases.acts import promote, roll_back, withdraw
from penstock.steps.entrypoint import log, param, run_step, workspace
from penstock.store.open import existing_store
from penstock.store.store import Store
from penstock.targets.canary_acts import Act as CanaryWord
from penstock.targets.canary_acts import Canary
from penstock.targets.delivery import Delivery
from penstock.targets.news import News
from penstock.targets.platform_store import platform_store
from penstock.targets.targets_file import load_targets, targets_in
from penstock.tracking.tracking_attempt import attempt_tracking


@dataclass(frozen=True)
class Arguments:
    """Make another release the current one, served at its target, withdraw one, or act on a canary: on record, once."""

    act: str = param("rollback, promote or withdraw; canary-status, canary-pause, canary-resume or canary-abort")
    model: str = param("the model's name; of a canary also its target's")
    version: str = param("which release; empty with rollback: the one before the current", default="")
    reason: str = param("why; it stays on record; empty with canary-status", default="")
    by: str = param("who says so: on a cluster the account that runs this tells nobody")
    store: str = param(
        "where releases are kept, s3://bucket/prefix; empty: as targets.yaml says, which allows no other", default=""
    )
    store_credentials: Path | None = workspace("for S3", optional=True)
    targets: Path | None = workspace(
        "the platform's targets: targets.yaml, and the public keys it names", optional=True
    )
    target_secrets: Path | None = workspace("the targets' secrets: a file each", optional=True)
    mlflow: Path | None = workspace("files 'url', and if need be 'token', or 'username' and 'password'", optional=True)
    receivers: Path | None = workspace("a file 'urls' with one address a line, and 'links'", optional=True)


RESULTS: tuple[str, ...] = ("current", "changed", "told", "state")
ACTS = ("rollback", "promote", "withdraw")
CANARY_ACTS: dict[str, CanaryWord | None] = {
    "canary-status": None,
    "canary-pause": "pause",
    "canary-resume": "resume",
    "canary-abort": "abort",
}
MAX_STATE_BYTES = 600
"""All results of a step share 1 KiB, their names and Tekton's own words included."""


def step(arguments: Arguments) -> dict[str, str]:
    """Do it, unless it was done already, and tell the receivers.

    Returns the current release's version then (empty: none is current yet), whether anything changed, and how many were
    told. Who cannot be told is in the log: the step is not red for that, since what it was to do is done. Of a canary
    it returns in words how far that is, as it was before the act.
    """
    known = (*ACTS, *CANARY_ACTS)
    if arguments.act not in known:
        raise UsageError(f"there is no act '{arguments.act}'", where="act", todo=f"Say one of: {', '.join(known)}.")
    if not arguments.by.strip():
        raise UsageError("nobody is named", where="by", todo="Say who does this: --param by=NAME.")
    if not arguments.version and arguments.act in ("promote", "withdraw"):
        raise UsageError(f"{arguments.act} needs a version", where="version", todo="Say --param version=VERSION.")
    if arguments.act in CANARY_ACTS:
        return _of_canary(arguments, CANARY_ACTS[arguments.act])
    audience = open_audience(arguments.receivers)
    file = targets_in(arguments.targets) if arguments.targets is not None else None
    store = existing_store(platform_store(file, arguments.store), arguments.store_credentials)
    model, version, reason, by = arguments.model, arguments.version, arguments.reason, arguments.by
    serving = None
    if file is not None:
        serving = Delivery(store, file, arguments.target_secrets, by=by, heard=partial(_hear, audience))
    if arguments.act == "rollback":
        done = roll_back(store, model, version or None, reason=reason, by=by, serving=serving)
    elif arguments.act == "promote":
        done = promote(store, model, version, reason=reason, by=by, serving=serving)
    else:
        done = withdraw(store, model, version, reason=reason, by=by)
    changed, current = done.move is not None, done.current.current_version or ""
    event = "moved" if changed else "unchanged"
    log(event, act=arguments.act, model=arguments.model, current=current, target=done.target or "")
    if arguments.mlflow is not None:
        why_not = attempt_tracking(arguments.mlflow, store=store, model=model)
        log("not tracked", error=why_not) if why_not else log("tracked", release=current)
    told = tell_act(audience, done)
    error = told.error()
    if error is not None:
        log("not told", error=str(error))
    return {"current": current, "changed": str(changed).lower(), "told": str(told.sent), "state": ""}


def _of_canary(arguments: Arguments, act: CanaryWord | None) -> dict[str, str]:
    """Look at a canary, or act on it. Nobody is told here: the promotion that follows it tells how it ended."""
    if arguments.targets is None:
        todo = "Bind the platform's: --workspace name=targets,config=penstock-targets."
        raise UsageError("the platform's targets are not there", where="workspace targets", todo=todo)
    file = targets_in(arguments.targets)
    canary = Canary(load_targets(file), arguments.model, arguments.target_secrets, where=str(file))

    def store() -> Store:
        return existing_store(platform_store(file, arguments.store), arguments.store_credentials)

    beside = ""
    if act is None:
        state, changed = canary.state(), False
        beside = canary.control().told(under_way=state.under_way)
    else:
        if act != "abort":  # who stops a canary must not stumble over the store first
            store()
        done = canary.do(act, store, reason=arguments.reason, by=arguments.by)
        state, changed = done.state, done.entry is not None
    told = one_line("; ".join(filter(None, (state.told(), beside))))
    log("canary", act=arguments.act, target=canary.target, state=told, changed=changed)
    kept = told.encode()[:MAX_STATE_BYTES].decode(errors="ignore")
    return {"current": "", "changed": str(changed).lower(), "told": "0", "state": kept}


def _hear(audience: Audience, news: News) -> None:
    """Tell the receivers of what did not end well, or waits for them; who cannot be told is in the log."""
    told = tell_news(audience, news)
    error = told.error()
    log("told", about=news.event, sent=told.sent) if error is None else log("not told", error=str(error))


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-move``."""
    return run_step("move", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
