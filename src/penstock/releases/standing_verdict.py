"""Whether the verdict that a release was published with still stands: it passed, and no waiver in it is over by now.

What the archived evidence says, whether anything is signed or not. A signature is asked for by the targets
(:mod:`penstock.releases.attest`).
"""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from penstock.bundle.verdict_record import Verdict
from penstock.foundation.errors import ExitCode, PenstockError, WorldError, one_line
from penstock.foundation.files import disk_errors
from penstock.releases.attestation import waived_rules, waiver_over
from penstock.releases.baseline import Release
from penstock.store.archive import fetch
from penstock.store.store import Store

VERDICT = "verdict.json"


class VoidVerdictError(PenstockError):
    """The verdict that a release was published with does not stand any more."""

    exit_code = ExitCode.REJECTED


def hold_standing(store: Store, release: Release, today: date) -> None:
    """Check that the verdict over a release still stands.

    Args:
        store: where its evidence is archived.
        release: a published release; its evidence is compared with the manifest that it names.
        today: the last day of a waiver is the last on which it holds.

    Raises:
        VoidVerdictError: a waiver in it is over, or it is no ``pass``.
        WorldError: the evidence is gone or damaged; the store cannot be reached.
    """
    where = f"{release.model} {release.version}"
    verdict = _archived(store, release)
    if verdict.verdict != "pass":
        raise VoidVerdictError(
            f"its verdict is '{verdict.verdict}'", where=where, todo="Correct the model, and release a new version."
        )
    try:
        over = waiver_over(waived_rules(verdict), today)
    except ValueError as error:
        raise WorldError(f"its archived verdict is damaged: {one_line(str(error))}", where=where) from None
    if over is not None:
        raise VoidVerdictError(
            f"its verdict does not stand any more: {over}",
            where=where,
            todo="Renew the waiver in the policy and release a new version. 'penstock rollback' goes back to what has "
            "been current, whatever its waivers.",
        )


def _archived(store: Store, release: Release) -> Verdict:
    folder = Path(tempfile.gettempdir())
    with disk_errors(folder), tempfile.TemporaryDirectory(prefix="penstock-verdict-") as name:
        only, digest = (VERDICT,), release.manifest_sha256
        return fetch(store, release.model, release.run_id, Path(name), only=only, manifest_sha256=digest).verdict()
