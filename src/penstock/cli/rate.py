"""``penstock rate status``, ``close``: people's ratings of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.release_acts import AsJson, By, Credentials, Reason, StoreUri
from penstock.cli.releases import LOCAL_STORE

if TYPE_CHECKING:
    from penstock.bundle.verdict_record import RuleResult
    from penstock.ratings.status import RatingStatus

RunNamed = Annotated[str, typer.Argument(metavar="RUN", help="The run that waits: its id, or MODEL/RUN.")]
STATES = {"counts": "counts", "waits": "has answered too few catch pairs yet", "disqualified": "does not count"}


def status(
    run: RunNamed, store: StoreUri = LOCAL_STORE, store_credentials: Credentials = None, as_json: AsJson = False
) -> None:
    """Say how many ratings there are, what they come to, and who counts. Nothing is changed.

    Example: penstock rate status sonic-lite-1.3.0-x7k2p --store s3://releases/penstock
    """
    from penstock.foundation.errors import printable
    from penstock.ratings.status import find_run, rating_status
    from penstock.store.open import existing_store

    opened = existing_store(store, store_credentials)
    found = rating_status(opened, *find_run(opened, run))
    typer.echo(found.counted.model_dump_json(indent=2) if as_json else printable("\n".join(_lines(found))))


def close(
    run: RunNamed,
    reason: Reason,
    by: By = "",
    store: StoreUri = LOCAL_STORE,
    store_credentials: Credentials = None,
) -> None:
    """End the rating of a run. Too few ratings never pass it; a new run with --regate judges what is there.

    Example: penstock rate close sonic-lite-1.3.0-x7k2p --reason "the release is given up" --store s3://releases/penstock
    """
    from penstock.foundation.errors import printable
    from penstock.ratings.kept import close as end
    from penstock.ratings.status import find_run, rating_status
    from penstock.releases.moves import stated_author, stated_reason
    from penstock.store.open import existing_store

    why, author = stated_reason(reason), stated_author(by)
    opened = existing_store(store, store_credentials)
    found = rating_status(opened, *find_run(opened, run))
    closed = end(opened, found.model, found.rated_run, reason=why, by=author)
    words = f"nobody rates {found.model}/{found.rated_run} any more: {found.counted.count.counted} of "
    told = f"{words}{found.wanted} ratings" if closed else "it was closed before"
    typer.echo(printable(told))


def _lines(found: RatingStatus) -> list[str]:
    count = found.counted.count
    run = f"{found.model}/{found.rated_run} beside {found.baseline}"
    lines = [f"{run}{_of(rule)}: {rule.verdict}, {rule.reason}" for rule in found.rules]
    if count.agreement is not None:
        who = f"{count.raters} raters over {count.cases} cases"
        lines.append(f"agreement of {who} (Krippendorff's alpha): {count.agreement:.2f}")
    lines += [
        f"  {one.rater}: {STATES[one.state]}, {one.ratings} ratings, {one.right} of {one.catches} catch pairs right"
        for one in found.counted.raters
    ]
    lines += [f"  broken: {key}" for key in found.counted.broken]
    if found.closing is not None:
        lines.append(f"closed by {found.closing.by}: {found.closing.reason}")
    if found.enough or found.closing is not None:
        lines.append(f"judge it again: penstock run release --regate {found.rated_run}")
    return lines


def _of(rule: RuleResult) -> str:
    return f", slice '{rule.slice}'" if rule.slice is not None else ""
